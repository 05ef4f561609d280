"""What goes wrong, and how a client gets to know what to do about it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import openai

from conformance.check import MUST, SHOULD, check
from conformance.client import Connection, Exchange
from conformance.configured import configured
from conformance.expect import error, json_object, refused, status
from conformance.failure import NotApplicable, expect
from conformance.session import Json, Session, script, user
from conformance.transcript import Transcript

UNKNOWN_MODEL = "no-such-model-5b1f"
LONGEST_RETRY_AFTER = 120
"""Seconds. The SDKs take no notice of a longer wait."""

LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|/(?:home|opt|private|tmp|Users|usr|var)/"
)
CRASH = script("one two three", mishap={"kind": "crash", "after": 0})
FAULT = script("one two three", mishap={"kind": "error", "after": 0})


# --- the form -----------------------------------------------------------------------


@check("err.envelope", level=MUST, cite=["SPEC:38249", "SDK"])
async def envelope(session: Session) -> None:
    """Every 4xx and 5xx is `{"error": {message, type, param, code}}`, its type a string."""
    answers = [
        await session.chat(temperature=3),
        await session.chat(model=UNKNOWN_MODEL),
        await session.chat(stream=True, messages=[]),
        await session.request("POST", "/chat/completions", raw=b"{"),
        await session.request("POST", "/chat/completions", raw=b"[]"),
        await session.request("GET", f"/models/{UNKNOWN_MODEL}"),
        await session.request("GET", "/no-such-route"),
        await session.request("PUT", "/chat/completions", json_body={}),
    ]
    errors = [answered for answered in answers if answered.received.status >= 400]
    expect(bool(errors), "an error for what is wrong", "none")
    for answered in errors:
        session.last = answered
        found = error(answered, answered.received.status)
        expect(isinstance(found["type"], str), "a string type", found)
        for name in ("param", "code"):
            expect(found[name] is None or isinstance(found[name], str), f"{name} or null", found)


@check("err.sdk_class", level=MUST, cite=["SDK"])
async def sdk_class(session: Session) -> None:
    """The SDK raises the class of the status, with message, code and param."""
    raised = await _raised(session, openai.BadRequestError, temperature="hot")
    expect(raised.param == "temperature", ".param 'temperature'", raised.param)
    raised = await _raised(session, openai.NotFoundError, model=UNKNOWN_MODEL)
    expect(raised.code == "model_not_found", ".code 'model_not_found'", raised.code)
    if "scripted" in session.target.capabilities:
        await _raised(session, openai.InternalServerError, messages=[user(FAULT)])


async def _raised(
    session: Session, wanted: type[openai.APIStatusError], **fields: Any
) -> openai.APIStatusError:
    target, outcome = session.target, None
    client: Any
    async with openai.AsyncOpenAI(
        api_key=target.api_key, base_url=target.base_url, max_retries=0
    ) as client:
        try:
            outcome = await client.chat.completions.create(**session.body(**fields))
        except openai.APIError as raised:
            outcome = raised
    hint = "the SDKs choose the class by the status alone"
    expect(isinstance(outcome, wanted), f"openai.{wanted.__name__}", outcome, hint)
    told = outcome.body.get("message") if isinstance(outcome.body, dict) else None
    hint = "the SDKs show the message of the object under 'error'"
    expect(isinstance(told, str) and bool(told), "the server's message", outcome, hint)
    assert isinstance(outcome, wanted)
    return outcome


@check("err.not_422", level=MUST, cite=["SDK"])
async def not_422(session: Session) -> None:
    """A request of the wrong form is a 400; 422 is what frameworks answer by themselves."""
    wrong: list[Json] = [
        {"messages": ...},
        {"messages": "hello"},
        {"messages": [{"role": "user"}, 1]},
        {"temperature": "hot"},
        {"max_tokens": "many"},
        {"stream": "perhaps"},
    ]
    for fields in wrong:
        answered = await session.chat(**fields)
        found = answered.received.status
        expect(found == 400, f"status 400 for {fields}", f"{found}: {answered.received.text}")


@check("err.param_path", level=SHOULD, cite=["PEER:openai"])
async def param_path(session: Session) -> None:
    """`param` leads to the very place that is wrong, as in `messages[0].role`."""
    tool = {"type": "function", "function": {"description": "It has no name."}}
    wrong: list[tuple[str, Json]] = [
        ("messages[0].role", {"messages": [{"role": "robot", "content": "hello"}]}),
        ("messages[1].content", {"messages": [user("hello"), {"role": "user", "content": 1}]}),
        ("tools[0].function.name", {"tools": [tool]}),
    ]
    for path, fields in wrong:
        refused(await session.chat(**fields), path)


# --- errors that clients act on -----------------------------------------------------


@check("err.model_not_found", level=MUST, cite=["OR", "PEER:openai"])
async def model_not_found(session: Session) -> None:
    """A chat with an unknown model is a 404 with code model_not_found that names the model."""
    for stream in (False, True):
        found = error(await session.chat(model=UNKNOWN_MODEL, stream=stream), 404)
        expect(found["code"] == "model_not_found", "code model_not_found", found)
        expect(found["param"] in (None, "model"), "param null or 'model'", found)
        expect(UNKNOWN_MODEL in found["message"], "the model's name in the message", found)


COUNT_FIRST = "count the tokens of the prompt before you answer"
PATIENCE = 10.0
"""Seconds for a prompt that may fit, after which no longer one is tried."""


@check("err.context_length", level=MUST, cite=["FW:langchain", "FW:strands"], taxing=True)
async def context_length(session: Session) -> None:
    """A prompt over the context is a 400 with code context_length_exceeded and both numbers in
    its message, within a second, also for a stream."""
    known = session.target.context
    for count in (known,) if known else (3_000, 150_000):
        prompt = " ".join(map(str, range(count)))
        answered = await _streamed(session, prompt)
        if answered is None:
            expect(known is None, f"a refusal of over {known} tokens", "it reads them", COUNT_FIRST)
            raise NotApplicable(f"it reads a prompt of {count} words, for over {PATIENCE:g} s")
        if answered.received.status != 200:
            break
        _judge_whole(answered, count)
    else:
        raise NotApplicable(f"its context is longer than {count:,} tokens")
    _judge_too_long(answered)
    began = time.monotonic()
    _judge_too_long(await session.chat(prompt, fresh=True, max_tokens=1))
    seconds = time.monotonic() - began
    expect(seconds < 1, "an answer within 1 second", f"{seconds:.1f} s", COUNT_FIRST)


async def _streamed(session: Session, prompt: str) -> Exchange | None:
    """The answer as a stream, whose client can leave; None if it takes too long."""
    usage = {"include_usage": True}
    try:
        async with asyncio.timeout(PATIENCE):
            return await session.chat(
                prompt, fresh=True, max_tokens=1, stream=True, stream_options=usage
            )
    except TimeoutError:
        return None


def _judge_whole(answered: Exchange, count: int) -> None:
    """Of a prompt that was not refused every word has been read."""
    stream = Transcript.of(answered)
    expect(stream.error is None, "a 400 before the stream begins", stream.error, COUNT_FIRST)
    counted = (stream.usage or {}).get("prompt_tokens")
    hint = "what does not fit must be refused: an answer to a cut prompt is a wrong answer"
    whole = isinstance(counted, int) and counted >= count
    expect(whole, f"a refusal, or {count} prompt tokens at least", counted, hint)


def _judge_too_long(answered: Exchange) -> None:
    found = refused(answered)
    hint = "frameworks shorten their history when they see this code"
    code = found["code"]
    expect(code == "context_length_exceeded", "code context_length_exceeded", code, hint)
    numbers = set(re.findall(r"\d[\d,]*", found["message"]))
    expect(len(numbers) >= 2, "the limit and the prompt's length", found["message"])


@check("err.queue_full", level=MUST, cite=["SDK", "FW:strands", "OURS"], scripted=True)
async def queue_full(session: Session) -> None:
    """Over the bound of the queue a request is a 503 with Retry-After, until there is room."""
    async with configured(session, server={"max_queue": 2}) as own:
        async with _busy(own), _busy(own):
            session.last = await own.chat(fresh=True)
            _judge_retry(session.last)
        for _ in range(50):
            session.last = await own.chat(fresh=True)
            if session.last.received.status == 200:
                return
            await asyncio.sleep(0.1)
        status(session.last, 200)


@contextlib.asynccontextmanager
async def _busy(session: Session) -> AsyncIterator[None]:
    """One answer in progress, given up by its client when the block ends."""
    slow = session.body(script("one two three", mishap={"kind": "stall", "after": 1}), stream=True)
    connection = await Connection.open(session.target.base_url)
    try:
        sent = session.sent("POST", "/chat/completions", json_body=slow)
        _, reads = await connection.start(sent)
        await anext(reads)
        yield
    finally:
        await connection.close()


def _judge_retry(answered: Exchange) -> None:
    error(answered, 503)
    given = answered.received.header("retry-after") or "none"
    good = given.isdigit() and 0 < int(given) <= LONGEST_RETRY_AFTER
    hint = "the SDKs wait that long and try again, if it is not over 120 seconds"
    expect(good, "Retry-After of 1 to 120 seconds", given, hint)


@check("err.loading", level=MUST, cite=["SDK", "OURS"], scripted=True)
async def loading(session: Session) -> None:
    """While a model is being loaded its requests wait, or get 503 with Retry-After; it is never
    unknown."""
    await session.chat(CRASH, fresh=True)
    model = session.target.model
    answers = await asyncio.gather(
        session.chat(fresh=True),
        session.request("GET", f"/models/{model}"),
        session.chat("Say hello to Bob.", fresh=True),
    )
    for answered in answers:
        session.last = answered
        status(answered, 200, 503)
        if answered.received.status == 503:
            _judge_retry(answered)


@check("err.no_retry_hint", level=SHOULD, cite=["SDK"], scripted=True)
async def no_retry_hint(session: Session) -> None:
    """A 5xx or 429 that would only come again carries `x-should-retry: false`, such as that of
    a request that takes longer than it may."""
    async with configured(session, defaults={"timeout": 0.5}) as own:
        slow = script("one", mishap={"kind": "stall", "after": 0})
        session.last = await own.chat(slow, fresh=True)
        error(session.last, 500, 503, 504)
        hint = "without it the SDKs repeat the request twice, for nothing"
        given = session.last.received.header("x-should-retry")
        expect(given == "false", "x-should-retry: false", given, hint)


@check("err.internal", level=MUST, cite=["OURS"], scripted=True)
async def internal(session: Session) -> None:
    """When the engine crashes its request is a 500 server_error that shows nothing of the
    inside, and the server goes on."""
    found = error(await session.chat(CRASH, fresh=True), 500)
    expect(found["type"] == "server_error", "type server_error", found)
    assert session.last
    text = session.last.received.text
    expect(not LEAKS.search(text), "no path and no trace", text, "write them to the log")
    for _ in range(100):
        answered = await session.chat(fresh=True)
        if answered.received.status != 503:
            break
        await asyncio.sleep(0.1)
    status(answered, 200)


# --- no silence ---------------------------------------------------------------------


@check("err.no_silent_ignore", level=MUST, cite=["OURS"])
async def no_silent_ignore(session: Session) -> None:
    """A parameter that changes what the answer means is honoured, or refused by name."""
    voice = {"voice": "alloy", "format": "wav"}
    guess = {"type": "content", "content": "Hello, Ada."}
    cases: list[tuple[Json, Callable[[Json], bool]]] = [
        ({"n": 2}, lambda body: len(body["choices"]) == 2),
        ({"logprobs": True}, lambda body: bool((_first(body)["logprobs"] or {})["content"])),
        ({"modalities": ["text", "audio"], "audio": voice}, lambda body: "audio" in _spoken(body)),
        ({"prediction": guess}, _predicted),
        ({"web_search_options": {}}, lambda body: bool(_spoken(body).get("annotations"))),
    ]
    if "scripted" not in session.target.capabilities:  # a script has no logits to bias
        plain = _spoken(await session.answer(max_tokens=8))
        biased = {"logit_bias": {"100": 100}}
        cases.append((biased, lambda body: _spoken(body)["content"] != plain["content"]))
    for fields, honoured in cases:
        answered = await session.chat(**fields, max_tokens=8)
        if answered.received.status == 200:
            hint = "refuse what is not supported: a client cannot see that it was ignored"
            expect(
                _holds(honoured, json_object(answered)),
                f"{fields} honoured, or a 400",
                answered.received.text,
                hint,
            )
        else:
            param = str(refused(answered)["param"])
            expect(param.startswith(tuple(fields)), f"error.param {' or '.join(fields)}", param)


def _holds(honoured: Callable[[Json], bool], body: Json) -> bool:
    """An answer without the members in question honours nothing."""
    try:
        return honoured(body)
    except (KeyError, IndexError, TypeError):
        return False


def _first(body: Json) -> Json:
    choice: Json = body["choices"][0]
    return choice


def _spoken(body: Json) -> Json:
    message: Json = _first(body)["message"]
    return message


def _predicted(body: Json) -> bool:
    details = body["usage"]["completion_tokens_details"]
    return bool(details["accepted_prediction_tokens"] or details["rejected_prediction_tokens"])
