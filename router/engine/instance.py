"""A plain value that a JSON Schema accepts."""

from __future__ import annotations

from math import inf
from typing import Any

SCALARS: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
}


DEPTH = 20
"""Levels after which a schema that requires itself without end gets null."""


def instance(schema: dict[str, Any], root: dict[str, Any] | None = None, depth: int = 0) -> Any:
    """A value for ``schema``; every property is filled in, in the order it is declared.

    Covers what tool parameters are made of: types, enum, const, default, examples, numeric
    bounds, arrays, objects, anyOf and local ``$ref``. Recursive schemas stop where a property
    is not required.
    """
    root = schema if root is None else root
    if depth > DEPTH:
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    if "$ref" in schema:
        return instance(_resolve(schema["$ref"], root), root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return instance(schema[key][0], root, depth + 1)
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        return [instance(schema.get("items") or {}, root, depth + 1)] * max(
            1, schema.get("minItems", 1)
        )
    if kind in ("integer", "number"):
        return _number(schema, SCALARS[kind])
    return SCALARS[kind]


def _number(schema: dict[str, Any], usual: float) -> float:
    """The usual one, or the nearest that the bounds allow."""
    above: float = schema.get("exclusiveMinimum", -inf)
    below: float = schema.get("exclusiveMaximum", inf)
    low: float = max(schema.get("minimum", -inf), above + 1)
    high: float = min(schema.get("maximum", inf), below - 1)
    return min(max(usual, low), high) if low <= high else (above + below) / 2


def _object(schema: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    required = schema.get("required", [])
    return {
        name: instance(part, root, depth + 1)
        for name, part in schema.get("properties", {}).items()
        if name in required or "$ref" not in str(part)
    }


def _resolve(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    node: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        node = node[step] if step else node
    return dict(node)
