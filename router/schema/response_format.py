"""What a client wants the text of an answer to be: anything, a JSON object, JSON of a schema."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import Field

from router.errors import BadRequest
from router.fielderrors import bad_field
from router.schema import jsonschemas
from router.schema.fields import Inbound

MAX_SCHEMA_BYTES = 256 * 1024

Kind = Literal["text", "json_object", "json_schema"]


class JsonSchema(Inbound):
    """``strict`` makes no difference: every answer is held to its schema."""

    name: str | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class ResponseFormat(Inbound):
    type: Kind
    json_schema: JsonSchema | None = None


def answer_schema(kind: Kind, described: JsonSchema | None, path: str) -> dict[str, Any] | None:
    """The JSON Schema that the answer's text must fit; None: any text. ``path`` tells where in
    the request it is described."""
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    if described is None or described.schema_ is None:
        missing = path if described is None else f"{path}.schema"
        raise bad_field(missing, "missing_required_parameter", "json_schema answers need a schema")
    if fault := _fault(msgspec.json.encode(described.schema_)):
        name = f" '{described.name}'" if described.name else ""
        raise BadRequest(
            f"Invalid schema for response_format{name}: {fault}.",
            param=f"{path}.schema",
            code="invalid_json_schema",
        )
    return described.schema_


def _fault(encoded: bytes) -> str | None:
    if len(encoded) > MAX_SCHEMA_BYTES:
        return f"it takes more than {MAX_SCHEMA_BYTES // 1024} KiB; make it smaller"
    return jsonschemas.fault(encoded)
