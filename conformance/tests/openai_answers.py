"""Answers such as OpenAI gives, made up: the same words and call in each of its shapes."""

from __future__ import annotations

import json
from typing import Any

from conformance.client import Exchange, Received, Sent
from conformance.replay.recording import Recording

Json = dict[str, Any]
Events = list[Json]
URL = "https://api.openai.com/v1"
CHAT, RESPONSES = "/chat/completions", "/responses"

FUNCTION = {"name": "f", "arguments": '{"a":[1,"ü"]}'}
CALL: Json = {"id": "call_1", "type": "function", "function": FUNCTION}
MESSAGE: Json = {"role": "assistant", "content": "Let me see.", "refusal": None, "annotations": []}
COMPLETION: Json = {
    "id": "chatcmpl-1",
    "created": 1,
    "choices": [
        {"index": 0, "message": {**MESSAGE, "tool_calls": [CALL]}, "finish_reason": "tool_calls"},
        {"index": 1, "message": MESSAGE, "finish_reason": "length"},
    ],
    "usage": {"total_tokens": 3},
}


def chunk(delta: Json, finish_reason: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "choices": [choice], "usage": None}


def called(part: Json) -> Json:
    return {"tool_calls": [{"index": 0, **part}]}


CHUNKS: Events = [
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "Let me"}),
    chunk({"content": " see."}),
    chunk(called({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}})),
    chunk(called({"function": {"arguments": '{"a":'}})),
    chunk(called({"function": {"arguments": '[1,"ü"]}'}})),
    chunk({}, "tool_calls"),
    {"id": "chatcmpl-1", "choices": [], "usage": {"total_tokens": 3}},
]

PART: Json = {"type": "output_text", "text": "Let me see.", "annotations": []}
DONE = {"status": "completed"}
ITEMS: list[Json] = [
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [PART],
    },
    {
        **{"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1"},
        **{"name": "f", "arguments": '{"a":[1,"ü"]}'},
    },
]
RESPONSE: Json = {
    "id": "resp_1",
    "status": "completed",
    "incomplete_details": None,
    "output": ITEMS,
}


def event(kind: str, place: int | None = None, **members: Any) -> Json:
    placed = {} if place is None else {"output_index": place}
    return {"type": f"response.{kind}", **placed, **members}


def added(place: int, **begun: Any) -> Json:
    item = {**ITEMS[place], "status": "in_progress", **begun}
    return event("output_item.added", place, item=item)


EVENTS: Events = [
    event("created", response={**RESPONSE, "status": "in_progress", "output": []}),
    event("in_progress", response={**RESPONSE, "status": "in_progress", "output": []}),
    added(0),
    event("output_item.done", 0, item=ITEMS[0]),
    added(1, content=[]),
    event("content_part.added", 1, content_index=0, part={**PART, "text": ""}),
    event("output_text.delta", 1, content_index=0, delta="Let me "),
    event("output_text.delta", 1, content_index=0, delta="see."),
    event("output_text.done", 1, content_index=0, text="Let me see."),
    event("content_part.done", 1, content_index=0, part=PART),
    event("output_item.done", 1, item=ITEMS[1]),
    added(2, arguments=""),
    event("function_call_arguments.delta", 2, delta='{"a":[1,"ü"]}'),
    event("function_call_arguments.done", 2, arguments='{"a":[1,"ü"]}'),
    event("output_item.done", 2, item=ITEMS[2]),
    event("completed", response=RESPONSE),
]


def stream(events: Events) -> bytes:
    return "".join(f"data: {json.dumps(each)}\n\n" for each in events).encode()


def body(answer: Json | Events) -> bytes:
    return stream(answer) if isinstance(answer, list) else json.dumps(answer).encode()


def recording(answer: Json | Events, path: str, **asked: Any) -> Recording:
    sent = Sent("POST", URL + path, {}, json.dumps(asked).encode())
    received = Received(200, [], [(0.0, body(answer))], complete=True)
    return Recording("x#0", "x", "x", None, Exchange(sent, received))


def paths(faults: list[Any]) -> list[str]:
    return [fault.where for fault in faults]
