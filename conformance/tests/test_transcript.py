"""Streams put together."""

from __future__ import annotations

import json
from typing import Any

from conformance.client import Exchange, Received, Sent
from conformance.transcript import Transcript

Json = dict[str, Any]


def transcript(*events: Json | str, request: Json | None = None) -> Transcript:
    """Each event is a read of its own, 0.1 s after the one before."""
    received = Received(200, [("content-type", "text/event-stream")])
    for index, event in enumerate(events):
        data = event if isinstance(event, str) else json.dumps(event)
        received.reads.append((index / 10, f"data: {data}\n\n".encode()))
    body = json.dumps(request or {}).encode()
    return Transcript.of(Exchange(Sent("POST", "http://host/v1", {}, body), received))


def chunk(index: int = 0, finish: str | None = None, /, **delta: Any) -> Json:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def call(index: int, **members: Any) -> Json:
    return chunk(tool_calls=[{"index": index, **members}])


def test_text_and_reasoning_are_joined_and_done_is_no_chunk() -> None:
    stream = transcript(
        chunk(role="assistant", content=""),
        chunk(reasoning_content="hm"),
        chunk(reasoning="m"),
        chunk(content="Hello"),
        chunk(content=" Ada"),
        chunk(0, "stop"),
        "[DONE]",
    )
    assert (stream.choice.content, stream.choice.reasoning) == ("Hello Ada", "hmm")
    assert stream.choice.finish_reasons == ["stop"]
    assert len(stream.chunks) == 6
    assert stream.problems == []


def test_choices_are_told_apart() -> None:
    stream = transcript(chunk(0, content="a"), chunk(1, content="b"), chunk(0, content="c"))
    assert {index: choice.content for index, choice in stream.choices.items()} == {0: "ac", 1: "b"}


def test_calls_are_joined_by_index() -> None:
    stream = transcript(
        call(0, id="call_1", function={"name": "now", "arguments": ""}),
        call(1, id="call_2", function={"name": "then", "arguments": '{"a'}),
        call(0, function={"arguments": "{}"}),
        call(1, function={"arguments": '": 1}'}),
    )
    assert stream.choice.calls == {
        0: {"id": "call_1", "name": "now", "arguments": "{}"},
        1: {"id": "call_2", "name": "then", "arguments": '{"a": 1}'},
    }


def test_an_id_that_is_sent_twice_is_doubled_as_in_the_sdks() -> None:
    stream = transcript(call(0, id="a"), call(0, id="a"))
    assert stream.choice.calls[0]["id"] == "aa"


def test_usage_and_the_request_are_found() -> None:
    asked = {"stream_options": {"include_usage": True}}
    usage = {"total_tokens": 3}
    stream = transcript(
        {**chunk(content="a"), "usage": None}, {"choices": [], "usage": usage}, request=asked
    )
    assert (stream.usage, stream.request) == (usage, asked)


def test_an_error_event_is_no_completion() -> None:
    stream = transcript(chunk(content="a"), {"error": {"message": "gone"}})
    assert stream.error == {"message": "gone"}
    assert len(stream.completions) == 1


def test_a_stream_without_choices_has_an_empty_one() -> None:
    stream = transcript("[DONE]")
    assert (stream.choice.content, stream.choice.calls, stream.usage) == ("", {}, None)


def test_events_that_are_no_json_objects_are_problems() -> None:
    stream = transcript("{", "[1]", chunk(content="a"))
    assert len(stream.problems) == 2
    assert stream.choice.content == "a"


def test_only_what_a_user_would_see_has_a_payload_time() -> None:
    stream = transcript(
        chunk(role="assistant", content=""),
        chunk(content="a"),
        chunk(reasoning_content="b"),
        call(0, id="call_1"),
        call(0, function={"name": "now"}),
        call(0, function={"arguments": "{}"}),
        chunk(0, "tool_calls"),
        {"choices": [], "usage": {}},
    )
    assert stream.payload_times() == [0.1, 0.2, 0.4, 0.5]
