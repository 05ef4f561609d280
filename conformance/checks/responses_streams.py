"""Streams of the Responses API that are asked for: when they come, and how they fail."""

from __future__ import annotations

import itertools

from openai.types.responses import Response

from conformance import metrics
from conformance.check import MUST, SHOULD, check
from conformance.checks.cancellation import NOT_CANCELLED, SOON, WORDS, endless, unread
from conformance.checks.responses import (
    ENDPOINT,
    RESPONSES,
    asked,
    body,
    created,
    of_type,
    sdk,
    sdk_copes,
    streamed,
    text_of,
)
from conformance.expect import error
from conformance.failure import Failed, expect
from conformance.session import Json, Session, script


@check("responses.sdk_stream", level=MUST, cite=["SDK"], needs=RESPONSES)
async def sdk_stream(session: Session) -> None:
    """The SDK's `responses.stream()` takes every event, and its text is that of the response."""
    async with sdk(session) as client:
        with sdk_copes("a stream"):
            manager = client.responses.stream(**body(session, "Say hello to Eve."))
            async with manager as stream:
                deltas = [e.delta async for e in stream if e.type == "response.output_text.delta"]
                final: Response = await stream.get_final_response()
    expect(bool(final.output_text), "text in .output_text", final.output_text)
    expect("".join(deltas) == final.output_text, repr(final.output_text), "".join(deltas))


THOUGHT = "<think>Who is it?</think>"


@check("responses.equals_nonstream", level=MUST, cite=["PEER:vllm"], scripted=True, needs=RESPONSES)
async def equals_nonstream(session: Session) -> None:
    """A stream ends with the response that would have come without one."""
    prompt = script(f"{THOUGHT}One, two <|im_end|>three.")
    whole, ended = await created(session, prompt), (await streamed(session, prompt)).response
    expect(_timeless(ended) == _timeless(whole), f"{_timeless(whole)}", _timeless(ended))


def _timeless(response: Json) -> Json:
    """Without what every response has of its own."""
    kept = {k: v for k, v in response.items() if k not in ("id", "created_at", "completed_at")}
    kept["output"] = [{k: v for k, v in item.items() if k != "id"} for item in response["output"]]
    return kept


@check("responses.incremental", level=MUST, cite=["OURS"], scripted=True, needs=RESPONSES)
async def incremental(session: Session) -> None:
    """Text comes as it is made: of 20 words at 50 a second at least 8 arrive by themselves."""
    prompt = script(" ".join(f"w{number}" for number in range(20)), rate=50)
    apart = 0
    for _ in range(3):  # a busy machine holds one of them up, not all
        times = (await streamed(session, prompt, fresh=True)).delta_times()
        apart = sum(later - one > 0.005 for one, later in itertools.pairwise(times))
        if apart >= 8:
            return
    raise Failed("8 deltas apart from the one before", f"{apart}", "flush after every event")


@check("responses.failed", level=MUST, cite=["OR", "SPEC:58204"], scripted=True, needs=RESPONSES)
async def failed(session: Session) -> None:
    """A fault in the stream is an error event, then `response.failed` with an error code; a
    fault without a stream is a 500."""
    faulty = script("one two three", mishap={"kind": "error", "after": 2})
    stream = await streamed(session, faulty, fresh=True)
    expect(bool((stream.error or {}).get("message")), "an error event with a message", stream.kinds)
    expect(stream.kinds[-1] == "failed", "response.failed last", stream.data[-1])
    told = stream.response.get("error") or {}
    complete = all(isinstance(told.get(name), str) and told[name] for name in ("code", "message"))
    expect(complete, "error.code and error.message of the response", stream.response)
    error(await asked(session, faulty, fresh=True), 500)


@check(
    "responses.reasoning_item", level=SHOULD, cite=["SPEC:57204"], scripted=True, needs=RESPONSES
)
async def reasoning_item(session: Session) -> None:
    """A thought is an item before its message, without markers, and is taken back as input."""
    prompt = script(f"{THOUGHT}It is Ada.")
    whole, stream = await created(session, prompt), await streamed(session, prompt)
    for response in (whole, stream.response):
        kinds = [item["type"] for item in response["output"]]
        expect(kinds == ["reasoning", "message"], "a reasoning item, then a message", kinds)
        expect(text_of(response) == "It is Ada.", "'It is Ada.'", text_of(response))
    told = (stream.reasoning, stream.text)
    expect(told == ("Who is it?", "It is Ada."), "the thought and the text in deltas", told)
    (thought,) = of_type(whole, "reasoning")
    for form in ({}, {"status": "in_progress"}, {"encrypted_content": None}):
        question = {"role": "user", "content": "Who?"}
        again = [question, {**thought, **form}, *of_type(whole, "message"), question]
        await created(session, again)


@check(
    "responses.heartbeat",
    level=SHOULD,
    cite=["FW:langchain"],
    scripted=True,
    needs=RESPONSES,
    timeout=90,
)
async def heartbeat(session: Session) -> None:
    """In a prefill of 17 seconds an event repeats that the response is in progress."""
    stream = await streamed(session, script("done", prefill_ms=17_000), fresh=True)
    first = next(at for at, event in stream.chunks if "item" in event)
    early = [event["type"] for at, event in stream.chunks[2:] if at < first]
    expect(bool(early), "an event while the prompt is read", stream.kinds[:3])
    expect(stream.text == "done", "the answer after the wait", stream.text)


@check(
    "responses.cancelled",
    level=MUST,
    cite=["OURS"],
    scripted=True,
    needs=("responses", "metrics"),
)
async def cancelled(session: Session) -> None:
    """When a client leaves, with or without a stream, its sequence is gone within a second."""
    for stream in (True, False):
        await metrics.idle(session, 10)
        asking = body(session, endless("leaving"), stream=stream, max_output_tokens=WORDS)
        async with unread(session.sent("POST", ENDPOINT, json_body=asking)):
            await metrics.busy(session)
        await metrics.idle(session, SOON, NOT_CANCELLED)
        await metrics.still(session)
