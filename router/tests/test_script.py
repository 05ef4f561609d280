"""Scripts that come with a request, beside its messages."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from router.tests.conftest import MODEL, Server
from router.tests.scripts import WEATHER, call

QUESTION = [{"role": "user", "content": "What is the weather in Rome?"}]


def told(server: Server, script: object, path: str = "chat/completions", **body: Any) -> Any:
    return posted(server, json.dumps(script), path, **body).json()


def posted(server: Server, script: str, path: str, **body: Any) -> httpx.Response:
    headers = {"x-mlx-router-script": script}
    return server.http.post(f"/v1/{path}", json={"model": MODEL} | body, headers=headers)


def test_a_chat_is_answered_as_told(scripted: Server) -> None:
    said = f"Grüße!\n{call('get_weather', city='Rome')}"
    body = told(scripted, {"text": said}, messages=QUESTION, tools=[WEATHER])
    [choice] = body["choices"]
    assert choice["message"]["content"] == "Grüße!"
    [made] = choice["message"]["tool_calls"]
    assert json.loads(made["function"]["arguments"]) == {"city": "Rome"}


def test_each_choice_has_its_script(scripted: Server) -> None:
    scripts = [{"text": "one"}, {"text": "two", "finish_reason": "length"}]
    choices = told(scripted, scripts, messages=QUESTION, n=2)["choices"]
    assert [choice["message"]["content"] for choice in choices] == ["one", "two"]
    assert [choice["finish_reason"] for choice in choices] == ["stop", "length"]


def test_one_script_is_every_choice(scripted: Server) -> None:
    choices = told(scripted, {"text": "one"}, messages=QUESTION, n=2)["choices"]
    assert [choice["message"]["content"] for choice in choices] == ["one", "one"]


def test_a_response_is_answered_as_told(scripted: Server) -> None:
    body = told(scripted, {"text": "<think>Hm.</think>Sunny."}, "responses", input="Weather?")
    assert [item["type"] for item in body["output"]] == ["reasoning", "message"]
    assert body["output"][1]["content"][0]["text"] == "Sunny."


def test_a_text_is_continued_as_told(scripted: Server) -> None:
    body = told(scripted, {"text": " ever after"}, "completions", prompt="happily")
    assert body["choices"][0]["text"] == " ever after"


@pytest.mark.parametrize("script", ["[]", "{", '{"said": "x"}', '[{"text": "one"}]'])
def test_a_script_that_cannot_be_played_is_refused(scripted: Server, script: str) -> None:
    answer = posted(scripted, script, "chat/completions", messages=QUESTION, n=2)
    assert answer.status_code == 400
    assert "script" in answer.json()["error"]["message"]


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PERSON: dict[str, Any] = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}}
}
REQUIRED: dict[str, Any] = {"tools": [WEATHER], "tool_choice": "required"}


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ("anything <tool_call>", {}),
        ('{"name": "Zoë", "age": 31}', PERSON),
        (call("get_weather", city="Rome"), REQUIRED),
        (f"Well.\n{call('get_weather', city='Rome')}", {"tools": [WEATHER]}),
    ],
)
def test_a_script_may_be_held_to_the_request(
    scripted: Server, said: str, fields: dict[str, Any]
) -> None:
    body = told(scripted, {"text": said, "held": True}, messages=QUESTION, **fields)
    assert body["choices"], body


@pytest.mark.parametrize(
    ("said", "fields", "until"),
    [
        ("Zoë is 31", PERSON, "Z"),
        ('{"name": "Zoë"}', PERSON, '{"name": "Zoë"}'),
        ('{"name": "Zoë", "age": 31', PERSON, '{"name": "Zoë", "age": 31'),
        ("Well.", REQUIRED, "W"),
        (call("get_time", city="Rome"), {"tools": [WEATHER]}, '<tool_call>\n{"name": "get_t'),
        (call("get_weather", town="Rome"), REQUIRED, '"arguments": {"t'),
    ],
)
def test_a_script_that_the_request_forbids_is_refused(
    scripted: Server, said: str, fields: dict[str, Any], until: str
) -> None:
    error = told(scripted, {"text": said, "held": True}, messages=QUESTION, **fields)["error"]
    assert error["code"] == "script_forbidden"
    assert error["message"].endswith(until), error["message"]


def test_a_script_that_is_cut_need_not_end(scripted: Server) -> None:
    script = {"text": '{"name": "Zo', "held": True, "finish_reason": "length"}
    choice = told(scripted, script, messages=QUESTION, **PERSON)["choices"][0]
    assert choice["message"]["content"] == '{"name": "Zo'


def test_a_model_does_not_look_at_it(real: Server) -> None:
    body: dict[str, Any] = {"messages": QUESTION, "temperature": 0, "max_tokens": 5}
    plain = real.http.post("/v1/chat/completions", json={"model": MODEL} | body).json()
    assert told(real, {"text": "one"}, **body)["choices"] == plain["choices"]
