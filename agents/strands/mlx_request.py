"""A Strands conversation as the body of a chat completions request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from strands.types.content import Message, Messages, SystemContentBlock
from strands.types.tools import ToolChoice, ToolSpec

Json = dict[str, Any]

NOT_SPOKEN = {"toolUse", "toolResult", "reasoningContent", "cachePoint"}
"""Blocks with a field of their own. Cache points need none: the router keeps every prefix."""


def message_fields(messages: Messages, system: str | list[SystemContentBlock] | None) -> Json:
    """Raises ValueError for a content block that the router takes no part in, such as video."""
    spoken = [said for message in messages for said in _formatted(message)]
    if not system:
        return {"messages": spoken}
    content = system if isinstance(system, str) else _text_parts(system)
    return {"messages": [{"role": "system", "content": content}, *spoken]}


def tool_fields(tool_specs: list[ToolSpec] | None, choice: ToolChoice | None) -> Json:
    if not tool_specs:
        return {}
    functions = [
        {
            "name": spec["name"],
            "description": spec["description"],
            "parameters": spec["inputSchema"]["json"],
        }
        for spec in tool_specs
    ]
    tools = [{"type": "function", "function": function} for function in functions]
    return {"tools": tools, "tool_choice": _tool_choice(choice)}


def _tool_choice(choice: ToolChoice | None) -> str | Json:
    match choice:
        case {"tool": {"name": name}}:
            return {"type": "function", "function": {"name": name}}
        case {"any": _}:
            return "required"
        case _:
            return "auto"


def _formatted(message: Message) -> Iterator[Json]:
    """One message of Strands is several of OpenAI's where it carries tool results, which have
    to follow the calls before anything else is said."""
    blocks = message["content"]
    yield from (_tool_message(block["toolResult"]) for block in blocks if "toolResult" in block)
    fields = {
        "content": _text_parts(blocks),
        "reasoning_content": "".join(_thoughts(blocks)),
        "tool_calls": [_tool_call(block["toolUse"]) for block in blocks if "toolUse" in block],
    }
    if said := {name: value for name, value in fields.items() if value}:
        yield {"role": message["role"], **said}


def _text_parts(blocks: list[Any]) -> list[Json]:
    return [
        {"type": "text", "text": _text(block)}
        for block in blocks
        if NOT_SPOKEN.isdisjoint(block.keys())
    ]


def _text(block: Json) -> str:
    """A result's block can be JSON as well."""
    if "json" in block:
        return json.dumps(block["json"], ensure_ascii=False)
    if "text" in block:
        return str(block["text"])
    raise ValueError(f"MLXModel sends text and tool calls; leave out the {', '.join(block)} block")


def _thoughts(blocks: list[Any]) -> Iterator[str]:
    for block in blocks:
        if reasoning := block.get("reasoningContent", {}).get("reasoningText"):
            yield reasoning["text"]


def _tool_call(use: Any) -> Json:
    arguments = json.dumps(use["input"], ensure_ascii=False)
    function = {"name": use["name"], "arguments": arguments}
    return {"id": use["toolUseId"], "type": "function", "function": function}


def _tool_message(result: Any) -> Json:
    content = _text_parts(result["content"])
    return {"role": "tool", "tool_call_id": result["toolUseId"], "content": content}
