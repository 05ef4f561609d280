"""What answers say of the tokens that were used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.accounts import told
from conformance.client import Exchange, Received, Sent

Json = dict[str, Any]

CHAT = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
RESPONSES = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
FOUND = {"prompt_tokens": 3, "completion_tokens": 2}
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0}


def answered(body: Json, method: str = "POST") -> Exchange:
    received = Received(200, [("content-type", "application/json")])
    received.reads.append((0.1, json.dumps(body).encode()))
    return Exchange(Sent(method, "http://host/v1", {}, b"{}"), received)


def streamed(*events: Json) -> Exchange:
    received = Received(200, [("content-type", "text/event-stream; charset=utf-8")])
    for event in events:
        received.reads.append((0.1, f"data: {json.dumps(event)}\n\n".encode()))
    received.reads.append((0.2, b"data: [DONE]\n\n"))
    return Exchange(Sent("POST", "http://host/v1", {}, b"{}"), received)


@pytest.mark.parametrize(
    "exchange",
    [
        answered({"choices": [], "usage": CHAT}),
        answered({"output": [], "usage": RESPONSES}),
        streamed({"choices": [], "usage": None}, {"choices": [], "usage": CHAT}),
        streamed({"response": {"usage": None}}, {"response": {"usage": RESPONSES}}),
        streamed({"usage": {**CHAT, "completion_tokens": 1}}, {"usage": CHAT}),
    ],
    ids=["chat", "responses", "stream of chat", "stream of responses", "usage that grows"],
)
def test_usage_is_found(exchange: Exchange) -> None:
    assert told([exchange]) == FOUND
    assert told([exchange, exchange]) == {"prompt_tokens": 6, "completion_tokens": 4}


@pytest.mark.parametrize(
    "exchange",
    [
        answered({"error": {"message": "no"}}),
        answered({"output": [], "usage": RESPONSES}, method="GET"),
        streamed({"choices": []}),
    ],
    ids=["an error", "a response read once more", "a stream that does not say"],
)
def test_what_cost_nothing_or_does_not_say(exchange: Exchange) -> None:
    assert told([exchange]) == NOTHING
