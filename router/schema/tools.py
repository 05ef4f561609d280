"""The tools that a client offers, and the choice between them that it leaves to the model."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator

from router.fielderrors import bad_field, refusal, shown
from router.schema import jsonschemas
from router.schema.fields import FunctionType, Inbound

MAX_TOOLS = 128
MAX_SCHEMA_BYTES = 256 * 1024
"""Of all tools of a request together; more would not fit a local model's context anyway."""

ToolChoice = Literal["auto", "none"]

_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def _function_name(name: str) -> str:
    if _FUNCTION_NAME.fullmatch(name):
        return name
    rule = "expected 1 to 128 letters, digits, underscores, hyphens, dots or colons"
    raise refusal("invalid_value", f"{rule}, but got {shown(name)}")


class Function(Inbound):
    name: Annotated[str, AfterValidator(_function_name)]
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(Inbound):
    type: FunctionType
    function: Function


def check_tools(tools: list[Tool]) -> None:
    names: set[str] = set()
    schema_bytes = 0
    for index, function in enumerate(tool.function for tool in tools):
        path = f"tools[{index}].function"
        if function.name in names:
            advice = f"another tool is called {shown(function.name)} too; rename one of them"
            raise bad_field(f"{path}.name", "invalid_value", advice)
        names.add(function.name)
        encoded = msgspec.json.encode(function.parameters or {})
        schema_bytes += len(encoded)
        if reason := _parameters_fault(function, encoded, schema_bytes):
            raise bad_field(f"{path}.parameters", "invalid_function_parameters", reason)


def _parameters_fault(function: Function, encoded: bytes, schema_bytes: int) -> str | None:
    if schema_bytes > MAX_SCHEMA_BYTES:
        limit = f"{MAX_SCHEMA_BYTES // 1024} KiB"
        return f"the schemas up to this one take more than {limit}; offer fewer or smaller tools"
    if fault := jsonschemas.fault(encoded):
        return fault
    kinds = (function.parameters or {}).get("type", "object")
    if "object" in ([kinds] if isinstance(kinds, str) else kinds):
        return None
    return f"arguments are an object, so 'type' must be \"object\", but it is {shown(kinds)}"


def tool_choice(choice: object, names: set[str]) -> ToolChoice:
    """What cannot be enforced is refused: a call that must come might never come."""
    match choice:
        case None | "auto":
            return "auto"
        case "none":
            return "none"
        case "required" | {"type": "function" | "allowed_tools"} if not names:
            reason = "it needs `tools` to choose from, and none are offered"
        case {"type": "function", "function": {"name": str(name)}} if name not in names:
            reason = f"no offered tool is called {shown(name)}"
        case (
            "required"
            | {"type": "function", "function": {"name": str()}}
            | {"type": "allowed_tools", "allowed_tools": {"mode": str(), "tools": list()}}
        ):
            advice = 'calls cannot be forced or narrowed down yet; use "auto"'
            raise bad_field("tool_choice", "unsupported_parameter", advice)
        case _:
            reason = f'expected "auto" or "none", but got {shown(choice)}'
    raise bad_field("tool_choice", "invalid_value", reason)
