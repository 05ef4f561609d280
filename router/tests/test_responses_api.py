"""Responses over a real socket, played by the scripted engine, read by OpenAI's SDK."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses import Response, ResponseFunctionToolCall

from router.tests.conftest import MODEL, Server, wait_until
from router.tests.responses import PATH, WEATHER, asked, created, events, output_text, types
from router.tests.scripts import call, script

# --- the whole answer ---


def test_every_member_is_there(scripted: Server) -> None:
    """What OpenAI has always sent since 2026-01, without what only it can have."""
    body = created(scripted, script("Paris it is."), instructions="Be brief.", user="u")
    assert body.keys() == {
        *("id", "object", "created_at", "status", "background", "completed_at", "error"),
        *("frequency_penalty", "incomplete_details", "instructions", "max_output_tokens"),
        *("max_tool_calls", "metadata", "model", "moderation", "output", "parallel_tool_calls"),
        *("presence_penalty", "previous_response_id", "prompt_cache_key"),
        *("prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store"),
        *("temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p"),
        *("truncation", "usage", "user"),
    }
    assert body["id"].startswith("resp_")
    assert (body["object"], body["status"], body["model"]) == ("response", "completed", MODEL)
    assert body["completed_at"] >= body["created_at"]
    assert (body["instructions"], body["user"], body["store"]) == ("Be brief.", "u", True)
    [message] = body["output"]
    part = {"type": "output_text", "text": "Paris it is.", "annotations": [], "logprobs": []}
    assert message == {
        "id": message["id"],
        "type": "message",
        "status": "completed",
        "content": [part],
        "role": "assistant",
    }
    usage = body["usage"]
    assert usage["output_tokens"] == 3
    assert usage["total_tokens"] == usage["input_tokens"] + 3


def test_the_sdk_reads_it_strictly(scripted: Server) -> None:
    options: dict[str, Any] = {"tools": [WEATHER], "tool_choice": "required"}
    for body in (created(scripted, "hi"), created(scripted, "hi", **options)):
        # The SDK has its times as floats, and they are integers on the wire.
        Response.model_validate_json(json.dumps(body), strict=True)
    assert scripted.client().responses.create(model=MODEL, input="hi").output_text == "You said: hi"


def test_what_was_asked_for_is_repeated_with_its_defaults(scripted: Server) -> None:
    body = created(
        scripted, "hi", tools=[WEATHER | {"strict": None}], reasoning={"summary": "auto"}
    )
    assert body["tools"] == [{**WEATHER, "strict": True}]
    assert body["tool_choice"] == "auto"
    assert body["reasoning"] == {"effort": None, "summary": "detailed"}
    assert body["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert body["truncation"] == "disabled"
    sampled = created(scripted, "hi", temperature=0, top_p=0.5)
    assert (sampled["temperature"], sampled["top_p"]) == (0, 0.5)


def test_a_thought_comes_before_its_message(scripted: Server) -> None:
    thought, message = created(scripted, script("<think>Hm, hm.</think>Yes."))["output"]
    assert thought == {
        "id": thought["id"],
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hm, hm."}],
    }
    assert message["content"][0]["text"] == "Yes."


def test_an_answer_that_is_too_long_is_incomplete(scripted: Server) -> None:
    body = created(scripted, script("one two three"), max_output_tokens=2)
    assert body["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    assert body["completed_at"] is None
    [message] = body["output"]
    assert (message["status"], message["content"][0]["text"]) == ("incomplete", "one two")


def test_silence_is_an_empty_message(scripted: Server) -> None:
    for said in (script(""), script("<think>Hm.</think>")):
        assert output_text(created(scripted, said)) == ""


def test_logprobs(scripted: Server) -> None:
    include = {"include": ["message.output_text.logprobs"]}
    for options, top in (
        (include, 0),
        ({"top_logprobs": 1}, 1),
        (include | {"top_logprobs": 1}, 1),
    ):
        [message] = created(scripted, script("one two"), **options)["output"]
        entries = message["content"][0]["logprobs"]
        assert [entry["token"] for entry in entries] == ["one", " two"]
        assert {len(entry["top_logprobs"]) for entry in entries} == {top}


def test_answers_of_a_schema(scripted: Server) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    described = {"type": "json_schema", "name": "place", "schema": schema}
    body = created(scripted, "where?", text={"format": described})
    assert json.loads(output_text(body)).keys() == {"city"}
    assert body["text"]["format"] == {**described, "description": None, "strict": True}


# --- the stream ---


def test_the_stream_is_openais(scripted: Server) -> None:
    found = events(scripted, script("one two"))
    assert types(found) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    begun, ended = found[0]["response"], found[-1]["response"]
    assert (begun["status"], begun["output"], begun["usage"]) == ("in_progress", [], None)
    assert (ended["status"], ended["id"]) == ("completed", begun["id"])
    assert ended["output"] == [found[-2]["item"]]
    assert output_text(ended) == "one two"


def test_calls_and_thoughts_are_streamed(scripted: Server) -> None:
    text = f"<think>Hm.</think>Wait. {call('get_weather', city='Oslo')}"
    found = events(scripted, script(text), tools=[WEATHER])
    assert types(found)[2:-1] == [
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    done = found[-3]
    assert (done["name"], json.loads(done["arguments"])) == ("get_weather", {"city": "Oslo"})
    kinds = [item["type"] for item in found[-1]["response"]["output"]]
    assert kinds == ["reasoning", "message", "function_call"]


def test_a_stream_that_is_too_long_ends_incomplete(scripted: Server) -> None:
    *_, done, last = events(scripted, script("one two three"), max_output_tokens=2)
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["output"] == [done["item"]]
    assert done["item"]["status"] == "incomplete"


def test_the_sdk_follows_the_stream(scripted: Server) -> None:
    client = scripted.client()
    with client.responses.stream(model=MODEL, input=script("one two three")) as stream:
        deltas = [e.delta for e in stream if e.type == "response.output_text.delta"]
        assert "".join(deltas) == stream.get_final_response().output_text == "one two three"


# --- going on ---


def test_a_conversation_goes_on_from_a_response(scripted: Server) -> None:
    client = scripted.client()
    first = client.responses.create(model=MODEL, input="My name is Ada")
    second = client.responses.create(
        model=MODEL, input="What is it?", previous_response_id=first.id
    )
    assert second.previous_response_id == first.id
    listed = client.responses.input_items.list(second.id, order="asc").data
    assert [item.content[0].text for item in listed if item.type == "message"] == [  # type: ignore[union-attr]
        "My name is Ada",
        "You said: My name is Ada",
        "What is it?",
    ]


@pytest.mark.parametrize("whole", [True, False])
def test_the_tool_loop(scripted: Server, whole: bool) -> None:
    """With everything sent again, and from the response before."""
    client = scripted.client()
    question: dict[str, Any] = {"role": "user", "content": "Weather?"}
    first = client.responses.create(model=MODEL, input=[question], tools=[WEATHER])  # type: ignore[list-item]
    [made] = first.output
    assert isinstance(made, ResponseFunctionToolCall)
    result = {"type": "function_call_output", "call_id": made.call_id, "output": "sunny"}
    if whole:
        again: Any = [question, made, result]
        last = client.responses.create(model=MODEL, input=again, tools=[WEATHER], store=False)  # type: ignore[list-item]
    else:
        last = client.responses.create(
            model=MODEL,
            input=[result],  # type: ignore[list-item]
            tools=[WEATHER],  # type: ignore[list-item]
            previous_response_id=first.id,
        )
    assert last.output_text == "The result is: sunny"


def test_what_is_not_kept_cannot_be_gone_on_from(scripted: Server) -> None:
    made = created(scripted, "hi", store=False)
    assert made["store"] is False
    error = asked(scripted, "hi", previous_response_id=made["id"]).json()["error"]
    assert (error["param"], error["code"]) == (
        "previous_response_id",
        "previous_response_not_found",
    )
    assert scripted.http.get(f"{PATH}/{made['id']}").status_code == 404


# --- errors, and clients that leave ---


def test_the_sdk_raises_the_right_class(scripted: Server) -> None:
    client = scripted.client()
    with pytest.raises(openai.BadRequestError) as bad:
        client.responses.create(model=MODEL, input="x", background=True)
    assert (bad.value.param, bad.value.code) == ("background", "unsupported_parameter")
    with pytest.raises(openai.BadRequestError) as missing:
        client.responses.create(model="no-such-model", input="x")
    assert (missing.value.param, missing.value.code) == ("model", "model_not_found")


@pytest.mark.parametrize("stream", [True, False])
def test_a_conversation_that_does_not_fit(scripted: Server, stream: bool) -> None:
    response = asked(scripted, "word " * 9000, stream=stream)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["param"], error["code"]) == ("input", "context_length_exceeded")


def test_an_engine_fault_fails_the_response(scripted: Server) -> None:
    faulty = script("one two three", mishap={"kind": "error", "after": 2})
    *_, error, failed = events(scripted, faulty)
    assert error["type"] == "error"
    assert error["error"].keys() == {"message", "type", "param", "code"}
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"]["code"] == "server_error"
    with pytest.raises(openai.APIError, match="script says so"):
        list(scripted.client().responses.create(model=MODEL, input=faulty, stream=True))
    with pytest.raises(openai.InternalServerError):
        scripted.client().responses.create(model=MODEL, input=faulty)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("prefill_ms", [0, 30_000])
def test_a_client_that_leaves_frees_its_place(
    scripted: Server, stream: bool, prefill_ms: int
) -> None:
    slow = script("tick " * 200, rate=10, prefill_ms=prefill_ms)
    before = scripted.metric("request_success_total")
    count = "num_requests_waiting" if prefill_ms else "num_requests_running"
    with scripted.unread({"model": MODEL, "input": slow, "stream": stream}, PATH):
        assert wait_until(lambda: scripted.metric(count) == 1, 5)
    assert wait_until(scripted.idle, 1)
    assert wait_until(lambda: scripted.metric("request_success_total") == before + 1, 2)
    generated = scripted.metric("generation_tokens_total")
    time.sleep(0.3)
    assert scripted.metric("generation_tokens_total") == generated


def test_without_v1(scripted: Server) -> None:
    response: httpx.Response = scripted.http.post("/responses", json={"model": MODEL, "input": "x"})
    assert response.json()["object"] == "response"
    found = scripted.http.get(f"/responses/{response.json()['id']}").json()
    assert found == response.json()
