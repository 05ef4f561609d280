"""Chat completions as a stream: what every chunk must be, and when it must come."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from conformance.check import MUST, SHOULD, check, invariant
from conformance.eventstream import EventStream
from conformance.expect import json_object, status
from conformance.failure import Failed, expect
from conformance.session import Session, script
from conformance.transcript import Transcript

CONTROL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>")
CALL_MARKUP = ("<tool_call>", "</tool_call>")
"""Text like any other where no tools are offered."""

SDK_LOSES = "send it in the first delta only: the SDKs add deltas together"
SDK_FAILS = "the SDK merges lists in deltas by `index`, and takes usage from the last chunk"

CLOCK = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


# --- of every stream ----------------------------------------------------------------


@invariant("stream.content_type", level=MUST, cite=["SSE", "OR"], of=EventStream)
def content_type(stream: EventStream) -> None:
    """A stream is `text/event-stream` without a content-length."""
    received = stream.exchange.received
    kind = received.header("content-type") or "none"
    expect(kind.startswith("text/event-stream"), "content-type text/event-stream", kind)
    length = received.header("content-length")
    expect(length is None, "no content-length", length)


@invariant("stream.framing", level=MUST, cite=["SSE"], of=EventStream)
def framing(stream: EventStream) -> None:
    """Each event is one `data:` line of UTF-8 and an empty line."""
    problems = stream.reader.problems
    expect(not problems, "clean server-sent events", "; ".join(problems))


@invariant("stream.done_last", level=MUST, cite=["SPEC:31765"], of=Transcript)
def done_last(transcript: Transcript) -> None:
    """A stream that did not fail ends with `data: [DONE]`, which comes once."""
    marks = [event.data == "[DONE]" for event in transcript.reader.events]
    if transcript.error is not None:
        return
    expect(marks.count(True) == 1, "[DONE] once", f"{marks.count(True)} times")
    expect(marks[-1], "[DONE] last", transcript.reader.events[-1].data)


@invariant("stream.chunk_schema", level=MUST, cite=["SPEC:33665"], of=Transcript)
def chunk_schema(transcript: Transcript) -> None:
    """Every chunk has its members, with the right types, and each choice a finish_reason."""
    expect(not transcript.problems, "JSON objects", "; ".join(transcript.problems))
    for chunk in transcript.completions:
        kind = chunk.get("object")
        expect(kind == "chat.completion.chunk", "object chat.completion.chunk", kind)
        expect(isinstance(chunk.get("id"), str), "a string id", chunk)
        expect(type(chunk.get("created")) is int, "an integer created", chunk)
        expect(isinstance(chunk.get("choices"), list), "a list of choices", chunk)
        for choice in chunk["choices"]:
            expect(type(choice.get("index")) is int, "an integer index", choice)
            expect(isinstance(choice.get("delta"), dict), "a delta object", choice)
            expect("finish_reason" in choice, "a finish_reason, null or not", choice)


@invariant("stream.same_identity", level=MUST, cite=["SPEC:33674"], of=Transcript)
def same_identity(transcript: Transcript) -> None:
    """Id, created and model are the same in all chunks of a stream."""
    seen = {(c.get("id"), c.get("created"), c.get("model")) for c in transcript.completions}
    expect(len(seen) <= 1, "one identity", sorted(map(repr, seen)))


@invariant("stream.role_once", level=MUST, cite=["SDK"], of=Transcript)
def role_once(transcript: Transcript) -> None:
    """The role comes in the first delta of a choice and never again."""
    for choice in transcript.choices.values():
        roles = [delta.get("role") for delta in choice.deltas]
        expect(roles[0] == "assistant", "the role first", choice.deltas[0])
        expect(not any(roles[1:]), "the role once", f"{sum(map(bool, roles))} times", SDK_LOSES)


@invariant("stream.finish_once_last", level=MUST, cite=["PEER:vllm"], of=Transcript)
def finish_once_last(transcript: Transcript) -> None:
    """Each choice has one finish_reason, in its last chunk."""
    if transcript.error is not None:
        return
    for index in transcript.choices:
        reasons = [
            choice["finish_reason"]
            for chunk in transcript.completions
            for choice in chunk.get("choices") or []
            if choice.get("index") == index
        ]
        expect(sum(map(bool, reasons)) == 1, "one finish_reason", reasons)
        expect(bool(reasons[-1]), "the finish_reason last", reasons)


@invariant("stream.finish_delta_empty", level=SHOULD, cite=["SPEC:31765"], of=Transcript)
def finish_delta_empty(transcript: Transcript) -> None:
    """The chunk with the finish_reason has an empty delta."""
    for chunk in transcript.completions:
        for choice in chunk.get("choices") or []:
            if choice.get("finish_reason"):
                expect(choice.get("delta") == {}, "delta {}", choice.get("delta"))


@invariant("stream.no_empty_choices", level=MUST, cite=["SDK"], of=Transcript)
def no_empty_choices(transcript: Transcript) -> None:
    """A chunk without choices is the usage chunk, and only if it was asked for."""
    asked = bool((transcript.request.get("stream_options") or {}).get("include_usage"))
    for chunk in transcript.completions:
        if not chunk.get("choices"):
            expect(asked and bool(chunk.get("usage")), "choices in every other chunk", chunk)


@invariant("stream.usage_once", level=MUST, cite=["FW:pydantic-ai", "SPEC:31765"], of=Transcript)
def usage_once(transcript: Transcript) -> None:
    """Usage comes in one chunk at most: clients that add chunks would count it twice."""
    count = sum(bool(chunk.get("usage")) for chunk in transcript.completions)
    expect(count <= 1, "usage once", f"{count} times")


@invariant("stream.usage_null_elsewhere", level=SHOULD, cite=["SPEC:31765"], of=Transcript)
def usage_null_elsewhere(transcript: Transcript) -> None:
    """With include_usage the other chunks carry `usage: null`, without it none has the key."""
    asked = bool((transcript.request.get("stream_options") or {}).get("include_usage"))
    for chunk in transcript.completions:
        expect(("usage" in chunk) == asked, f"usage key {'present' if asked else 'absent'}", chunk)


@invariant("stream.no_empty_delta", level=SHOULD, cite=["PEER:llama.cpp"], of=Transcript)
def no_empty_delta(transcript: Transcript) -> None:
    """After the first delta no chunk has an empty content."""
    for choice in transcript.choices.values():
        empty = [d for d in choice.deltas[1:] if d.get("content") == ""]
        expect(not empty, "no empty content", f"{len(empty)} deltas")


@invariant("stream.no_template_leak", level=MUST, cite=["OURS", "PEER:Rapid-MLX"], of=Transcript)
def no_template_leak(transcript: Transcript) -> None:
    """No control token of a chat template, and where tools are offered no markup of a call,
    reaches the text of a stream."""
    request = transcript.request
    offered = bool(request.get("tools")) and request.get("tool_choice") != "none"
    for choice in transcript.choices.values():
        _none_of(CONTROL + (CALL_MARKUP if offered else ()), choice.content + choice.reasoning)


@invariant("stream.utf8_whole", level=MUST, cite=["OURS"], of=Transcript)
def utf8_whole(transcript: Transcript) -> None:
    """No delta holds a replacement character: characters are never cut."""
    for choice in transcript.choices.values():
        expect("\ufffd" not in choice.content, "whole characters", choice.content)


def _none_of(tokens: tuple[str, ...], text: str) -> None:
    found = [token for token in tokens if token in text]
    expect(not found, "no control token", f"{found} in {text!r}", "detokenize without specials")


# --- asked for ----------------------------------------------------------------------


@check("chat.no_template_leak", level=MUST, cite=["OURS", "PEER:Rapid-MLX"])
async def no_template_leak_in_answers(session: Session) -> None:
    """No control token of a chat template reaches the text of an answer."""
    message = (await session.answer(max_tokens=512))["choices"][0]["message"]
    _none_of(CONTROL, (message.get("content") or "") + (message.get("reasoning_content") or ""))


@check("stream.usage_final", level=MUST, cite=["SPEC:31765", "FW:strands"])
async def usage_final(session: Session) -> None:
    """With include_usage the usage chunk, without choices, is the last before [DONE]."""
    transcript = await session.stream(stream_options={"include_usage": True})
    last = transcript.data[-1]
    expect(last.get("choices") == [] and bool(last.get("usage")), "a usage chunk last", last)


@check("stream.options_tolerant", level=MUST, cite=["SPEC", "PEER:mlx_lm"])
async def options_tolerant(session: Session) -> None:
    """A stream with `stream_options` of null, {} or include_obfuscation comes to its end."""
    for options in (None, {}, {"include_obfuscation": False}):
        transcript = await session.stream(stream_options=options)
        ends = [event.data for event in transcript.reader.events[-1:]]
        hint = "every member of stream_options is optional"
        expect(ends == ["[DONE]"], f"a whole stream with {options}", ends, hint)


@check("stream.false_is_json", level=MUST, cite=["SDK"])
async def false_is_json(session: Session) -> None:
    """`stream` of false, null or absent gives one JSON object."""
    for value in (False, None, ...):
        exchange = await session.chat(stream=value)
        status(exchange, 200)
        json_object(exchange)


@check("stream.error_before_headers", level=MUST, cite=["SDK"])
async def error_before_headers(session: Session) -> None:
    """A request that is wrong is a 400 in JSON, also when it asks for a stream."""
    wrong: tuple[dict[str, Any], ...] = ({"temperature": "hot"}, {"messages": "hello"})
    for fields in wrong:
        exchange = await session.chat(stream=True, **fields)
        status(exchange, 400)
        json_object(exchange)


@check("stream.sdk_helper", level=MUST, cite=["SDK"])
async def sdk_helper(session: Session) -> None:
    """The OpenAI SDK adds a stream up to the answer that an assembly by hand gives."""
    offers: list[dict[str, Any]] = [{}]
    if "tool_calls" in session.target.capabilities:
        offers.append({"tools": [CLOCK]})
    for offer in offers:
        transcript = await session.stream(stream_options={"include_usage": True}, **offer)
        ours, theirs = _by_hand(transcript), _by_sdk(transcript)
        expect(theirs == ours, f"{ours}", theirs, SDK_FAILS)


def _by_hand(transcript: Transcript) -> dict[str, Any]:
    choice = transcript.choice
    return {
        "content": choice.content,
        "finish_reason": choice.finish_reasons[-1] if choice.finish_reasons else None,
        "calls": [choice.calls[index] for index in sorted(choice.calls)],
        "usage": transcript.usage,
    }


def _by_sdk(transcript: Transcript) -> dict[str, Any]:
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    try:
        with warnings.catch_warnings(action="ignore"):  # pydantic's, of members of other types
            for chunk in transcript.completions:
                state.handle_chunk(ChatCompletionChunk.construct(**chunk))
            snapshot: Any = state.current_completion_snapshot.to_dict()
    except Exception as error:
        stumble = f"{type(error).__name__}: {error}"
        raise Failed("a stream that the SDK can add up", stumble, SDK_FAILS) from None
    choice = snapshot["choices"][0]
    calls = choice["message"].get("tool_calls") or []
    return {
        "content": choice["message"].get("content") or "",
        "finish_reason": choice["finish_reason"],
        "calls": [
            {
                "id": call["id"],
                "name": call["function"]["name"],
                "arguments": call["function"]["arguments"],
            }
            for call in calls
        ],
        "usage": snapshot.get("usage"),
    }


@check("stream.incremental", level=MUST, cite=["OURS"], scripted=True)
async def incremental(session: Session) -> None:
    """Tokens come as they are made: 20 of them at 50 a second arrive in 15 reads or more."""
    words = " ".join(f"w{i}" for i in range(20))
    apart, late = 0, 0.0
    for _ in range(3):  # a busy machine holds one of them up, not all
        transcript = await session.stream(script(words, rate=50), fresh=True)
        times = transcript.payload_times()
        apart = sum(b - a > 0.005 for a, b in itertools.pairwise(times))
        late = max((at - times[0] - i / 50 for i, at in enumerate(times)), default=0)
        if apart >= 14 and late < 0.1:
            return
    expect(apart >= 14, "at least 15 separate reads", f"{apart + 1}")
    expect(late < 0.1, "no token over 100 ms late", f"{1000 * late:.0f} ms")


@check("stream.equals_nonstream", level=MUST, cite=["PEER:vllm"], scripted=True)
async def equals_nonstream(session: Session) -> None:
    """Text, finish_reason and usage of a stream are those of the whole answer."""
    prompt = script("<think>why</think>One, two <|im_end|>three.")
    whole = await session.answer(prompt)
    stream = await session.stream(prompt, stream_options={"include_usage": True})
    message = whole["choices"][0]["message"]
    expect(stream.choice.content == message["content"], message["content"], stream.choice.content)
    expect(
        stream.choice.finish_reasons == [whole["choices"][0]["finish_reason"]],
        "the same finish_reason",
        stream.choice.finish_reasons,
    )
    expect(stream.usage == whole["usage"], f"usage {whole['usage']}", stream.usage)


@check("stream.utf8_boundary", level=MUST, cite=["OURS"])
async def utf8_boundary(session: Session) -> None:
    """Emoji, CJK and right-to-left text stream without a broken character."""
    text = "Repeat: 👩‍👩‍👧 日本語 שלום"
    transcript = await session.stream(text)
    expect("\ufffd" not in transcript.choice.content, "whole characters", transcript.choice.content)


@check("stream.stop_hold_back", level=MUST, cite=["SPEC:63253"], scripted=True)
async def stop_hold_back(session: Session) -> None:
    """A stop string over three tokens is never partly sent; a near miss is sent in full."""
    hit = await session.stream(script(pieces=["a ST", "OP", "NOW b"]), stop=["STOPNOW"])
    expect(hit.choice.content == "a ", "'a '", hit.choice.content)
    miss = await session.stream(script(pieces=["a ST", "OP", "NEVER b"]), stop=["STOPNOW"])
    expect(miss.choice.content == "a STOPNEVER b", "'a STOPNEVER b'", miss.choice.content)


@check("stream.marker_hold_back", level=MUST, cite=["OURS"], scripted=True)
async def marker_hold_back(session: Session) -> None:
    """A `<think>` marker cut anywhere never shows, and text keeps its side."""
    raw = "<think>why</think>because"
    for cut in range(1, len(raw)):
        stream = await session.stream(script(pieces=[raw[:cut], raw[cut:]]))
        got = (stream.choice.reasoning, stream.choice.content)
        expect(got == ("why", "because"), "('why', 'because')", f"{got} when cut at {cut}")


@check("stream.tail_kept", level=MUST, cite=["PEER:mlx_lm"], scripted=True)
async def tail_kept(session: Session) -> None:
    """An answer that ends like the beginning of a marker keeps its last characters."""
    for text in ("is 3 <", "see <thin", "a STO"):
        stream = await session.stream(script(pieces=list(text)), stop=["STOP"])
        expect(stream.choice.content == text, text, stream.choice.content)


@check("stream.error_mid", level=MUST, cite=["SDK"], scripted=True)
async def error_mid(session: Session) -> None:
    """A fault after some tokens is one error event with OpenAI's envelope, and the end."""
    fault = {"kind": "error", "after": 2}
    stream = await session.stream(script("one two three", mishap=fault), fresh=True)
    expect(stream.error is not None, "an error event", stream.data[-1])
    assert stream.error is not None
    expect(bool(stream.error.get("message")), "a message", stream.error)
    expect("error" in stream.data[-1], "the error last", stream.data[-1])
    expect(stream.reader.events[-1].data != "[DONE]", "no [DONE] after an error", "[DONE]")


@check("stream.heartbeat", level=SHOULD, cite=["FW:langchain"], scripted=True, timeout=90)
async def heartbeat(session: Session) -> None:
    """In a prefill of 17 seconds a chunk comes before its end: clients count the silence."""
    stream = await session.stream(script("done", prefill_ms=17_000), fresh=True)
    first = stream.chunks[0][0]
    expect(first < 16.9, "a chunk while the prefill lasts", f"the first after {first:.1f} s")
    if stream.choice.content != "done":
        raise Failed("the answer after the wait", stream.choice.content)
