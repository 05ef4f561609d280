"""Responses of the embedded model on real MLX."""

from __future__ import annotations

import json
from typing import Any

from router.tests.conftest import MODEL, Server
from router.tests.responses import PATH, WEATHER, asked, created, events, output_text

QUESTION = "What is the capital of France?"
COLD: dict[str, Any] = {"temperature": 0}
SHORT = {**COLD, "max_output_tokens": 20}


def test_the_same_answer_as_in_a_chat(real: Server) -> None:
    whole = created(real, QUESTION, **COLD)
    chat = real.chat(QUESTION, **COLD).json()
    assert output_text(whole) == chat["choices"][0]["message"]["content"]
    assert whole["usage"]["input_tokens"] == chat["usage"]["prompt_tokens"]
    assert whole["usage"]["output_tokens"] == chat["usage"]["completion_tokens"]
    found = events(real, QUESTION, **COLD)
    assert output_text(found[-1]["response"]) == output_text(whole)
    assert sum(event["type"] == "response.output_text.delta" for event in found) > 3
    counted = real.http.post(f"{PATH}/input_tokens", json={"model": MODEL, "input": QUESTION})
    assert counted.json()["input_tokens"] == whole["usage"]["input_tokens"]


def test_a_conversation_goes_on_as_a_chat_would(real: Server) -> None:
    """From the same prompt, whose beginning has been read already."""
    told, question = "My name is Ada and I live in Oslo.", "Where do I live?"
    first = created(real, told, **SHORT)
    second = created(real, question, previous_response_id=first["id"], **SHORT)
    story = [
        {"role": "user", "content": told},
        {"role": "assistant", "content": output_text(first)},
        {"role": "user", "content": question},
    ]
    chat = real.chat("", messages=story, temperature=0, max_tokens=20).json()
    assert output_text(second) == chat["choices"][0]["message"]["content"]
    usage = second["usage"]
    assert usage["input_tokens"] == chat["usage"]["prompt_tokens"]
    assert usage["input_tokens_details"]["cached_tokens"] > first["usage"]["input_tokens"] / 2


def test_calls_and_json_hold(real: Server) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    }
    offered: dict[str, Any] = {"tools": [WEATHER | {"parameters": schema}]}
    only_one = {"tool_choice": "required", "parallel_tool_calls": False}
    made = created(real, "Weather in Paris?", **offered, **only_one, **COLD)
    [call] = made["output"]
    assert (call["type"], call["name"]) == ("function_call", "get_weather")
    assert json.loads(call["arguments"]).keys() == {"city"}
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny, 21 C"}
    answer = created(real, [result], previous_response_id=made["id"], **offered, **SHORT)
    assert output_text(answer)

    described = {"type": "json_schema", "name": "place", "schema": schema}
    body = created(real, "Which city is it?", text={"format": described}, **COLD)
    assert json.loads(output_text(body)).keys() == {"city"}


def test_what_the_engine_refuses_is_named_in_the_words_of_the_request(real: Server) -> None:
    odd = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?<=x)y"}}}
    tools = [{"type": "namespace"}, WEATHER, WEATHER | {"name": "odd", "parameters": odd}]
    error = asked(real, "hi", tools=tools).json()["error"]
    assert (error["param"], error["code"]) == ("tools[2].parameters", "invalid_function_parameters")
    described = {"type": "json_schema", "name": "odd", "schema": odd}
    error = asked(real, "hi", text={"format": described}).json()["error"]
    assert (error["param"], error["code"]) == ("text.format.schema", "invalid_json_schema")
