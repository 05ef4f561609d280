"""Values made up for schemas."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from router.engine.instance import instance

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "enum": ["a", "b"]},
    {"type": ["null", "string"]},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
    {"type": "integer", "minimum": 5},
    {"type": "integer", "maximum": -5},
    {"type": "integer", "minimum": -9, "exclusiveMinimum": 0, "maximum": 9},
    {"type": "integer", "exclusiveMinimum": 7},
    {"type": "integer", "exclusiveMaximum": 1},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"properties": {"x": {"anyOf": [{"type": "number"}, {"type": "null"}]}}, "required": ["x"]},
    {
        "type": "object",
        "properties": {"next": {"$ref": "#"}, "city": {"$ref": "#/$defs/city"}},
        "required": ["city"],
        "$defs": {"city": {"type": "string"}},
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_a_schema_accepts_what_is_made_up_for_it(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance(schema), schema)
