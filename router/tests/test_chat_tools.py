"""Tool calls over a real socket, played by the scripted engine, read by OpenAI's SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.tests.conftest import MODEL, Server
from router.tests.scripts import WEATHER, call, deltas, events, script


def test_a_call_and_the_step_after_it(scripted: Server) -> None:
    """The scripted engine in auto mode behaves as an agent's model does."""
    client = scripted.client()
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])  # type: ignore[list-item]
    assert first.choices[0].finish_reason == "tool_calls"
    assert first.choices[0].message.content is None
    (made,) = first.choices[0].message.tool_calls or []
    assert made.type == "function"
    assert made.function.name == "get_weather"
    assert json.loads(made.function.arguments) == {"city": "text", "days": 1}
    messages.append(first.choices[0].message.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": made.id, "content": "17 degrees"})
    second = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])  # type: ignore[list-item]
    assert second.choices[0].finish_reason == "stop"
    assert "17 degrees" in (second.choices[0].message.content or "")


def test_a_streamed_call(scripted: Server) -> None:
    city = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch " * 4
    chunks = events(scripted, script(call("get_weather", city=city)), tools=[WEATHER])
    head, *rest = deltas(chunks)
    (opened,) = head["tool_calls"]
    assert head["role"] == "assistant"
    assert head["content"] is None
    assert opened["index"] == 0
    assert opened["type"] == "function"
    assert opened["id"].startswith("call_")
    assert opened["function"] == {"name": "get_weather", "arguments": ""}
    *arguments, last = rest
    assert last == {}
    assert len(arguments) > 1
    for part in arguments:
        (piece,) = part["tool_calls"]
        assert set(piece) == {"index", "function"}
        assert set(piece["function"]) == {"arguments"}
    joined = "".join(p["tool_calls"][0]["function"]["arguments"] for p in arguments)
    assert json.loads(joined) == {"city": city}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_text_then_two_calls(scripted: Server) -> None:
    text = f"Let me look.\n{call('get_weather', city='Rome')}\n{call('get_weather', city='Oslo')}"
    client = scripted.client()
    with client.chat.completions.stream(
        model=MODEL,
        messages=[{"role": "user", "content": script(text)}],
        tools=[WEATHER],  # type: ignore[list-item]
    ) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert message.content == "Let me look."
    calls = message.tool_calls or []
    assert [json.loads(c.function.arguments)["city"] for c in calls] == ["Rome", "Oslo"]
    assert len({c.id for c in calls}) == 2
    whole = scripted.chat(script(text), tools=[WEATHER]).json()["choices"][0]
    assert whole["message"]["content"] == "Let me look."
    assert whole["finish_reason"] == final.choices[0].finish_reason == "tool_calls"


def test_one_call_at_most(scripted: Server) -> None:
    text = call("get_weather", city="Rome") + call("get_weather", city="Oslo")
    body = scripted.chat(script(text), tools=[WEATHER], parallel_tool_calls=False).json()
    assert len(body["choices"][0]["message"]["tool_calls"]) == 1
    assert body["choices"][0]["finish_reason"] == "tool_calls"


WEATHER_IT_IS = {"type": "function", "function": {"name": "get_weather"}}


@pytest.mark.parametrize(
    ("tool_choice", "reason"),
    [("auto", "tool_calls"), ("required", "tool_calls"), (WEATHER_IT_IS, "stop")],
)
def test_why_an_answer_with_a_call_ends(
    scripted: Server, tool_choice: str | dict[str, Any], reason: str
) -> None:
    """Where the client named the function, api.openai.com says "stop"."""
    offer: dict[str, Any] = {"tools": [WEATHER], "tool_choice": tool_choice}
    whole = scripted.chat(script(call("get_weather", city="Rome")), **offer).json()["choices"][0]
    chunks = events(scripted, script(call("get_weather", city="Rome")), **offer)
    assert whole["message"]["tool_calls"]
    assert whole["finish_reason"] == reason
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]][
        -1
    ] == reason


def test_a_named_call_that_was_cut_is_a_length(scripted: Server) -> None:
    text = call("get_weather", city="a long way to Tipperary")
    offer: dict[str, Any] = {"tools": [WEATHER], "tool_choice": WEATHER_IT_IS, "max_tokens": 5}
    assert scripted.chat(script(text), **offer).json()["choices"][0]["finish_reason"] == "length"


def test_a_bare_json_call(scripted: Server) -> None:
    text = '```json\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n```'
    body = scripted.chat(script(text), tools=[WEATHER]).json()
    (made,) = body["choices"][0]["message"]["tool_calls"]
    assert json.loads(made["function"]["arguments"]) == {"city": "Rome"}


def test_a_malformed_call_is_text_and_counted(scripted: Server) -> None:
    before = scripted.metric("malformed_tool_calls_total")
    body = scripted.chat(script("<tool_call>\nget_weather in Rome\n</tool_call>"), tools=[WEATHER])
    choice = body.json()["choices"][0]
    assert "get_weather in Rome" in choice["message"]["content"]
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "stop"
    assert scripted.metric("malformed_tool_calls_total") == before + 1


def test_a_cut_call_is_a_length(scripted: Server) -> None:
    text = call("get_weather", city="a long way to Tipperary")
    choice = scripted.chat(script(text), tools=[WEATHER], max_tokens=5).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert "tool_calls" not in choice["message"]
    assert choice["message"]["content"] == ""


@pytest.mark.parametrize("fields", [{}, {"tools": []}, {"tools": None}])
def test_without_tools_a_call_is_text(scripted: Server, fields: dict[str, Any]) -> None:
    text = call("get_weather", city="Rome")
    choice = scripted.chat(script(text), **fields).json()["choices"][0]
    assert "get_weather" in choice["message"]["content"]
    assert "tool_calls" not in choice["message"]


def test_tool_choice_none(scripted: Server) -> None:
    choice = scripted.chat("hello", tools=[WEATHER], tool_choice="none").json()["choices"][0]
    assert "tool_calls" not in choice["message"]
