"""Streams of Responses put together."""

from __future__ import annotations

import json
from typing import Any

from conformance.client import Exchange, Received, Sent
from conformance.responsestream import ResponseStream

Json = dict[str, Any]


def stream(*events: Json) -> ResponseStream:
    """Each event is a read of its own, 0.1 s after the one before."""
    received = Received(200, [("content-type", "text/event-stream")])
    for index, event in enumerate(events):
        block = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
        received.reads.append((index / 10, block.encode()))
    return ResponseStream.of(Exchange(Sent("POST", "http://host/v1", {}, b"{}"), received))


def event(kind: str, **members: Any) -> Json:
    return {"type": f"response.{kind}", **members}


def test_text_and_thoughts_are_their_deltas() -> None:
    told = stream(
        event("created"),
        event("reasoning_summary_text.delta", delta="h"),
        event("reasoning_text.delta", delta="m"),
        event("output_text.delta", delta="Hello"),
        event("output_text.delta", delta=" Ada"),
        event("output_text.done", text="something else"),
    )
    assert (told.reasoning, told.text) == ("hm", "Hello Ada")
    assert told.delta_times() == [0.1, 0.2, 0.3, 0.4]
    assert told.response == {}


def test_calls_are_put_together_by_their_place() -> None:
    heads = [{"type": "function_call", "call_id": f"call_{n}", "name": "now"} for n in range(2)]
    told = stream(
        event("output_item.added", output_index=0, item=heads[0]),
        event("output_item.added", output_index=1, item=heads[1]),
        event("output_item.added", output_index=2, item={"type": "message"}),
        event("function_call_arguments.delta", output_index=1, delta='{"a"'),
        event("function_call_arguments.delta", output_index=0, delta="{}"),
        event("function_call_arguments.delta", output_index=1, delta=": 1}"),
    )
    assert told.calls == [
        {**heads[0], "arguments": "{}"},
        {**heads[1], "arguments": '{"a": 1}'},
    ]


def test_the_response_is_that_of_the_end() -> None:
    told = stream(event("created", response={"id": 1}), event("incomplete", response={"id": 2}))
    assert told.response == {"id": 2}
    assert told.kinds == ["created", "incomplete"]


def test_an_error_in_both_forms() -> None:
    """The reference has its members flat, api.openai.com in an object of their own."""
    assert stream({"type": "error", "error": {"code": "c"}}).error == {"code": "c"}
    flat = stream({"type": "error", "code": "c"}).error
    assert flat
    assert flat["code"] == "c"
    assert stream(event("created")).error is None
