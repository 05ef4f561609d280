"""The events of a Responses stream, made up: no more of each than its grammar looks at."""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]

SUMMARY: Json = {"id": "rs_1", "type": "reasoning", "summary": []}
MESSAGE: Json = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress"}
CALL: Json = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "now"}


def event(kind: str, **members: Any) -> Json:
    return {"type": kind, **members}


def response(status: str, output: list[Json]) -> Json:
    return {"response": {"id": "resp_1", "status": status, "output": output}}


def text(kind: str, member: str, whole: str, **place: Any) -> list[Json]:
    """Two deltas and what ends them."""
    deltas = [event(f"{kind}.delta", delta=piece, **place) for piece in (whole[:2], whole[2:])]
    return [*deltas, event(f"{kind}.done", **{member: whole}, **place)]


def part(kind: str, whole: str, member: str, **place: Any) -> list[Json]:
    """A content part, opened, filled and closed."""
    of = {"content_index": 0, **place}
    return [
        event("response.content_part.added", part={"type": kind, member: ""}, **of),
        *text(f"response.{kind}", member, whole, **of),
        event("response.content_part.done", part={"type": kind, member: whole}, **of),
    ]


def item(index: int, opened: Json, closed: Json, inner: list[Json]) -> list[Json]:
    return [
        event("response.output_item.added", output_index=index, item={**opened}),
        *inner,
        event("response.output_item.done", output_index=index, item={**opened, **closed}),
    ]


def reasoning(index: int) -> list[Json]:
    place = {"output_index": index, "item_id": "rs_1", "summary_index": 0}
    whole = {"type": "summary_text", "text": "Think."}
    kind = "response.reasoning_summary"
    inner = [
        event(f"{kind}_part.added", part={"type": "summary_text", "text": ""}, **place),
        *text(f"{kind}_text", "text", "Think.", **place),
        event(f"{kind}_part.done", part=whole, **place),
    ]
    return item(index, SUMMARY, {"summary": [whole]}, inner)


def message(index: int) -> list[Json]:
    place = {"output_index": index, "item_id": "msg_1"}
    content = [{"type": "output_text", "text": "Hello"}, {"type": "refusal", "refusal": "No!"}]
    said = part("output_text", "Hello", "text", **place)
    refused = part("refusal", "No!", "refusal", **place, content_index=1)
    return item(index, MESSAGE, {"status": "completed", "content": content}, [*said, *refused])


def call(index: int) -> list[Json]:
    place = {"output_index": index, "item_id": "fc_1"}
    inner = text("response.function_call_arguments", "arguments", "{}", **place)
    return item(index, CALL, {"arguments": "{}", "status": "completed"}, inner)


def stream(ended: str = "completed") -> list[Json]:
    """Reasoning, a message of two parts, and a call."""
    inner = [*reasoning(0), *message(1), *call(2)]
    closed = [copy.deepcopy(e["item"]) for e in inner if e["type"].endswith("output_item.done")]
    events = [
        event("response.created", **response("in_progress", [])),
        event("response.in_progress", **response("in_progress", [])),
        *inner,
        event(f"response.{ended}", **response(ended, closed)),
    ]
    return events
