"""The functions that the evaluation offers, and that training must not know."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from openai.types.chat import ChatCompletionFunctionToolParam
from openai.types.shared_params import FunctionDefinition

DATA = Path(__file__).parent / "data"


def _tool(name: str, table: dict[str, Any]) -> ChatCompletionFunctionToolParam:
    schema = {
        "type": "object",
        "properties": table.get("properties", {}),
        "required": table.get("required", []),
    }
    function = FunctionDefinition(name=name, description=table["description"], parameters=schema)
    return {"type": "function", "function": function}


def _load() -> dict[str, ChatCompletionFunctionToolParam]:
    tables = tomllib.loads((DATA / "held_out.toml").read_text(encoding="utf-8"))
    return {name: _tool(name, table) for name, table in tables.items()}


TOOLS = _load()
"""As a request offers them, by name."""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a function's arguments."""
    return TOOLS[name]["function"]["parameters"]
