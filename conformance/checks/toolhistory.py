"""Tools: what the history may look like once calls have been made."""

from __future__ import annotations

import itertools
from typing import Any

from conformance.check import MUST, SHOULD, check
from conformance.checks.tools import ASK, PATIENCE, TOOLS, asked, choice
from conformance.expect import error
from conformance.failure import expect
from conformance.session import Json, Session, user


def history(*ids: str, **assistant: Any) -> list[Json]:
    """A question, and the assistant's calls with these ids. ``assistant`` replaces fields of the
    message; ``...`` leaves one out."""
    function = {"name": "get_weather", "arguments": '{"city": "Paris", "days": 1}'}
    calls = [{"id": id, "type": "function", "function": function} for id in ids]
    message = {"role": "assistant", "content": None, "tool_calls": calls, **assistant}
    return [user(ASK), {k: v for k, v in message.items() if v is not ...}]


def result(id: str, content: Any = "17 degrees and sunny") -> Json:
    return {"role": "tool", "tool_call_id": id, "content": content}


async def told(session: Session, messages: list[Json], max_tokens: int = 1) -> Json:
    """The answer in prose after the results of calls."""
    return await asked(session, messages, tool_choice="none", max_tokens=max_tokens)


LONG = "17 degrees and sunny, with light winds from the north-west. " * 5


async def _heard(session: Session, content: Any) -> None:
    """Does the prompt grow with a tool's result?"""
    short = await told(session, [*history("call_1"), result("call_1", "17")])
    long = await told(session, [*history("call_1"), result("call_1", content)])
    sizes = [answer["usage"]["prompt_tokens"] for answer in (short, long)]
    hint = "the result of a tool must reach the prompt"
    expect(sizes[1] > sizes[0] + 20, "more prompt_tokens for a longer result", sizes, hint)


@check("tools.round_trip", level=MUST, cite=["PEER:vllm"], timeout=PATIENCE)
async def round_trip(session: Session) -> None:
    """After a call and its result the answer is text that knows the result."""
    answer = await told(session, [*history("call_1"), result("call_1")], max_tokens=128)
    text, reason = choice(answer)["message"].get("content"), choice(answer)["finish_reason"]
    expect(reason in ("stop", "length"), "finish_reason stop (or length)", reason)
    # A model that thinks may not have come to its answer yet.
    expect(bool(text) or reason == "length", "an answer in text", choice(answer))
    if "scripted" in session.target.capabilities:
        expect("17 degrees" in (text or ""), "the result in the answer", text)
    await _heard(session, LONG)


@check("tools.round_trip_order", level=SHOULD, cite=["OURS"])
async def round_trip_order(session: Session) -> None:
    """Results may come in another order than their calls."""
    for order in itertools.permutations(["call_1", "call_2"]):
        await told(session, [*history("call_1", "call_2"), *map(result, order)])


@check("tools.history_forms", level=MUST, cite=["SPEC:31555", "PEER:vllm"])
async def history_forms(session: Session) -> None:
    """In the history, content beside calls may be null, absent or "", a result may be text
    parts, and arguments may be ""."""
    for content in (None, ..., ""):
        await told(session, [*history("call_1", content=content), result("call_1")])
    await _heard(session, [{"type": "text", "text": LONG}])
    bare = {"id": "call_1", "type": "function", "function": {"name": "get_time", "arguments": ""}}
    await told(session, [*history(tool_calls=[bare]), result("call_1", "noon")])


@check("tools.orphan_result", level=SHOULD, cite=["OURS", "PEER:Rapid-MLX"])
async def orphan_result(session: Session) -> None:
    """The result of a call that is not in the history is refused."""
    for before in ([user(ASK)], history("call_1")):
        exchange = await session.chat([*before, result("call_9")], tools=TOOLS, max_tokens=1)
        error(exchange, 400)
    await told(session, [*history("call_9"), result("call_9")])
