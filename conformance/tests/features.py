"""Features that the server behind the mutants does not have, each implemented in front of it.

A check of such a feature needs a server that has it, and one that has it but broken. A layer is
a mutant without a defect; the defects are its subclasses, which override the same methods as
those of any other mutant, and call ``super()`` to keep the feature.

The scripted engine plays what a message tells it, so a layer need only append the message that
makes the model say what the feature would have forced. A request that ends in a script keeps it.
"""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from starlette.responses import JSONResponse, Response

from conformance.session import script, user
from conformance.tests.mutation import Json, Mutant
from conformance.tests.prefix_cache import PrefixCache

CHAT = "/v1/chat/completions"
SCALARS: Json = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


class ForcedTools(Mutant):
    """``tool_choice`` required, named and allowed_tools."""

    features = frozenset({"forced_tools"})

    def request(self, path: str, body: Json) -> Json:
        tools = body.get("tools") or []
        allowed = _allowed(body.get("tool_choice"), [name_of(tool) for tool in tools])
        if path != CHAT or not allowed:
            return body
        body["tools"] = [tool for tool in tools if name_of(tool) in allowed]
        choice = body.pop("tool_choice")
        if choice == "required" or choice.get("allowed_tools", choice).get("mode") != "auto":
            _say(body, call_text(body["tools"][0]))
        return body

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 200 and path == CHAT:
            _finish_named(body, request)
        return status, body

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        _finish_named(chunk, request)
        return [chunk]


class JsonOutput(Mutant):
    """``response_format`` json_object and json_schema."""

    features = frozenset({"json_output"})

    async def before(self, request: Json, path: str) -> Response | None:
        wanted = request.get("response_format")
        if path != CHAT or not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
            return None
        described = wanted.get("json_schema")
        if not isinstance(described, dict) or not isinstance(described.get("schema"), dict):
            return refusal("Missing schema.", "response_format.json_schema.schema")
        try:
            Draft202012Validator.check_schema(described["schema"])
        except SchemaError as fault:
            message = f"Invalid schema for response_format {described.get('name')!r}"
            return refusal(f"{message}: {fault.message}", "response_format")
        return None

    def request(self, path: str, body: Json) -> Json:
        wanted = body.get("response_format")
        if path != CHAT or not isinstance(wanted, dict):
            return body
        if wanted.get("type") not in ("json_object", "json_schema"):
            return body
        del body["response_format"]
        schema = (wanted.get("json_schema") or {}).get("schema") or {"properties": {"answer": {}}}
        after_result = body["messages"][-1].get("role") == "tool"
        if not body.get("tools") or body.get("tool_choice") == "none" or after_result:
            _say(body, json.dumps(instance(schema)))
        return body


LAYERS: tuple[type[Mutant], ...] = (ForcedTools, JsonOutput, PrefixCache)


def refusal(message: str, param: str) -> JSONResponse:
    """A 400 in OpenAI's envelope."""
    error = {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": "invalid_value",
    }
    return JSONResponse({"error": error}, 400)


def name_of(tool: Json) -> str:
    return str(tool.get("function", {}).get("name"))


def call_text(tool: Json) -> str:
    """A call of the tool as the scripted engine's model writes it."""
    schema = tool["function"].get("parameters") or {"type": "object"}
    call = {"name": name_of(tool), "arguments": instance(schema)}
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


def instance(schema: Json, root: Json | None = None) -> Any:
    """A plain value that the schema accepts: const, enum, local $ref, anyOf, types. Properties
    that are not required are left out, so that recursion ends."""
    root = root or schema
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "$ref" in schema:
        node: Any = root
        for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
            node = node[step] if step else node
        return instance(node, root)
    if "anyOf" in schema:
        return instance(schema["anyOf"][-1], root)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        parts: Json = schema.get("properties", {})
        return {name: instance(parts[name], root) for name in schema.get("required", parts)}
    if kind == "array":
        return [instance(schema.get("items", {}), root)] * schema.get("minItems", 0)
    return schema.get("minimum", SCALARS[kind]) if kind in ("integer", "number") else SCALARS[kind]


def _say(body: Json, text: str) -> None:
    """Make the model's next answer ``text``, unless a script says what it is."""
    if not str(body["messages"][-1].get("content")).lstrip().startswith('{"script"'):
        body["messages"] = [*body["messages"], user(script(text))]


def _allowed(choice: Any, names: list[str]) -> set[str]:
    """The offered tools that a choice leaves; none: it is no choice that forces, or is wrong."""
    match choice:
        case "required":
            return set(names)
        case {"type": "function", "function": {"name": str(name)}}:
            return {name} & set(names)
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto" | "required", "tools": list(tools)},
        }:
            wanted = {name_of(tool) for tool in tools}
            return wanted if wanted <= set(names) else set()
        case _:
            return set()


def _finish_named(answer: Json, request: Json) -> None:
    """OpenAI ends a call of a named function with "stop"."""
    choice = request.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function":
        for made in answer["choices"]:
            made["finish_reason"] = made["finish_reason"] and "stop"
