"""The Responses API: calls of functions, and tools that are none."""

from __future__ import annotations

import json
from typing import Any

from conformance.check import MUST, SHOULD, check
from conformance.checks import tools
from conformance.checks.responses import (
    NO_SILENT_IGNORE,
    PATIENCE,
    RESPONSES,
    SMALLEST,
    asked,
    created,
    of_type,
    size_of,
    streamed,
    text_of,
)
from conformance.checks.toolhistory import LONG
from conformance.checks.tools import ASK, ROOM, arguments, played, valid
from conformance.expect import error, refused
from conformance.failure import expect
from conformance.responsestream import ResponseStream
from conformance.session import Json, Session, script, user


def flat(tool: Json) -> Json:
    """A function as this API describes it."""
    return {"type": "function", **tool["function"]}


WEATHER, STOCK = flat(tools.WEATHER), flat(tools.STOCK)
OFFERED = [WEATHER, STOCK]


def fits(call: Json) -> bool:
    """Do the arguments validate against the schema of the tool that is called?"""
    return valid({"function": call}, tools.TOOLS)


def calls_of(response: Json) -> list[Json]:
    return of_type(response, "function_call")


async def called(session: Session, prompt: str = ASK, **fields: Any) -> list[Json]:
    """The calls of a response. Raises Failed when there are none."""
    response = await created(session, prompt, **_offering(fields))
    expect(bool(calls_of(response)), "a function call", response["output"])
    return calls_of(response)


async def called_in_stream(session: Session, prompt: str = ASK, **fields: Any) -> ResponseStream:
    stream = await streamed(session, prompt, **_offering(fields))
    expect(bool(stream.calls), "a function call in the stream", stream.kinds)
    return stream


def _offering(fields: Json) -> Json:
    return {"tools": OFFERED, "max_output_tokens": ROOM, **fields}


# --- calls --------------------------------------------------------------------------


@check(
    "responses.function_call",
    level=MUST,
    cite=["SPEC:40800", "FW:openai-agents"],
    needs=("responses", "tool_calls"),
)
async def function_call(session: Session) -> None:
    """A call is an item with call_id, name, a string of arguments and a status, in a response
    and in a stream, whose deltas have the same arguments."""
    stream = await called_in_stream(session)
    for call in [*await called(session), *calls_of(stream.response)]:
        expect(bool(call.get("call_id")) and isinstance(call["call_id"], str), "a call_id", call)
        expect(call.get("name") in {tool["name"] for tool in OFFERED}, "an offered name", call)
        expect(call.get("status") == "completed", "status completed", call)
        expect(fits(call), "arguments that validate", arguments({"function": call}))
    for grown, whole in zip(stream.calls, calls_of(stream.response), strict=True):
        same = grown["arguments"] == whole["arguments"]
        expect(same, f"deltas that are {whole['arguments']}", grown["arguments"])


@check(
    "responses.arguments_done_name",
    level=SHOULD,
    cite=["SPEC:58608"],
    needs=("responses", "tool_calls"),
)
async def arguments_done_name(session: Session) -> None:
    """`function_call_arguments.done` has the name of the function."""
    stream = await called_in_stream(session)
    ends = [event for kind, event in stream.told if kind == "function_call_arguments.done"]
    for call, event in zip(stream.calls, ends, strict=False):
        expect(event.get("name") == call["name"], f"name {call['name']}", event)


@check("responses.truncated_call", level=MUST, cite=["OURS"], scripted=True, needs=RESPONSES)
async def truncated_call(session: Session) -> None:
    """A call that max_output_tokens cuts is not taken for a whole one: it is left out or
    incomplete, and so is the response."""
    prompt = script(played("get_weather", city="a long way to Tipperary", days=1))
    fields: Json = {"tools": OFFERED, "max_output_tokens": 5}
    whole = await created(session, prompt, **fields)
    for response in (whole, (await streamed(session, prompt, **fields)).response):
        expect(response["status"] == "incomplete", "status incomplete", response["status"])
        half = [call for call in calls_of(response) if call.get("status") == "completed"]
        expect(not half, "no half call", half)


@check("responses.text_then_call", level=MUST, cite=["FW"], scripted=True, needs=RESPONSES)
async def text_then_call(session: Session) -> None:
    """What is said before calls is a message before them, and each call an item."""
    calls = "\n".join(played("get_weather", city=city, days=1) for city in ("Paris", "Rome"))
    prompt = script(f"Let me look. {calls}")
    whole = await created(session, prompt, **_offering({}))
    stream = await streamed(session, prompt, **_offering({}))
    for response in (whole, stream.response):
        kinds = [item["type"] for item in response["output"]]
        wanted = ["message", "function_call", "function_call"]
        expect(kinds == wanted, f"items {wanted}", kinds)
        expect(text_of(response).strip() == "Let me look.", "'Let me look.'", text_of(response))
        cities = [json.loads(call["arguments"])["city"] for call in calls_of(response)]
        expect(cities == ["Paris", "Rome"], "calls for Paris and Rome", cities)
        ids = {call["call_id"] for call in calls_of(response)}
        expect(len(ids) == 2, "two call_ids", ids)


# --- their results ------------------------------------------------------------------


def history(call_id: str = "call_1") -> list[Json]:
    """A question, and the call that it led to."""
    call = {"type": "function_call", "call_id": call_id, "name": "get_weather"}
    return [user(ASK), {**call, "arguments": '{"city": "Paris", "days": 1}'}]


def result(output: Any = "17 degrees and sunny", call_id: str = "call_1") -> Json:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


@check(
    "responses.function_output",
    level=MUST,
    cite=["OR", "SPEC:70109"],
    needs=RESPONSES,
    timeout=PATIENCE,
)
async def function_output(session: Session) -> None:
    """After a call and its output, a string or parts, the answer is text that knows it."""
    fields: Json = {"tools": OFFERED, "tool_choice": "none"}
    answer = await created(session, [*history(), result()], **fields, max_output_tokens=128)
    expect(bool(text_of(answer)) or answer["status"] == "incomplete", "an answer", answer)
    if "scripted" in session.target.capabilities:
        expect("17 degrees" in text_of(answer), "the output in the answer", text_of(answer))
    short = await created(session, [*history(), result("17")], **fields, max_output_tokens=SMALLEST)
    for output in (LONG, [{"type": "input_text", "text": LONG}]):
        again = [*history(), result(output)]
        long = await created(session, again, **fields, max_output_tokens=SMALLEST)
        sizes = [size_of(short), size_of(long)]
        expect(sizes[1] > sizes[0] + 20, "more input_tokens for a longer output", sizes)


@check("responses.orphan_output", level=SHOULD, cite=["PEER:openai"], needs=RESPONSES)
async def orphan_output(session: Session) -> None:
    """The output of a call that nobody made is refused."""
    story = [*history("call_1"), result(call_id="call_9")]
    error(await asked(session, story, tools=OFFERED, max_output_tokens=SMALLEST), 400)


# --- the choice ---------------------------------------------------------------------


@check(
    "responses.tool_choice",
    level=MUST,
    cite=["OR", "FW:pydantic-ai"],
    needs=("responses", "forced_tools"),
    timeout=PATIENCE,
)
async def tool_choice(session: Session) -> None:
    """With tool_choice none no function is called, with required one is, with a name that one,
    in a response and in a stream."""
    quiet = await created(session, ASK, **_offering({"tool_choice": "none"}))
    expect(not calls_of(quiet), "no call with none", quiet["output"])
    greeting = "Say hello to Ada."
    named = {"type": "function", "name": "get_stock_price"}
    for prompt, choice, names in (
        (greeting, "required", ["get_weather", "get_stock_price"]),
        (ASK, named, ["get_stock_price"]),
    ):
        stream = await called_in_stream(session, prompt, tool_choice=choice)
        for call in await called(session, prompt, tool_choice=choice) + stream.calls:
            expect(call["name"] in names, f"a call of {' or '.join(names)}", call)
            expect(fits(call), "arguments that validate", call)
    unknown = {"type": "function", "name": "get_nothing"}
    refused(await asked(session, tools=OFFERED, tool_choice=unknown), "tool_choice")


HOSTED: tuple[Json, ...] = (
    {"type": "web_search"},
    {"type": "web_search", "external_web_access": False},
    {"type": "file_search", "vector_store_ids": ["vs_1"]},
    {"type": "mcp", "server_label": "docs", "server_url": "https://mcp.example.com"},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "image_generation"},
    {"type": "namespace", "name": "team", "description": "", "tools": [WEATHER]},
)


@check("responses.hosted_tools", level=MUST, cite=["OURS"], needs=RESPONSES)
async def hosted_tools(session: Session) -> None:
    """Tools that the server would run itself are refused by name; where one is ignored, because
    clients send it unasked, a `warning` header names it."""
    for tool in HOSTED:
        answered = await asked(session, tools=[WEATHER, tool], max_output_tokens=SMALLEST)
        if answered.received.status == 200:
            told = answered.received.header("warning") or "none"
            expect(tool["type"] in told, f"a warning header about {tool}", told, NO_SILENT_IGNORE)
            continue
        found = refused(answered)
        named = str(found["param"]).startswith("tools[1]") or tool["type"] in found["message"]
        expect(named, f"an error that names {tool['type']}", found)
