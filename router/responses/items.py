"""The items of a conversation as the Responses API lists and keeps them: whole, with ids."""

from __future__ import annotations

from typing import Any, Literal

from router.fielderrors import bad_field, shown
from router.ids import new_hex_id

Item = dict[str, Any]

PREFIXES = {
    "message": "msg_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "reasoning": "rs_",
}


def new_item(kind: str, **members: Any) -> Item:
    return {"id": new_hex_id(PREFIXES[kind]), "type": kind, **members}


def whole(given: Item) -> Item:
    """An item that a client sent, with what it left out."""
    said = {key: value for key, value in given.items() if value is not None}
    kind = said["type"]
    item = {**new_item(kind), **said}
    if kind != "reasoning":
        item["status"] = "completed"
    if kind == "message" and isinstance(said["content"], str):
        item["content"] = [text_part(said["role"], said["content"])]
    elif kind == "message":
        item["content"] = [_whole_part(part) for part in said["content"]]
    return item


def _whole_part(part: Item) -> Item:
    return {"annotations": [], **part} if part["type"] == "output_text" else part


def text_part(role: str, text: str) -> Item:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "input_text", "text": text}


def text_of(content: str | list[Item] | None) -> str:
    """What parts of any kind say."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or part.get("refusal") or "" for part in content or ())


def page(
    items: list[Item], *, after: str | None, limit: int, order: Literal["asc", "desc"]
) -> dict[str, Any]:
    """A list object with ``limit`` items from behind the one with the id ``after``."""
    ordered = items if order == "asc" else items[::-1]
    start = 0
    if after is not None:
        places = [at for at, item in enumerate(ordered, 1) if item["id"] == after]
        if not places:
            raise bad_field("after", "invalid_value", f"there is no item {shown(after)}")
        start = places[0]
    listed = ordered[start : start + limit]
    return {
        "object": "list",
        "data": listed,
        "first_id": listed[0]["id"] if listed else None,
        "last_id": listed[-1]["id"] if listed else None,
        "has_more": start + limit < len(ordered),
    }
