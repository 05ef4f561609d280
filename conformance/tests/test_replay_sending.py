"""A recorded request fits another server, and is otherwise what it was."""

from __future__ import annotations

import json
import re

from conformance.client import Exchange
from conformance.replay.endpoints import endpoint
from conformance.replay.recording import Recording
from conformance.replay.sending import WRONG_KEY, Names, request
from conformance.target import Target
from conformance.tests.recordings import answered, recording, refused

TARGET = Target("http://localhost:1/v1", "local/small", frozenset(), "our-key")


def body_of(told: Recording, names: Names | None = None) -> str:
    return (request(told, TARGET, names or Names()).body or b"").decode()


def test_only_the_name_of_the_model_changes() -> None:
    for gap in ("", " "):
        text = '{"messages":[{"content":"é  \\u00e9"}],"model":%s"gpt-4o", "n" :1}'
        told = recording("chat/completions", text % gap, answered({}))
        assert body_of(told) == text.replace('%s"gpt-4o"', ' "local/small"')


def test_it_is_the_model_s_name_and_no_other() -> None:
    text = '{"metadata": {"model": "gpt-4o"}, "model": "gpt-4o"}'
    told = recording("responses", text, answered({}))
    wanted = {"metadata": {"model": "gpt-4o"}, "model": "local/small"}
    assert json.loads(body_of(told)) == wanted


def test_a_model_that_openai_did_not_know_keeps_its_name() -> None:
    told = recording("responses", '{"model": "no-such"}', refused(400, code="model_not_found"))
    assert body_of(told) == '{"model": "no-such"}'


def images_of(told: Recording) -> list[str]:
    return re.findall(r'"([a-z]+):[^"]*(?=")', body_of(told))


def test_an_image_elsewhere_becomes_one_that_needs_no_network() -> None:
    far, near = "https://example.com/a.png?b=1", "data:image/png;base64,AAAA"
    chat = [{"type": "image_url", "image_url": {"url": url}} for url in (far, near)]
    items = [{"type": "input_image", "image_url": url} for url in (far, near)]
    for parts in (chat, items):
        body = {"model": "gpt-4o", "input": [{"role": "user", "content": parts}], "user": far}
        assert images_of(recording("responses", body, answered({}))) == ["data", "data", "https"]
        faulty = recording("responses", body, refused(400, code="invalid_image_url"))
        assert images_of(faulty) == ["https", "data", "https"]


def test_it_goes_to_the_server_with_the_server_s_key() -> None:
    told = recording("chat/completions?a=b", {}, answered({}))
    told.exchange.sent.headers.update({"cookie": "theirs", "x-stainless-lang": "python"})
    sent = request(told, TARGET, Names())
    assert sent.url == "http://localhost:1/v1/chat/completions?a=b"
    assert sent.headers == {
        "content-type": "application/json",
        "x-stainless-lang": "python",
        "authorization": "Bearer our-key",
    }


def test_a_wrong_key_stays_a_wrong_one() -> None:
    told = recording("chat/completions", {}, refused(401, code="invalid_api_key"))
    sent = request(told, TARGET, Names())
    assert sent.headers["authorization"] == f"Bearer {WRONG_KEY}"


def test_what_is_no_json_goes_as_it_is() -> None:
    assert body_of(recording("files", "--b\r\nmodel", answered({}))) == "--b\r\nmodel"
    assert request(recording("models", None, answered({})), TARGET, Names()).body is None


def response(name: str, *calls: str) -> dict[str, object]:
    made = [{"type": "function_call", "id": f"fc_{one}", "call_id": f"call_{one}"} for one in calls]
    return {"id": name, "object": "response", "output": [{"id": f"rs_{name}"}, *made]}


def test_ids_are_those_that_the_server_has_given() -> None:
    first = recording("responses", {}, answered(response("resp_a1", "x", "y")))
    names = Names()
    event = json.dumps({"type": "response.completed", "response": response("resp_b2", "z")})
    stream = answered(f"event: response.completed\ndata: {event}\n\n")
    names.learn(first, Exchange(first.exchange.sent, stream))
    later = recording(
        "responses", '{"previous_response_id":"resp_a1","c":"call_x call_y"}', answered({})
    )
    assert body_of(later, names) == '{"previous_response_id":"resp_b2","c":"call_z call_y"}'
    read = recording("responses/resp_a1", None, answered({}), method="GET")
    assert request(read, TARGET, names).url == "http://localhost:1/v1/responses/resp_b2"
    assert "call_y" not in names.ours


def test_a_refusal_names_nothing() -> None:
    first = recording("responses", {}, answered(response("resp_a1")))
    names = Names()
    names.learn(first, Exchange(first.exchange.sent, refused()))
    assert names.ours == {}


def test_an_endpoint_has_one_name() -> None:
    named = {
        "/chat/completions": "POST chat/completions",
        "/responses/input_tokens": "POST responses/input_tokens",
        "/responses/resp_0a1b2c3d/input_items": "POST responses/{id}/input_items",
        "/models/gpt-4o": "POST models/{id}",
        "/threads/thread_0a1b2c3d/runs/run_0a1b2c3d": "POST threads/{id}/runs/{id}",
    }
    assert {path: endpoint("POST", path) for path in named} == named
