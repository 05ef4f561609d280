"""Tools: how calls arrive in a stream, and what a model may write in their place."""

from __future__ import annotations

import json
from typing import Any

from conformance import calldeltas
from conformance.check import MUST, SHOULD, check
from conformance.checks.tools import (
    ASK,
    ROOM,
    TOOLS,
    arguments,
    asked,
    called,
    calls_of,
    choice,
    played,
    tool,
    two_calls,
)
from conformance.expect import status
from conformance.failure import expect
from conformance.session import Session, script
from conformance.transcript import Transcript

NOTE = tool("save_note", "Saves a note.", properties={"text": {"type": "string"}})
TRIP = tool(
    "plan_trip",
    "Plans a trip.",
    properties={
        "stops": {"type": "array", "items": {"type": "string"}},
        "nights": {"type": "integer"},
    },
)
OPTIONS = tool(
    "set_options",
    "Sets options.",
    properties={
        "count": {"type": "integer"},
        "ratio": {"type": "number"},
        "loud": {"type": "boolean"},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "label": {"type": "string"},
    },
)


async def streamed(session: Session, prompt: str = ASK, **fields: Any) -> Transcript:
    """A stream that has a call. Raises Failed when it has none."""
    stream = await session.stream(prompt, **{"tools": TOOLS, "max_tokens": ROOM, **fields})
    expect(bool(stream.choice.calls), "a tool call in the stream", stream.choice.content)
    return stream


# --- a call in a stream ---------------------------------------------------------------


@check(
    "tools.stream_first_delta",
    level=MUST,
    cite=["FW:langchain", "FW:strands"],
    needs=("tool_calls",),
)
async def stream_first_delta(session: Session) -> None:
    """The first delta of a call has its index, id, type and name, and a string of arguments."""
    calldeltas.heads_whole((await streamed(session, two_calls(session))).choice)


@check("tools.stream_once", level=MUST, cite=["SDK", "FW:langchain"], needs=("tool_calls",))
async def stream_once(session: Session) -> None:
    """Id, type and name come in the first delta of a call and never again."""
    calldeltas.heads_once((await streamed(session, two_calls(session))).choice)


@check("tools.stream_index", level=MUST, cite=["SDK"], needs=("tool_calls",))
async def stream_index(session: Session) -> None:
    """The calls of a stream have the indices 0, 1 and so on, without a gap."""
    calldeltas.indices_whole((await streamed(session, two_calls(session))).choice)


@check("tools.stream_sequential", level=SHOULD, cite=["OURS"], needs=("tool_calls",))
async def stream_sequential(session: Session) -> None:
    """A call is complete before the next one begins."""
    calldeltas.one_by_one((await streamed(session, two_calls(session))).choice)


@check("tools.stream_equals", level=MUST, cite=["PEER:vllm"], scripted=True)
async def stream_equals(session: Session) -> None:
    """A stream's calls, put together, are those of the whole answer."""
    prompt = script(played("plan_trip", stops=["Oslo", "Rome"], nights=3))
    (whole,) = await called(session, prompt, tools=[TRIP])
    stream = await streamed(session, prompt, tools=[TRIP])
    (made,) = stream.choice.calls.values()
    expect(made["name"] == whole["function"]["name"], whole["function"]["name"], made["name"])
    wanted, found = arguments(whole), arguments({"function": made})
    expect(wanted == {"stops": ["Oslo", "Rome"], "nights": 3}, "the model's arguments", wanted)
    expect(found == wanted, f"arguments {wanted}", found)


@check("tools.stream_args_incremental", level=SHOULD, cite=["FW:openai-agents"], scripted=True)
async def stream_args_incremental(session: Session) -> None:
    """Arguments of 400 characters arrive in five deltas or more."""
    text = " ".join(f"word{number}" for number in range(60))[:400]
    stream = await streamed(session, script(played("save_note", text=text)), tools=[NOTE])
    filled = [
        p for p in calldeltas.parts_of(stream.choice) if (p.get("function") or {}).get("arguments")
    ]
    hint = "people watch the arguments of a tool being written"
    expect(len(filled) >= 5, "at least 5 deltas with arguments", len(filled), hint)


# --- what the model writes ------------------------------------------------------------


@check("tools.none_offered", level=MUST, cite=["OURS"], scripted=True)
async def none_offered(session: Session) -> None:
    """Where no tools are offered, text that looks like a call stays text."""
    prompt = script(played("get_weather", city="Rome"))
    answer = await session.answer(prompt)
    stream = await session.stream(prompt)
    content = choice(answer)["message"].get("content") or ""
    for made, text in ((calls_of(answer), content), (stream.choice.calls, stream.choice.content)):
        expect(not made, "no tool call", made)
        expect("get_weather" in text, "the text of the call", text)


@check("tools.parallel_two", level=MUST, cite=["PEER:vllm"], scripted=True)
async def parallel_two(session: Session) -> None:
    """Two calls of a model are two entries, in their order, with an id each."""
    prompt = two_calls(session)
    stream = (await streamed(session, prompt)).choice.calls
    parts = [{"id": call["id"], "function": call} for _, call in sorted(stream.items())]
    for made in (await called(session, prompt), parts):
        cities = [arguments(call).get("city") for call in made]
        expect(cities == ["Paris", "Rome"], "calls for Paris and Rome", cities)
        expect(made[0].get("id") != made[1].get("id"), "two ids", made)


@check("tools.scalar_types", level=MUST, cite=["PEER:mlx_lm"], scripted=True)
async def scalar_types(session: Session) -> None:
    """Numbers, booleans and null have their JSON type, also where the model wrote them as
    strings, as it does in XML-style formats."""
    meant = {"count": 5, "ratio": 0.5, "loud": True, "limit": None, "label": "7"}
    written = {"count": "5", "ratio": "0.5", "loud": "true", "limit": "null", "label": "7"}
    for form in (meant, written):
        (call,) = await called(session, script(played("set_options", **form)), tools=[OPTIONS])
        found = arguments(call)
        # Compared as JSON, because Python takes True for 1.
        expect(json.dumps(found) == json.dumps(meant), json.dumps(meant), json.dumps(found))


@check("tools.string_fidelity", level=MUST, cite=["OURS"], scripted=True)
async def string_fidelity(session: Session) -> None:
    """Line breaks, quotes, backslashes and markers inside a string argument survive."""
    text = 'one\n\ttwo "three" \\four\\n <think>five</think> </tool_call> {"six": [7]} sept 🧭'
    raw = played("save_note", text=text)
    (whole,) = await called(session, script(raw), tools=[NOTE])
    stream = await streamed(session, script(pieces=list(raw)), tools=[NOTE])
    (made,) = stream.choice.calls.values()
    for found in (arguments(whole), arguments({"function": made})):
        expect(found == {"text": text}, repr(text), found.get("text"))


@check("tools.truncated", level=MUST, cite=["OURS"], scripted=True)
async def truncated(session: Session) -> None:
    """A call that max_tokens cuts is not returned, and the finish_reason is "length"."""
    prompt = script(played("get_weather", city="a long way to Tipperary", days=1))
    answer = await asked(session, prompt, max_tokens=5)
    expect(not calls_of(answer), "no half call", calls_of(answer))
    expect(choice(answer)["finish_reason"] == "length", "finish_reason length", choice(answer))
    stream = await session.stream(prompt, tools=TOOLS, max_tokens=5)
    expect(not stream.choice.calls, "no half call in the stream", stream.choice.calls)
    reasons = stream.choice.finish_reasons
    expect(reasons == ["length"], "finish_reason length", reasons)


@check("tools.malformed", level=MUST, cite=["OURS"], scripted=True)
async def malformed(session: Session) -> None:
    """What cannot be read as a call, or does not fit its schema, is answered as text, or mended;
    it is no error and not lost."""
    for inner in ("get_weather in Tromsø", '{"name": "get_weather", "arguments": {"city": "Tromsø'):
        prompt = script(f"<tool_call>\n{inner}\n</tool_call>")
        exchange = await session.chat(prompt, tools=TOOLS, max_tokens=ROOM)
        status(exchange, 200)
        message = choice(exchange.received.json())["message"]
        for call in message.get("tool_calls") or []:
            arguments(call)
        kept = (message.get("content") or "") + json.dumps(
            message.get("tool_calls"), ensure_ascii=False
        )
        expect("Tromsø" in kept, "the model's text, or a call made of it", message)


@check("tools.text_then_call", level=MUST, cite=["OURS"], scripted=True)
async def text_then_call(session: Session) -> None:
    """Prose before a call is kept, and streams before the call."""
    prompt = script("Let me look. " + played("get_weather", city="Rome", days=1))
    answer = await asked(session, prompt)
    content = choice(answer)["message"].get("content") or ""
    expect(content.strip() == "Let me look.", "'Let me look.'", content)
    stream = await streamed(session, prompt)
    text = stream.choice.content
    expect(text.strip() == "Let me look.", "'Let me look.' in the stream", text)
    kinds = [
        "call" if delta.get("tool_calls") else "text"
        for delta in stream.choice.deltas
        if delta.get("tool_calls") or delta.get("content")
    ]
    expect(kinds == sorted(kinds, reverse=True), "all text before the call", kinds)
