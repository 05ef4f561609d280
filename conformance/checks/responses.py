"""The Responses API: what a response is. The fixtures here serve the other modules about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai

from conformance import images, responseschemas, schemas
from conformance.check import MUST, SHOULD, check
from conformance.checks.chat import judge_logprobs
from conformance.checks.toolchoice import refused_at
from conformance.client import Exchange
from conformance.expect import error, json_object, refused, status
from conformance.failure import Failed, expect
from conformance.responsestream import ResponseStream
from conformance.session import QUESTION, Json, Session, user

ENDPOINT = "/responses"
RESPONSES = ("responses",)
"""What all checks of this section need."""

SMALLEST = 16
"""The least that OpenAI takes for max_output_tokens."""

PATIENCE = 180
"""Seconds for a check that waits for many answers."""

LONG = (
    "Write a long story about a fox who crosses a river at night, in full sentences, with a"
    " beginning, a middle and a good end."
)
"""No answer to it is short; also said back it has more than SMALLEST words."""

UNKNOWN_MODEL = "no-such-model-5b1f"
NO_SILENT_IGNORE = "refuse by name what you do not honour; without it another answer comes"


def body(session: Session, input: Any = QUESTION, **fields: Any) -> Json:
    """A request. Greedy and short, unless told otherwise; a field set to ``...`` is left out."""
    usual = {"model": session.target.model, "input": input, "temperature": 0}
    given = {**usual, "max_output_tokens": 64, **fields}
    return {name: value for name, value in given.items() if value is not ...}


async def asked(
    session: Session, input: Any = QUESTION, *, fresh: bool = False, **fields: Any
) -> Exchange:
    """POST /responses, whatever the answer."""
    sent = body(session, input, **fields)
    return await session.request("POST", ENDPOINT, json_body=sent, fresh=fresh)


async def created(
    session: Session, input: Any = QUESTION, *, fresh: bool = False, **fields: Any
) -> Json:
    """The response. Raises Failed when the answer is not a 200 with a JSON object."""
    exchanged = await asked(session, input, fresh=fresh, **fields)
    status(exchanged, 200)
    return json_object(exchanged)


async def streamed(
    session: Session, input: Any = QUESTION, *, fresh: bool = False, **fields: Any
) -> ResponseStream:
    """The stream. Raises Failed when the answer is not a 200."""
    sent = body(session, input, stream=True, **fields)
    return await session.streamed(ResponseStream, ENDPOINT, sent, fresh=fresh)


def of_type(response: Json, kind: str) -> list[Json]:
    """The output items of one type."""
    return [item for item in response.get("output") or [] if item.get("type") == kind]


def text_of(response: Json) -> str:
    messages = of_type(response, "message")
    parts = [part for message in messages for part in message.get("content") or []]
    return "".join(part["text"] for part in parts if part.get("type") == "output_text")


def size_of(response: Json) -> int:
    """The tokens that were read."""
    return int(response["usage"]["input_tokens"])


def sdk(session: Session) -> openai.AsyncOpenAI:
    target = session.target
    return openai.AsyncOpenAI(base_url=target.base_url, api_key=target.api_key, max_retries=0)


@contextmanager
def sdk_copes(with_what: str) -> Iterator[None]:
    """Raises Failed where the SDK stumbles, over whatever it is."""
    try:
        yield
    except Failed:
        raise
    except Exception as stumble:
        told = f"{type(stumble).__name__}: {stumble}"
        raise Failed(f"{with_what} that the SDK takes", told) from None


# --- the object ---------------------------------------------------------------------


@check("responses.shape", level=MUST, cite=["SPEC:57280", "FW"], needs=RESPONSES)
async def shape(session: Session) -> None:
    """A response has the members of the reference, each of its type, an id of its own that
    begins with `resp_`, the status completed, and output."""
    first, second = [await created(session, fresh=True) for _ in range(2)]
    for response in (first, second):
        fault = schemas.fault(response, responseschemas.RESPONSE)
        expect(fault is None, "a response", fault)
        expect(response["status"] == "completed", "status completed", response["status"])
        expect(bool(response["output"]), "output", response)
    expect(first["id"] != second["id"], "two ids", first["id"], "take ids from a random source")


PRESENT = (
    *("background", "completed_at", "error", "frequency_penalty", "incomplete_details"),
    *("instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls"),
    *("presence_penalty", "previous_response_id", "prompt_cache_key", "prompt_cache_retention"),
    *("reasoning", "safety_identifier", "service_tier", "store", "temperature", "text"),
    *("tool_choice", "tools", "top_logprobs", "top_p", "truncation", "usage", "user"),
)
"""Beside those without which it is no response."""


@check("responses.always_present", level=SHOULD, cite=["PEER:openai"], needs=RESPONSES)
async def always_present(session: Session) -> None:
    """The members that OpenAI always sends are there, null or not."""
    missing = sorted(set(PRESENT) - set(await created(session)))
    expect(not missing, "all members", f"no {', '.join(missing)}", "repeat the request's fields")


@check("responses.output_text", level=MUST, cite=["SDK"], needs=RESPONSES)
async def output_text(session: Session) -> None:
    """The SDK finds the text of a response in its `output_text`."""
    async with sdk(session) as client:
        with sdk_copes("a response"):
            response = await client.responses.create(
                model=session.target.model, input="Say hello to Bob.", max_output_tokens=64
            )
            text = response.output_text
    hint = 'text belongs into parts of type "output_text" in items of type "message"'
    expect(bool(text.strip()), "text in .output_text", text, hint)


@check("responses.usage", level=MUST, cite=["SPEC:57280", "FW:strands"], needs=RESPONSES)
async def usage(session: Session) -> None:
    """Usage adds up and has its details, in a response and at the end of a stream."""
    for response in (await created(session), (await streamed(session)).response):
        found = response.get("usage")
        fault = schemas.fault(found, responseschemas.USAGE)
        expect(fault is None, "the counts and details of the reference", fault)
        assert found
        read, made, total = (found[f"{name}_tokens"] for name in ("input", "output", "total"))
        expect(read > 0 and made > 0, "tokens read and made", found)
        expect(read + made == total, f"total_tokens {read + made}", total)
        cached = found["input_tokens_details"]["cached_tokens"]
        expect(cached <= read, f"{read} cached_tokens at most", cached)
        thought = found["output_tokens_details"]["reasoning_tokens"]
        expect(thought <= made, f"{made} reasoning_tokens at most", thought)


@check("responses.incomplete", level=MUST, cite=["SPEC:58889", "OR"], needs=RESPONSES)
async def incomplete(session: Session) -> None:
    """A response cut at max_output_tokens is incomplete, says why, and so is its last item."""
    whole = await created(session, LONG, max_output_tokens=SMALLEST)
    stream = await streamed(session, LONG, max_output_tokens=SMALLEST)
    expect(stream.kinds[-1] == "incomplete", "response.incomplete last", stream.data[-1])
    for response in (whole, stream.response):
        expect(response["status"] == "incomplete", "status incomplete", response["status"])
        details = response.get("incomplete_details")
        wanted = {"reason": "max_output_tokens"}
        expect(details == wanted, f"incomplete_details {wanted}", details)
        last = response["output"][-1]
        cut = last["type"] == "reasoning" or last.get("status") == "incomplete"
        expect(cut, "a last item that is incomplete", last)
        made = response["usage"]["output_tokens"]
        expect(made <= SMALLEST, f"{SMALLEST} tokens at most", made)


# --- what is asked ------------------------------------------------------------------


@check("responses.input_forms", level=MUST, cite=["OR", "FW"], needs=RESPONSES, timeout=PATIENCE)
async def input_forms(session: Session) -> None:
    """Input is a string or items: messages with or without a type, their content a string or
    parts; `instructions` are read, too."""

    async def size(input: Any, **fields: Any) -> int:
        return size_of(await created(session, input, max_output_tokens=SMALLEST, **fields))

    part = {"type": "input_text", "text": QUESTION}
    message = {"type": "message", "role": "user", "content": QUESTION}
    bare = await size(QUESTION)
    for form in ([user(QUESTION)], [message], [{"role": "user", "content": [part]}]):
        found = await size(form)
        expect(found == bare, f"{bare} input_tokens, as for a string", f"{found} for {form}")

    answered = {"type": "output_text", "text": "Hello Ada!", "annotations": []}
    kept = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    again = [user(QUESTION), {"role": "assistant", "content": "Hello Ada!"}, user("Again.")]
    parts = [user(QUESTION), {**kept, "content": [answered]}, user("Again.")]
    sizes = [await size(again), await size(parts)]
    expect(sizes[0] == sizes[1] > bare, "the same size for both forms of an answer", sizes)

    for role in ("system", "developer"):
        told = [{"role": role, "content": "Be very kind."}, user(QUESTION)]
        await size(told)
    instructed = await size(QUESTION, instructions=LONG)
    hint = "instructions are the first system message"
    expect(instructed > bare + 20, f"more than {bare + 20} with instructions", instructed, hint)


@check("responses.extras", level=MUST, cite=["FW:openai-agents", "FW"], needs=RESPONSES)
async def extras(session: Session) -> None:
    """What frameworks send beside the question is accepted, also as null or empty, and metadata
    comes back."""
    labels = {"run": "42"}
    response = await created(
        session,
        store=True,
        metadata=labels,
        include=["reasoning.encrypted_content"],
        truncation="disabled",
        parallel_tool_calls=False,
        prompt_cache_key="key",
        safety_identifier="somebody",
        text={"format": {"type": "text"}, "verbosity": "medium"},
        client_metadata={"x": "y"},
    )
    expect(response.get("metadata") == labels, f"metadata {labels}", response.get("metadata"))
    absent = ("instructions", "previous_response_id", "tool_choice", "tools", "top_p", "user")
    nothing: Json = {"include": [], "metadata": {}, "text": {}, **dict.fromkeys(absent)}
    await created(session, **nothing)
    await created(session, tools=[])


@check("responses.no_silent_ignore", level=MUST, cite=["OURS"], needs=RESPONSES)
async def no_silent_ignore(session: Session) -> None:
    """Work in the background, a conversation, and fields that only chat completions have are
    honoured, or refused by name."""
    background = await asked(session, background=True)
    if not _is_refused(background, "background"):
        told = json_object(background).get("background")
        expect(told is True, "background true", told, NO_SILENT_IGNORE)
    conversation = await asked(session, conversation="conv_0")
    if not _is_refused(conversation, "conversation"):
        told = json_object(conversation).get("conversation")
        expect(bool(told), "a conversation", told, NO_SILENT_IGNORE)
    function = {"type": "function", "function": {"name": "get_time", "parameters": {}}}
    meant_for_chat: dict[str, Any] = {
        "max_tokens": 3,
        "response_format": {"type": "json_object"},
        "messages": [user(QUESTION)],
        "tools": [function],
    }
    for field, value in meant_for_chat.items():
        answered = await asked(session, **{field: value})
        expect(_is_refused(answered, field), f"400 for {field}", answered.received.text)


def _is_refused(answered: Exchange, field: str) -> bool:
    if answered.received.status == 200:
        return False
    found = error(answered, 400, 404)
    named = field in f"{found['param']} {found['message']}".lower()
    expect(named, f"an error that names {field}", found, NO_SILENT_IGNORE)
    return True


@check("responses.error_shape", level=MUST, cite=["PEER:openai", "SDK"], needs=RESPONSES)
async def error_shape(session: Session) -> None:
    """An unknown model is a 400 with code model_not_found and param model, wrong fields are a
    400 that names them, in JSON also for a stream."""
    for stream in (False, True):
        found = refused(await asked(session, model=UNKNOWN_MODEL, stream=stream), "model")
        expect(found["code"] == "model_not_found", "code model_not_found", found)
        expect(UNKNOWN_MODEL in found["message"], "the model's name in the message", found)
        refused(await asked(session, 3, stream=stream), "input")
        refused(await asked(session, temperature="hot", stream=stream), "temperature")
        refused(await asked(session, max_output_tokens="many", stream=stream), "max_output_tokens")


TOP = 2


@check("responses.logprobs", level=SHOULD, cite=["SDK"], needs=RESPONSES)
async def logprobs(session: Session) -> None:
    """Log probabilities that `include` asks for spell the text token by token, or a 400 names
    the field."""
    wanted: Json = {"include": ["message.output_text.logprobs"], "top_logprobs": TOP}
    exchange = await asked(session, LONG, max_output_tokens=SMALLEST, **wanted)
    if exchange.received.status == 400:
        refused_at(exchange, *wanted)
        return
    status(exchange, 200)
    (message,) = of_type(json_object(exchange), "message")
    (part,) = message["content"]
    fault = schemas.fault(part.get("logprobs"), schemas.list_of(schemas.TOKEN_LOGPROB))
    expect(fault is None, "logprobs", fault, NO_SILENT_IGNORE)
    judge_logprobs(part["logprobs"], part["text"], TOP)


@check("responses.unsupported_part", level=MUST, cite=["OURS", "PEER:vllm"], needs=RESPONSES)
async def unsupported_part(session: Session) -> None:
    """An image is seen, or refused with a 400 that names the part; it is never dropped."""
    text = {"type": "input_text", "text": "What is this?"}
    image = {"type": "input_image", "image_url": images.noise(), "detail": "auto"}
    messages = [[{"role": "user", "content": parts}] for parts in ([text], [text, image])]
    exchange = await asked(session, messages[1], max_output_tokens=SMALLEST)
    if images.is_refused(exchange):
        return
    status(exchange, 200)
    alone = await created(session, messages[0], max_output_tokens=SMALLEST)
    images.judge_cost(size_of(json_object(exchange)) - size_of(alone))


@check("responses.input_tokens", level=SHOULD, cite=["SDK"], needs=("kept_responses",))
async def input_tokens(session: Session) -> None:
    """POST /responses/input_tokens counts what a response then reads."""
    asking = {"model": session.target.model, "input": QUESTION, "instructions": "Be kind."}
    counted = await session.request("POST", f"{ENDPOINT}/input_tokens", json_body=asking)
    status(counted, 200)
    found = json_object(counted).get("input_tokens")
    read = size_of(await created(session, instructions="Be kind.", max_output_tokens=SMALLEST))
    expect(found == read, f"{read} input_tokens", found)
