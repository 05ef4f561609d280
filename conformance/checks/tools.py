"""Tools: what a call is. The fixtures here serve the other modules about tools as well."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from conformance.check import MUST, SHOULD, check
from conformance.failure import Failed, expect
from conformance.session import Json, Session, script

ROOM = 1024
"""Tokens for an answer with a call: models that think first need them."""

MARKUP = (
    "<tool_call>",
    "</tool_call>",
    "<function=",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    '"arguments":',
)
PATIENCE = 180
"""Seconds for a check that waits for several such answers."""

ASK = "What is the weather in Paris tomorrow? Call get_weather to find out."
ASK_TWICE = "What is the weather in Paris and in Rome? Call get_weather once for each city."
STRING_ARGUMENTS = "clients parse function.arguments, a string that holds a JSON object"


def tool(name: str, description: str, **schema: Any) -> Json:
    """A function. ``schema`` holds what its parameters' schema has besides ``type``; none: the
    function has no parameters."""
    function: Json = {"name": name, "description": description}
    if schema:
        properties = schema.setdefault("properties", {})
        schema.setdefault("required", list(properties))
        function["parameters"] = {"type": "object", "additionalProperties": False, **schema}
    return {"type": "function", "function": function}


WEATHER = tool(
    "get_weather",
    "The weather in a city.",
    properties={"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
)
STOCK = tool(
    "get_stock_price",
    "The price of a share.",
    properties={"symbol": {"type": "string"}, "currency": {"enum": ["EUR", "USD"]}},
)
CLOCK = tool("get_time", "What time it is now.")
BOOKING = tool(
    "book_room",
    "Books a meeting room for some people.",
    properties={
        "people": {"type": "array", "items": {"$ref": "#/$defs/Person"}, "minItems": 1},
        "size": {"enum": ["small", "large"]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    **{
        "$defs": {
            "Person": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            }
        }
    },
)
TOOLS = [WEATHER, STOCK]


def name_of(offered: Json) -> str:
    return str(offered["function"]["name"])


def choice(answer: Json) -> Json:
    return dict(answer["choices"][0])


def calls_of(answer: Json) -> list[Json]:
    return list(choice(answer)["message"].get("tool_calls") or [])


async def asked(session: Session, prompt: str | list[Json] = ASK, **fields: Any) -> Json:
    """The answer to a question for which a tool is offered that fits."""
    return await session.answer(prompt, **{"tools": TOOLS, "max_tokens": ROOM, **fields})


async def called(session: Session, prompt: str | list[Json] = ASK, **fields: Any) -> list[Json]:
    """The calls of such an answer. Raises Failed when there are none."""
    answer = await asked(session, prompt, **fields)
    hint = "the prompt must show the tools, and calls must be found in the model's text"
    expect(bool(calls_of(answer)), "a tool call", choice(answer), hint)
    return calls_of(answer)


def arguments(call: Json) -> Json:
    """The arguments of a call. Raises Failed unless they are an object written as a string."""
    text = call["function"]["arguments"]
    expect(isinstance(text, str), "a string of arguments", text, STRING_ARGUMENTS)
    try:
        value = json.loads(text)
    except ValueError:
        raise Failed("arguments that are JSON", text, STRING_ARGUMENTS) from None
    expect(isinstance(value, dict), "an object of arguments", value, STRING_ARGUMENTS)
    return dict(value)


def valid(call: Json, offered: list[Json]) -> bool:
    """Do the arguments of a call validate against the schema of the tool it names?"""
    schemas = {name_of(t): t["function"].get("parameters", {}) for t in offered}
    schema = schemas.get(call["function"]["name"])
    return schema is not None and Draft202012Validator(schema).is_valid(arguments(call))


def two_calls(session: Session) -> str:
    """A prompt that gives two calls: played where that is possible, else asked for."""
    if "scripted" not in session.target.capabilities:
        return ASK_TWICE
    return script(
        played("get_weather", city="Paris", days=1) + played("get_weather", city="Rome", days=2)
    )


def played(name: str, **arguments: Any) -> str:
    """A call as the scripted engine's model writes it."""
    call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{call}\n</tool_call>"


# --- the checks -------------------------------------------------------------------------


@check("tools.call_shape", level=MUST, cite=["SPEC:31004"], needs=("tool_calls",), timeout=PATIENCE)
async def call_shape(session: Session) -> None:
    """A call has an id, the type "function", and a function with a name and a string of
    arguments."""
    for call in await called(session):
        expect(bool(call.get("id")) and isinstance(call["id"], str), "a string id", call)
        expect(call.get("type") == "function", "type function", call)
        function = call.get("function") or {}
        expect(bool(function), "a function object", call)
        expect(bool(function.get("name")) and isinstance(function["name"], str), "a name", call)
        text = function.get("arguments")
        expect(isinstance(text, str), "a string of arguments", call, STRING_ARGUMENTS)


@check(
    "tools.args_schema_valid",
    level=MUST,
    cite=["PEER:K2VV"],
    needs=("tool_calls",),
    timeout=PATIENCE,
)
async def args_schema_valid(session: Session) -> None:
    """The arguments of every call are JSON and validate against the schema of the tool."""
    questions = (ASK, "How warm is it in Oslo? Call get_weather.", "Weather in Rome for 3 days?")
    answers = [await asked(session, question) for question in questions]
    made = [call for answer in answers for call in calls_of(answer)]
    expect(bool(made), f"a call in {len(answers)} answers", "none")
    wrong = [call["function"] for call in made if not valid(call, TOOLS)]
    share = f"{len(made) - len(wrong)} of {len(made)} ({1 - len(wrong) / len(made):.0%}) valid"
    expect(not wrong, "100% of the arguments valid", f"{share}; not so {wrong}")


@check(
    "tools.finish_tool_calls",
    level=MUST,
    cite=["FW:strands"],
    needs=("tool_calls",),
    timeout=PATIENCE,
)
async def finish_tool_calls(session: Session) -> None:
    """An answer with calls has the finish_reason "tool_calls"; for a named function, where
    OpenAI says "stop", both are right."""
    ended: list[tuple[Any, set[str]]] = []
    choices: list[Any] = ["auto"]
    if "forced_tools" in session.target.capabilities:
        choices += ["required", {"type": "function", "function": {"name": "get_weather"}}]
    for wanted in choices:
        right = {"tool_calls"} if isinstance(wanted, str) else {"tool_calls", "stop"}
        answer = await asked(session, tool_choice=wanted)
        if calls_of(answer):
            ended.append((choice(answer)["finish_reason"], right))
        stream = await session.stream(ASK, tools=TOOLS, max_tokens=ROOM, tool_choice=wanted)
        if stream.choice.calls:
            ended.append((stream.choice.finish_reasons[-1:], right))
    expect(bool(ended), "a tool call", "none")
    for reason, right in ended:
        found = reason if isinstance(reason, str) else "".join(reason)
        hint = "agents run their tools when they read tool_calls"
        expect(found in right, " or ".join(sorted(right)), found, hint)


@check(
    "tools.id_unique",
    level=MUST,
    cite=["FW:openai-agents", "PEER:vllm"],
    needs=("tool_calls",),
    timeout=PATIENCE,
)
async def id_unique(session: Session) -> None:
    """No two calls have the same id, neither of one answer nor of several."""
    answers = [await called(session, two_calls(session), fresh=True) for _ in range(2)]
    ids = [call.get("id") for calls in answers for call in calls]
    expect(all(ids), "ids that are not empty", ids)
    hint = "results are matched to calls by id, over a whole conversation"
    expect(len(set(ids)) == len(ids), "ids that differ", ids, hint)


@check(
    "tools.name_offered", level=MUST, cite=["PEER:K2VV"], needs=("tool_calls",), timeout=PATIENCE
)
async def name_offered(session: Session) -> None:
    """A call names one of the functions that were offered."""
    made = await called(session)
    if "scripted" in session.target.capabilities:
        made += calls_of(await asked(session, script(played("launch_rocket", city="Rome"))))
    names = {call["function"]["name"] for call in made}
    expect(names <= set(map(name_of, TOOLS)), "names that were offered", sorted(names))


@check("tools.content_clean", level=MUST, cite=["OURS"], needs=("tool_calls",), timeout=PATIENCE)
async def content_clean(session: Session) -> None:
    """Beside calls the content is null or prose: a call's own markup is not repeated there."""
    answer = await asked(session)
    stream = await session.stream(ASK, tools=TOOLS, max_tokens=ROOM)
    for content in (choice(answer)["message"].get("content"), stream.choice.content):
        found = [mark for mark in MARKUP if mark in (content or "")]
        expect(not found, "no markup of calls in the content", content)


@check(
    "tools.no_params",
    level=MUST,
    cite=["SPEC:40649", "PEER:vllm"],
    needs=("tool_calls",),
    timeout=PATIENCE,
)
async def no_params(session: Session) -> None:
    """A function without parameters is called with an object of arguments, `{}`, not with an
    empty string."""
    for call in await called(session, "What time is it? Call get_time.", tools=[CLOCK]):
        arguments(call)


@check(
    "tools.nested_schema", level=SHOULD, cite=["PEER:vllm"], needs=("tool_calls",), timeout=PATIENCE
)
async def nested_schema(session: Session) -> None:
    """Parameters may use $defs and $ref, enum, arrays and anyOf with null."""
    question = "Book a small room for Ada and Bob. Call book_room."
    for call in calls_of(await asked(session, question, tools=[BOOKING])):
        expect(valid(call, [BOOKING]), "arguments that validate", call["function"])
