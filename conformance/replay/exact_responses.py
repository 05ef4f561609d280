"""Responses: what one tells, and the script that makes the engine tell it again.

Thoughts are left out. What OpenAI shows of them is a summary that another model has written, or
nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise

from conformance.replay.answers import is_stream, objects
from conformance.replay.exact_told import Json, Reader, Told, once, parsed, script

SILENT = ("keepalive", "response.queued")
"""Events that say nothing of the answer."""


def told(body: bytes, read: Reader) -> Told:
    """Of a response, or of a stream put together."""
    if not is_stream(body):
        response = next(objects(body))
        return Told(_said(response, response["output"], read))
    events = list(objects(body))
    items: dict[int, Json] = {}
    for event in events:
        _join(items, event)
    output = [item for _, item in sorted(items.items())]
    return Told(_said(events[-1]["response"], output, read), {"events": once(_kinds(events))})


def beyond(answer: Told) -> str | None:
    """What is in it that no script can tell."""
    if answer.said["status"] not in ("completed", "incomplete"):
        return f"status {answer.said['status']}"
    if answer.said["incomplete_details"] not in (None, {"reason": "max_output_tokens"}):
        return "content filter"
    for item in answer.said["output"]:
        if item["type"] not in ("message", "function_call"):
            return f"item {item['type']}"
        if len(parts := item.get("content", ())) > 1:
            return "several parts"
        for part in parts:
            if part["type"] != "output_text":
                return str(part["type"])
            if part["annotations"]:
                return "annotations"
    kinds = [item["type"] for item in answer.said["output"]]
    # A model's text has no seam where OpenAI's new protocol may begin another message.
    return "messages in a row" if ("message", "message") in pairwise(kinds) else None


def scripts(answer: Told) -> list[Json]:
    """What the engine is to play."""
    said = [
        said
        for item in answer.said["output"]
        for said in ([part["text"] for part in item["content"]] if "content" in item else [item])
    ]
    return [script(said, cut=answer.said["status"] == "incomplete")]


def _said(response: Json, output: list[Json], read: Reader) -> Json:
    return {
        "status": response["status"],
        "incomplete_details": response["incomplete_details"],
        "output": [_item(item, read) for item in output if item["type"] != "reasoning"],
    }


def _item(item: Json, read: Reader) -> Json:
    known = {"type": item["type"], "status": item.get("status")}
    if item["type"] == "message":
        parts = [
            {
                "type": part["type"],
                "text": read(part["text"]) if part.get("text") else "",
                "annotations": part.get("annotations") or [],
            }
            for part in item["content"]
        ]
        return {**known, "role": item["role"], "content": parts}
    if item["type"] == "function_call":
        return {**known, "name": item["name"], "arguments": parsed(item["arguments"])}
    return known


def _join(items: dict[int, Json], event: Json) -> None:
    """Items grow by their deltas; only a status and annotations come with their end."""
    place = event.get("output_index", -1)
    match event["type"]:
        case "response.output_item.added":
            items[place] = copy.deepcopy(event["item"])
        case "response.content_part.added":
            items[place]["content"].append(dict(event["part"]))
        case "response.output_text.delta":
            items[place]["content"][event["content_index"]]["text"] += event["delta"]
        case "response.function_call_arguments.delta":
            items[place]["arguments"] += event["delta"]
        case "response.content_part.done":
            part = items[place]["content"][event["content_index"]]
            part["annotations"] = event["part"].get("annotations")
        case "response.output_item.done":
            items[place]["status"] = event["item"].get("status")


def _kinds(events: list[Json]) -> Iterator[str]:
    """Without those of thoughts."""
    thoughts = {
        event["output_index"]
        for event in events
        if event.get("item", {}).get("type") == "reasoning"
    }
    for event in events:
        if event.get("output_index") not in thoughts and event["type"] not in SILENT:
            yield event["type"].removeprefix("response.")
