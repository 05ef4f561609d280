"""Answers such as OpenAI gives, made up: what the judges must let pass."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conformance.client import Exchange, Received, Sent
from conformance.replay.recording import Recording
from conformance.tests.response_events import stream

Json = dict[str, Any]

HOST = "https://api.openai.com/v1"
SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION: Json = {"name": "weather", "description": "Of a city.", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]
FLAT_TOOLS = [{"type": "function", **FUNCTION, "strict": True}]
ARGUMENTS = '{"city": "Oslo"}'
CALL: Json = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": ARGUMENTS},
}
USAGE: Json = {
    "prompt_tokens": 9,
    "completion_tokens": 3,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
LOGPROBS: Json = {
    "content": [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}],
    "refusal": None,
}


@dataclass(frozen=True)
class Given:
    """A request and its answer: one JSON object, or events, strings as they are."""

    path: str
    request: Json | None
    answer: Json | list[Json | str]
    method: str = "POST"
    status: int = 200

    @property
    def documents(self) -> list[Json | str]:
        return self.answer if isinstance(self.answer, list) else [self.answer]

    def asking(self, **fields: Any) -> Given:
        return replace(self, request={**(self.request or {}), **fields})

    def exchange(self) -> Exchange:
        body = None if self.request is None else json.dumps(self.request).encode()
        sent = Sent(self.method, HOST + self.path, {}, body)
        if isinstance(self.answer, dict):
            kind, text = "application/json", json.dumps(self.answer)
        else:
            kind, text = "text/event-stream; charset=utf-8", "".join(map(_event, self.answer))
        received = Received(self.status, [("content-type", kind)], [(0.0, text.encode())])
        return Exchange(sent, received)

    def recording(self) -> Recording:
        return Recording("made-up", "made up", "none", None, self.exchange())


def _event(event: Json | str) -> str:
    if isinstance(event, str):
        return f"data: {event}\n\n"
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n"


def chat(message: Json, finish: str = "stop", **choice: Any) -> Json:
    said = {"role": "assistant", "content": None, "refusal": None, "annotations": [], **message}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-6",
        "choices": [
            {"index": 0, "message": said, "logprobs": None, "finish_reason": finish, **choice}
        ],
        "usage": USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }


def chunks(*deltas: Json, finish: str = "stop", usage: bool = False) -> list[Json | str]:
    """A stream of one choice; with ``usage`` it was asked for."""
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "gpt-6",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        **({"usage": None} if usage else {}),
    }
    ends = [*((delta, None) for delta in deltas), ({}, finish)]
    made: list[Json | str] = [
        {**head, "choices": [{"index": 0, "delta": d, "logprobs": None, "finish_reason": end}]}
        for d, end in ends
    ]
    if usage:
        made.append({**head, "choices": [], "usage": USAGE})
    return [*made, "[DONE]"]


def text_choice(text: str, finish: str | None, index: int = 0) -> Json:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def completion(*choices: Json) -> Json:
    counts = {name: USAGE[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_790_000_000,
        "model": "gpt-3.5-turbo-instruct",
        "choices": list(choices),
        "usage": counts,
    }


def completion_chunk(text: str, finish: str | None) -> Json:
    made = completion(text_choice(text, finish))
    del made["usage"]
    return made


def message_item(text: str) -> Json:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


CALL_ITEM: Json = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "arguments": ARGUMENTS,
    "call_id": "call_1",
    "name": "weather",
}


def response(request: Json, *output: Json, **members: Any) -> Json:
    """One that is complete, and says what was asked for."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "background": False,
        "completed_at": 1_790_000_001,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "model": "gpt-6",
        "output": list(output),
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 12,
        },
        "user": None,
        **{name: value for name, value in request.items() if name not in ("input", "stream")},
        **members,
    }


def response_events(request: Json) -> list[Json | str]:
    """Reasoning, a message and a call, with all the members that OpenAI's have."""
    begun = {"status": "in_progress", "completed_at": None, "usage": None}
    events = stream()
    whole = events[-1]["response"]["output"]
    for event in events:
        _filled(event)
    for event in (events[0], events[1]):
        event["response"] = response(request, **begun)
    events[-1]["response"] = response(request, *whole)
    return [{**event, "sequence_number": at} for at, event in enumerate(events)]


def _filled(event: Json) -> None:
    """Members that the grammar of a stream does not look at."""
    kind = event["type"]
    if kind.startswith("response.output_text"):
        event["logprobs"] = []
    for part in (event.get("part"), *((event.get("item") or {}).get("content") or [])):
        if part and part["type"] == "output_text":
            part |= {"annotations": [], "logprobs": []}
    if item := event.get("item"):
        if item["type"] == "message":
            item.setdefault("content", [])
        if item["type"] == "function_call":
            item |= {"name": "now", "status": item.get("status", "in_progress")}
            item.setdefault("arguments", "")
    for item in (event.get("response") or {}).get("output") or []:
        for part in item.get("content") or []:
            if part["type"] == "output_text":
                part |= {"annotations": [], "logprobs": []}


def vectors(*embeddings: Any) -> Json:
    data = [
        {"object": "embedding", "index": at, "embedding": made}
        for at, made in enumerate(embeddings)
    ]
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    return {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}


def in_base64(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


ASKED: Json = {"model": "gpt-6", "messages": [{"role": "user", "content": "Hi"}]}
TOLD: Json = {"model": "gpt-6", "input": "Hi"}
STREAMED = {**ASKED, "stream": True}
COUNTED = {**STREAMED, "stream_options": {"include_usage": True}}
COMPLETED: Json = {"model": "gpt-3.5-turbo-instruct", "prompt": "Once"}
EMBED: Json = {"model": "text-embedding-3-small", "input": "Hi"}
NOW = {"type": "function", "name": "now", "description": "It.", "parameters": {}, "strict": True}
FIRST: Json = {"role": "assistant", "content": "", "refusal": None}
MODEL: Json = {"id": "gpt-6", "object": "model", "created": 1_790_000_000, "owned_by": "openai"}


def tails(*pieces: str) -> list[Json]:
    return [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]


def head(**more: Any) -> Json:
    """The delta that begins with a call."""
    function = {"name": "weather", "arguments": ""}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [{**call, **more}]}


GENUINE: dict[str, Given] = {
    "chat": Given("/chat/completions", ASKED, chat({"content": "Hi."})),
    "chat call": Given(
        "/chat/completions",
        {**ASKED, "tools": TOOLS, "tool_choice": "required"},
        chat({"tool_calls": [CALL]}, "tool_calls"),
    ),
    "chat logprobs": Given(
        "/chat/completions",
        {**ASKED, "logprobs": True},
        chat({"content": "Hi"}, logprobs=LOGPROBS),
    ),
    "chat stream": Given(
        "/chat/completions", STREAMED, chunks(FIRST, {"content": "Hi"}, {"content": "."})
    ),
    "chat stream usage": Given(
        "/chat/completions", COUNTED, chunks(FIRST, {"content": "Hi"}, usage=True)
    ),
    "chat stream call": Given(
        "/chat/completions",
        {**STREAMED, "tools": TOOLS},
        chunks(head(), *tails(ARGUMENTS[:5], ARGUMENTS[5:]), finish="tool_calls"),
    ),
    "completion": Given("/completions", COMPLETED, completion(text_choice(" upon", "length"))),
    "completion stream": Given(
        "/completions",
        {**COMPLETED, "stream": True},
        [completion_chunk(" up", None), completion_chunk("on", "stop"), "[DONE]"],
    ),
    "response": Given("/responses", TOLD, response(TOLD, message_item("Hi."))),
    "response call": Given(
        "/responses",
        {**TOLD, "tools": FLAT_TOOLS},
        response({**TOLD, "tools": FLAT_TOOLS}, CALL_ITEM),
    ),
    "response stream": Given(
        "/responses",
        {**TOLD, "stream": True, "tools": [NOW]},
        response_events({**TOLD, "tools": [NOW]}),
    ),
    "response kept": Given(
        "/responses/resp_1", None, response({}, message_item("Hi.")), method="GET"
    ),
    "response deleted": Given(
        "/responses/resp_1",
        None,
        {"id": "resp_1", "object": "response", "deleted": True},
        method="DELETE",
    ),
    "response items": Given(
        "/responses/resp_1/input_items",
        None,
        {
            "object": "list",
            "data": [message_item("Hi.")],
            "first_id": "msg_1",
            "last_id": "msg_1",
            "has_more": False,
        },
        method="GET",
    ),
    "input tokens": Given(
        "/responses/input_tokens", TOLD, {"object": "response.input_tokens", "input_tokens": 9}
    ),
    "embeddings": Given("/embeddings", EMBED, vectors([0.5, -0.25])),
    "embeddings base64": Given(
        "/embeddings", {**EMBED, "encoding_format": "base64"}, vectors(in_base64(0.5, -0.25))
    ),
    "models": Given("/models", None, {"object": "list", "data": [MODEL]}, method="GET"),
    "model": Given("/models/gpt-6", None, MODEL, method="GET"),
    "refused": Given(
        "/chat/completions",
        ASKED,
        {
            "error": {
                "message": "No such model.",
                "type": "invalid_request_error",
                "param": None,
                "code": "model_not_found",
            }
        },
        status=404,
    ),
}


def changed(given: Given, change: Callable[[Any], Any]) -> Given:
    """The same with another answer: ``change`` is handed a copy, to alter or to replace."""
    answer = json.loads(json.dumps(given.answer))
    result = change(answer)
    return replace(given, answer=answer if result is None else result)
