"""Tools and the choice between them, in the shapes of the Responses API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from router.schema.fields import FunctionType, Inbound
from router.schema.tools import Function


class _Typed(Inbound):
    """A base of its own, so that a wrong type is found before anything else."""

    type: FunctionType


class FunctionTool(Function, _Typed):
    strict: bool | None = None


class Namespace(Inbound):
    """A group of functions. Codex sends its own with every request, and does without them."""

    type: Literal["namespace"]


class CachedSearch(Inbound):
    """A search that may not leave OpenAI's cache. Codex sends it with every request, too."""

    type: Literal["web_search"]
    external_web_access: Literal[False]


OfferedTool = FunctionTool | Namespace | CachedSearch


def functions_of(tools: Iterable[OfferedTool]) -> dict[int, FunctionTool]:
    """The functions among the tools, each by its place."""
    return {at: tool for at, tool in enumerate(tools) if isinstance(tool, FunctionTool)}


def ignored_in(tools: Iterable[OfferedTool]) -> tuple[str, ...]:
    """The types of the tools that are not offered to the model."""
    return tuple(tool.type for tool in tools if not isinstance(tool, FunctionTool))


def chat_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """A function as chat completions describe it; templates show the model every key."""
    keys = FunctionTool.model_fields.keys() - {"type"}
    function = {key: value for key, value in tool.items() if key in keys and value is not None}
    return {"type": "function", "function": function}


def chat_choice(choice: object) -> object:
    """The same choice as chat completions put it; anything else as it is."""
    match choice:
        case {"type": "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case {"type": "allowed_tools", "mode": mode, "tools": list(tools)}:
            allowed = {"mode": mode, "tools": [chat_choice(tool) for tool in tools]}
            return {"type": "allowed_tools", "allowed_tools": allowed}
    return choice
