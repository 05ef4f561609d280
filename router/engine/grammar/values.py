"""The value of one parameter: what its schema says about how it can be written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from router.engine.grammar.schemas import LONGEST_STRING, Schema
from router.engine.grammar.texts import Text, Unwritable

LINKS = 12
"""References to references that are followed."""

CHOICES = ("anyOf", "oneOf", "allOf")
SAYING_NOTHING = frozenset(
    ["title", "description", "default", "examples", "deprecated", "x-guidance"]
)
NOT_FOLLOWED = frozenset(("not", "if", "$ref", *CHOICES))
BY_NUMBER_OR_NAME = frozenset(("patternProperties", "minProperties", "maxProperties"))


@dataclass(frozen=True)
class Leaf:
    """A schema without references or choices. ``chosen``: it is one of several. ``within``: the
    references that led to it."""

    schema: Schema
    chosen: bool
    within: frozenset[str]

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The JSON types it allows; none: it does not say."""
        kinds = self.schema.get("type", ())
        return frozenset([kinds] if isinstance(kinds, str) else kinds)

    @cached_property
    def constants(self) -> list[Any] | None:
        if "const" in self.schema:
            return [self.schema["const"]]
        return self.schema.get("enum")

    def strings(self) -> list[str | Text]:
        if self.constants is not None:
            return [constant for constant in self.constants if isinstance(constant, str)]
        if self.kinds and "string" not in self.kinds:
            return []
        if NOT_FOLLOWED & self.schema.keys():
            raise Unwritable("a string under several conditions")
        low, high = self.schema.get("minLength", 0), self.schema.get("maxLength", LONGEST_STRING)
        return [Text(low, max(low, high), self.schema.get("pattern"))]


@dataclass(frozen=True)
class Value:
    """A schema within ``root``, to which its references refer. Both are prepared. ``within``: the
    references that led to it, none of which is followed again."""

    schema: Any
    root: Schema
    within: frozenset[str] = frozenset()

    def properties(self) -> list[tuple[str, Value, bool]]:
        """Of an object: key, value, is it required. Raises Unwritable if there may be others."""
        schema = self._referred(self.schema)
        known = schema.get(
            "properties", {} if schema.get("additionalProperties") is False else None
        )
        required = schema.get("required", [])
        extras = schema.get("additionalProperties", False)
        beyond = (NOT_FOLLOWED | BY_NUMBER_OR_NAME) & schema.keys()
        if known is None or beyond or not isinstance(extras, bool) or not {*required} <= {*known}:
            raise Unwritable("an object whose keys are not all known")
        return [
            (key, Value(part, self.root, self.within), key in required)
            for key, part in known.items()
        ]

    @cached_property
    def leaves(self) -> list[Leaf]:
        return list(_leaves(self.schema, self.root, self.within))

    @cached_property
    def strings(self) -> list[str | Text]:
        """The strings among the values, known ones as themselves."""
        return [string for leaf in self.leaves for string in leaf.strings()]

    @cached_property
    def nullable(self) -> bool:
        return any("null" in leaf.kinds or None in (leaf.constants or ()) for leaf in self.leaves)

    @cached_property
    def only_string(self) -> bool:
        """Is it, null aside, always a string? The parsers are told so then."""
        kinds = set().union(*(leaf.kinds or {"any"} for leaf in self.leaves))
        return kinds - {"null"} == {"string"}

    @cached_property
    def convertible(self) -> bool:
        """Can a reader that is given the JSON as a string tell by the schema what it means?"""
        return all(
            leaf.kinds and not (leaf.chosen and leaf.constants is not None) for leaf in self.leaves
        )

    @cached_property
    def others(self) -> bool:
        """Are there values other than strings?"""
        return any(
            leaf.kinds != {"string"}
            and not all(isinstance(constant, str) for constant in leaf.constants or [None])
            for leaf in self.leaves
        )

    def json_schema(self) -> Schema:
        """The schema on its own, with what it refers to."""
        alone = dict(self.schema) if isinstance(self.schema, dict) else {}
        if self.schema is False:
            raise Unwritable("a value that nothing fits")
        referred = set(_references(alone))
        if any(not ref.startswith(("#/$defs/", "#/definitions/")) for ref in referred):
            raise Unwritable("a reference to another part of the schema")
        carried = ("x-guidance", "$defs", "definitions") if referred else ("x-guidance",)
        return alone | {key: self.root[key] for key in carried if key in self.root}

    def _referred(self, schema: Any) -> Schema:
        for _ in range(LINKS):
            if not isinstance(schema, dict):
                break
            if "$ref" not in schema:
                return schema
            schema = _target(schema["$ref"], self.root)
        raise Unwritable("a reference without an end")


def _leaves(
    schema: Any, root: Schema, within: frozenset[str], chosen: bool = False
) -> Iterator[Leaf]:
    if schema is False:
        raise Unwritable("a value that nothing fits")
    schema = {} if schema is True else schema
    combining = [key for key in ("$ref", *CHOICES) if key in schema]
    if "type" in schema or not combining:
        yield Leaf(schema, chosen, within)
        return
    [key, *more] = combining
    parts = schema[key]
    if key == "$ref":
        if parts in within:
            raise Unwritable("a value that contains its like")
        within |= {parts}
        parts = [_target(parts, root)]
    beside = schema.keys() - SAYING_NOTHING - {key, "$defs", "definitions"}
    if more or beside or (key == "allOf" and len(parts) > 1):
        raise Unwritable("several schemas for one value")
    for part in parts:
        yield from _leaves(part, root, within, chosen or len(parts) > 1)


def _target(reference: str, root: Schema) -> Any:
    found: Any = root
    if not reference.startswith("#"):
        raise Unwritable("a reference to another document")
    for step in reference[1:].split("/")[1:]:
        try:
            found = found[unquote(step).replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError):
            raise Unwritable("a reference to nothing") from None
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, part in schema.items():
            if key == "$ref" and isinstance(part, str):
                yield part
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)
