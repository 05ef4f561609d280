"""Answers of the real model that are held to tools and schemas, over a real socket."""

from __future__ import annotations

import concurrent.futures
import json
from typing import Any, Literal

import openai
import pydantic
import pytest

from router.tests.conftest import MODEL, Server
from router.tests.schemas import SchemaMaker, fits
from router.tests.scripts import WEATHER

TIME = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object"}}}
LONG = 300
"""Seconds for one of many answers at once."""

QUESTION = "What is the weather in Paris?"


def first(server: Server, content: str = QUESTION, **fields: Any) -> dict[str, Any]:
    """The first choice of an answer."""
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        **{"temperature": 0, "max_tokens": 120, **fields},
    }
    response = server.http.post("/v1/chat/completions", json=body, timeout=LONG)
    assert response.status_code == 200, response.text
    choice: dict[str, Any] = response.json()["choices"][0]
    return choice


def by_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}}


def called(choice: dict[str, Any]) -> list[tuple[str, Any]]:
    calls = choice["message"].get("tool_calls") or []
    return [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls]


def test_a_named_function_is_called_once(real: Server) -> None:
    choice = first(real, tools=[TIME, WEATHER], tool_choice=named("get_weather"))
    [(name, arguments)] = called(choice)
    assert name == "get_weather"
    assert fits(arguments, WEATHER["function"]["parameters"])  # type: ignore[index]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"] is None


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def test_a_call_is_required(real: Server) -> None:
    choice = first(real, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False)
    assert [name for name, _ in called(choice)] == ["get_weather"]


def test_only_allowed_functions_are_called(real: Server) -> None:
    allowed = {"mode": "required", "tools": [named("get_time")]}
    choice = first(
        real,
        tools=[WEATHER, TIME],
        tool_choice={"type": "allowed_tools", "allowed_tools": allowed},
        parallel_tool_calls=False,
    )
    assert [name for name, _ in called(choice)] == ["get_time"]


def test_a_call_that_was_cut_leaves_nothing(real: Server) -> None:
    for limit in (1, 3, 10, 20):
        choice = first(real, tools=[WEATHER], tool_choice="required", max_tokens=limit)
        assert choice["finish_reason"] == "length"
        assert "tool_calls" not in choice["message"]
        assert choice["message"]["content"] == ""


def test_a_function_call_of_the_time_before_tools(real: Server) -> None:
    older: dict[str, Any] = {
        "functions": [WEATHER["function"]],
        "function_call": {"name": "get_weather"},
    }
    choice = first(real, **older)
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"]["name"] == "get_weather"
    assert "tool_calls" not in choice["message"]
    stream = real.client().chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": QUESTION}],
        temperature=0,
        stream=True,
        extra_body=older,
    )
    chunks = [chunk.choices[0] for chunk in stream]
    calls = [chunk.delta.function_call for chunk in chunks if chunk.delta.function_call]
    assert (
        "".join(c.arguments or "" for c in calls)
        == (choice["message"]["function_call"]["arguments"])
    )
    assert [call.name for call in calls if call.name] == ["get_weather"]
    assert chunks[-1].finish_reason == "function_call"


def test_json_and_nothing_but_json(real: Server) -> None:
    choice = first(
        real, 'Repeat exactly: {"city": "Paris"}', response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(choice["message"]["content"]), dict)


class Step(pydantic.BaseModel):
    explanation: str = pydantic.Field(max_length=40)
    output: int


class Plan(pydantic.BaseModel):
    city: str = pydantic.Field(max_length=20)
    unit: Literal["celsius", "fahrenheit"]
    steps: list[Step] = pydantic.Field(max_length=2)
    note: str | None = pydantic.Field(max_length=10)


def test_pydantic_models_are_parsed(real: Server) -> None:
    for model in (Step, Plan):
        parsed = real.client().chat.completions.parse(
            model=MODEL,
            messages=[{"role": "user", "content": "Plan a trip to Paris."}],
            response_format=model,
            temperature=0,
        )
        assert isinstance(parsed.choices[0].message.parsed, model)


def test_a_stream_holds_nothing_but_the_document(real: Server) -> None:
    with real.client().chat.completions.stream(
        model=MODEL,
        messages=[{"role": "user", "content": "Plan a trip to Paris."}],
        response_format=Plan,
        temperature=0,
    ) as stream:
        parts = [event.delta for event in stream if event.type == "content.delta"]
    assert len(parts) > 5
    assert Plan.model_validate_json("".join(parts))


def test_beside_tools_the_answer_is_a_call_or_the_document(real: Server) -> None:
    schema = Step.model_json_schema()
    choice = first(real, tools=[TIME], response_format=by_schema(schema), parallel_tool_calls=False)
    calls = called(choice)
    assert [name for name, _ in calls] == ["get_time"] or fits(
        json.loads(choice["message"]["content"]), schema
    )


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "objekt"}, "type cannot be"),
        ({"type": "object", "properties": {"a": {"not": {}}}}, "not"),
    ],
)
def test_a_schema_that_cannot_be_followed(real: Server, schema: dict[str, Any], words: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        real.client().chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "x"}],
            extra_body={"response_format": by_schema(schema)},
        )
    assert caught.value.code == "invalid_json_schema"
    assert caught.value.param == "response_format.json_schema.schema"
    assert "Invalid schema for response_format" in caught.value.message
    assert words in caught.value.message


@pytest.mark.timeout(7200)
def test_whatever_the_schema_the_answer_fits(real: Server, answers: int) -> None:
    """Calls and documents of random schemas at temperature 1: they fit, or they were cut."""

    def outcome(seed: int) -> str:
        maker = SchemaMaker(seed)
        if seed % 2:
            schema = maker.parameters()
            fields: dict[str, Any] = {"response_format": by_schema(schema)}
        else:
            tools = maker.tools(1 + seed % 4)
            fields = {"tools": tools, "tool_choice": "required", "parallel_tool_calls": False}
        choice = first(real, temperature=1, seed=seed, max_tokens=250, **fields)
        if choice["finish_reason"] == "length":
            assert "tool_calls" not in choice["message"]
            return "length"
        if seed % 2:
            assert fits(json.loads(choice["message"]["content"]), schema), (schema, choice)
            return "document"
        [(name, arguments)] = called(choice)
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
        assert fits(arguments, schemas[name]), (schemas[name], arguments)
        return "call"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, range(answers)))
    found = {kind: outcomes.count(kind) for kind in ("call", "document", "length")}
    print(found)
    assert found["length"] < answers / 4, found
