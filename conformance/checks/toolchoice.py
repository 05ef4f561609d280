"""Tools: which of them may be called, and which must be."""

from __future__ import annotations

from typing import Any

from conformance.check import MUST, SHOULD, check
from conformance.checks.tools import (
    ASK,
    PATIENCE,
    ROOM,
    STOCK,
    TOOLS,
    WEATHER,
    asked,
    called,
    calls_of,
    choice,
    name_of,
    two_calls,
    valid,
)
from conformance.client import Exchange
from conformance.expect import json_object, refused
from conformance.failure import expect
from conformance.session import Json, Session


def refused_at(exchange: Exchange, *fields: str) -> None:
    """A 400 whose param is one of the fields, or lies inside it."""
    param = str(refused(exchange)["param"])
    named = any(param == f or param.startswith((f"{f}.", f"{f}[")) for f in fields)
    expect(named, f"error.param {' or '.join(fields)}", param, "name the field that is wrong")


@check(
    "tools.choice_none", level=MUST, cite=["SPEC:31938"], needs=("tool_calls",), timeout=PATIENCE
)
async def choice_none(session: Session) -> None:
    """With tool_choice "none" no tool is called, however well one fits."""
    answer = await asked(session, tool_choice="none")
    stream = await session.stream(ASK, tools=TOOLS, max_tokens=ROOM, tool_choice="none")
    for made in (calls_of(answer), stream.choice.calls):
        expect(not made, "no tool call", made)


@check(
    "tools.choice_required",
    level=MUST,
    cite=["SPEC:31938", "FW:pydantic-ai"],
    needs=("forced_tools",),
    timeout=PATIENCE,
)
async def choice_required(session: Session) -> None:
    """With tool_choice "required" a tool is called, even where none fits."""
    for call in await _forced(session, "required"):
        expect(valid(call, TOOLS), "a call of an offered tool that validates", call)


@check(
    "tools.choice_named", level=MUST, cite=["SPEC:31170"], needs=("forced_tools",), timeout=PATIENCE
)
async def choice_named(session: Session) -> None:
    """A function that tool_choice names is called, and no other, even where another fits."""
    named = {"type": "function", "function": {"name": "get_stock_price"}}
    for call in await _forced(session, named):
        name = call["function"]["name"]
        expect(name == "get_stock_price", "a call of get_stock_price", name)
        expect(valid(call, [STOCK]), "arguments that validate", call)


async def _forced(session: Session, wanted: Any) -> list[Json]:
    """The calls of a choice that forces one, of a whole answer and of a stream."""
    greeting = "Say hello to Ada." if wanted == "required" else ASK
    made = await called(session, greeting, tool_choice=wanted)
    stream = await session.stream(greeting, tools=TOOLS, max_tokens=ROOM, tool_choice=wanted)
    expect(bool(stream.choice.calls), "a tool call in the stream", stream.choice.content)
    return made + [{"function": call} for call in stream.choice.calls.values()]


@check("tools.choice_invalid", level=MUST, cite=["PEER:vllm"])
async def choice_invalid(session: Session) -> None:
    """A tool_choice that names no offered tool, is empty, or requires a call without tools is
    refused."""
    unknown = {"type": "function", "function": {"name": "launch_rocket"}}
    wrong: list[tuple[Any, Any]] = [(unknown, TOOLS), ({}, TOOLS), ("required", ...)]
    for wanted, offered in wrong:
        refused_at(await session.chat(ASK, tools=offered, tool_choice=wanted), "tool_choice")


@check(
    "tools.choice_allowed",
    level=SHOULD,
    cite=["SPEC:30750", "OR"],
    needs=("tool_calls",),
    timeout=PATIENCE,
)
async def choice_allowed(session: Session) -> None:
    """Only the tools in allowed_tools are called, or the choice is refused."""
    for mode in ("auto", "required"):
        subset = {
            "mode": mode,
            "tools": [{"type": "function", "function": {"name": name_of(STOCK)}}],
        }
        wanted = {"type": "allowed_tools", "allowed_tools": subset}
        exchange = await session.chat(ASK, tools=TOOLS, max_tokens=ROOM, tool_choice=wanted)
        if exchange.received.status != 200:
            refused_at(exchange, "tool_choice", "allowed_tools")
            continue
        names = [call["function"]["name"] for call in calls_of(json_object(exchange))]
        expect(set(names) <= {name_of(STOCK)}, f"calls of {name_of(STOCK)} only", names)
        expect(bool(names) or mode == "auto", "a call, since one is required", names)


@check("tools.empty_list", level=SHOULD, cite=["OURS"])
async def empty_list(session: Session) -> None:
    """`tools` of [] and of null are the same as none."""
    for answer in (await session.answer(tools=[]), await session.answer(tools=None)):
        expect(not calls_of(answer), "an answer without calls", choice(answer))


@check(
    "tools.parallel_false", level=MUST, cite=["SPEC:45358"], needs=("tool_calls",), timeout=PATIENCE
)
async def parallel_false(session: Session) -> None:
    """With parallel_tool_calls false an answer has one call at most."""
    prompt = two_calls(session)
    made = await called(session, prompt, parallel_tool_calls=False)
    expect(len(made) == 1, "one call", made)
    stream = await session.stream(prompt, tools=TOOLS, max_tokens=ROOM, parallel_tool_calls=False)
    expect(len(stream.choice.calls) == 1, "one call in the stream", stream.choice.calls)


@check("tools.unsupported_type", level=MUST, cite=["OURS"])
async def unsupported_type(session: Session) -> None:
    """A tool that is no function is refused, not dropped; custom tools may also be called."""
    refused_at(await session.chat(ASK, tools=[{"type": "web_search"}]), "tools[0]", "tools.0")
    custom = {"type": "custom", "custom": {"name": "run_code", "description": "Runs code."}}
    exchange = await session.chat("Call run_code with: 1+1", tools=[custom], max_tokens=ROOM)
    if exchange.received.status != 200:
        return refused_at(exchange, "tools[0]", "tools.0")
    made = calls_of(json_object(exchange))
    expect(
        bool(made) and all(c.get("type") == "custom" for c in made), "a custom call or a 400", made
    )


@check("tools.deprecated_functions", level=SHOULD, cite=["SPEC:33105"])
async def deprecated_functions(session: Session) -> None:
    """`functions` with `function_call`, the older form, works or is refused; it is not ignored."""
    older: Json = {"functions": [WEATHER["function"]], "function_call": {"name": "get_weather"}}
    exchange = await session.chat(ASK, max_tokens=ROOM, **older)
    if exchange.received.status != 200:
        return refused_at(exchange, "functions", "function_call")
    message = choice(json_object(exchange))["message"]
    made = message.get("function_call")
    expect(bool(made) and made.get("name") == "get_weather", "a function_call or a 400", message)
