"""The tools that a client offers, and the choice between them that it leaves to the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator

from router.fielderrors import bad_field, refusal, shown
from router.schema import jsonschemas
from router.schema.fields import FunctionType, Inbound

MAX_TOOLS = 128
MAX_SCHEMA_BYTES = 256 * 1024
"""Of all tools of a request together; more would not fit a local model's context anyway."""

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


def check_functions(functions: Sequence[Function], path_of: Callable[[int], str]) -> None:
    """``path_of`` tells where in the request the function of an index stands."""
    names: set[str] = set()
    schema_bytes = 0
    for index, function in enumerate(functions):
        path = path_of(index)
        if function.name in names:
            advice = f"another function is called {shown(function.name)} too; rename one of them"
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


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """``functions``: the only ones that may be called; empty: any of those offered. ``named``:
    the client asked for one call of one function."""

    mode: Literal["auto", "none", "required"] = "auto"
    functions: tuple[str, ...] = ()
    named: bool = False


def tool_choice(choice: object, names: set[str]) -> ToolChoice:
    match choice:
        case None | "auto" | "none":
            return ToolChoice(choice or "auto")
        case "required" | {"type": "function" | "allowed_tools"} if not names:
            reason = "it needs `tools` to choose from, and none are offered"
        case "required":
            return ToolChoice("required")
        case {"type": "function", "function": {"name": str(name)}}:
            _check_offered([name], names, "tool_choice")
            return ToolChoice("required", (name,), named=True)
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto" | "required" as mode, "tools": [_, *_] as tools},
        } if None not in (allowed := [_name(tool) for tool in tools]):
            chosen = [name for name in allowed if name is not None]
            _check_offered(chosen, names, "tool_choice")
            return ToolChoice(mode, tuple(chosen))
        case _:
            forms = 'expected "auto", "none", "required", a function or allowed_tools'
            reason = f"{forms}, but got {shown(choice)}"
    raise bad_field("tool_choice", "invalid_value", reason)


def function_call_choice(choice: object, names: set[str]) -> ToolChoice:
    """The same as it was before there were tools."""
    match choice:
        case None | "auto" | "none":
            return ToolChoice(choice or "auto")
        case {"name": str(name)}:
            _check_offered([name], names, "function_call")
            return ToolChoice("required", (name,), named=True)
    reason = f'expected "auto", "none" or a function with its name, but got {shown(choice)}'
    raise bad_field("function_call", "invalid_value", reason)


def _name(tool: object) -> str | None:
    match tool:
        case {"type": "function", "function": {"name": str(name)}}:
            return name
    return None


def _check_offered(chosen: list[str], names: set[str], path: str) -> None:
    for name in chosen:
        if name not in names:
            raise bad_field(path, "invalid_value", f"no offered function is called {shown(name)}")
