"""Schemas as agents send them, made at random from a seed, and what checks values of them."""

from __future__ import annotations

import random
from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

WORDS = ["city", "date", "unit", "limit", "query", "tags", "note", "user", "price", "mode", "items"]
FORMATS = ["date", "date-time", "email", "uuid", "ipv4", "uri", "int32", "password"]
PATTERNS = ["^[A-Z]{3}$", "^[a-z]+-[0-9]{2}$", "^#[0-9a-f]{6}$"]


class SchemaMaker:
    """Each call of ``schema`` is another one; the same seed gives the same ones again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def parameters(self) -> Schema:
        """The schema of a tool's arguments."""
        return self._object(depth=2)

    def tools(self, count: int) -> list[dict[str, Any]]:
        names = self._random.sample(
            ["get", "set", "find", "send-mail", "plan.trip", "buy_2"], count
        )
        return [
            {"type": "function", "function": {"name": name, "parameters": self.parameters()}}
            for name in names
        ]

    def schema(self, depth: int = 2) -> Schema:
        makers = [self._string, self._number, self._enum, self._boolean, self._nullable]
        if depth:
            makers += [lambda: self._object(depth - 1), lambda: self._array(depth - 1)]
        return self._random.choice(makers)()

    def _string(self) -> Schema:
        bounds: Schema = self._random.choice(
            [
                {},
                {"maxLength": self._random.randint(1, 20)},
                {"minLength": 1, "maxLength": 12},
                {"format": self._random.choice(FORMATS)},
                {"pattern": self._random.choice(PATTERNS)},
            ]
        )
        return {"type": "string", **bounds}

    def _number(self) -> Schema:
        low = self._random.randint(-50, 50)
        bounds: Schema = self._random.choice(
            [{}, {"minimum": low}, {"maximum": low}, {"minimum": low, "maximum": low + 9}]
        )
        return {"type": self._random.choice(["integer", "integer", "number"]), **bounds}

    def _enum(self) -> Schema:
        values: list[Any] = self._random.sample(WORDS, 3)
        return self._random.choice([{"enum": values}, {"const": values[0]}, {"enum": [1, 2, None]}])

    def _boolean(self) -> Schema:
        return {"type": "boolean"}

    def _nullable(self) -> Schema:
        return {"anyOf": [self.schema(0), {"type": "null"}], "default": None}

    def _array(self, depth: int) -> Schema:
        return {
            "type": "array",
            "items": self.schema(depth),
            "maxItems": self._random.randint(1, 3),
        }

    def _object(self, depth: int) -> Schema:
        names = self._random.sample(WORDS, self._random.randint(0, 4))
        schema: Schema = {
            "type": "object",
            "properties": {name: self.schema(depth) for name in names},
            "required": [name for name in names if self._random.random() < 0.7],
        }
        if self._random.random() < 0.5:
            schema["additionalProperties"] = False
        return schema


def fits(value: Any, schema: Schema) -> bool:
    return bool(Draft202012Validator(schema).is_valid(value))
