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


def test_a_model_does_not_look_at_it(real: Server) -> None:
    body: dict[str, Any] = {"messages": QUESTION, "temperature": 0, "max_tokens": 5}
    plain = real.http.post("/v1/chat/completions", json={"model": MODEL} | body).json()
    assert told(real, {"text": "one"}, **body)["choices"] == plain["choices"]
