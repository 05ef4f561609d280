"""How a family spells values that are neither text nor JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from router.engine.grammar.lark import Lark, choice
from router.engine.grammar.schemas import Schema
from router.engine.grammar.texts import Text, Unwritable
from router.engine.grammar.values import NOT_FOLLOWED, Leaf, Value

Keys = tuple[tuple[re.Pattern[str], str], ...]
"""Keys of this form are written so: ``{key}`` and what stands before its value. The first fits."""


@dataclass(frozen=True)
class Notation:
    """``words``: true, false and null. ``quote`` stands around a text, which cannot contain it
    nor the characters ``never``; None: strings are those of JSON. ``top`` and ``inner``: how keys
    are written, in the arguments and in objects within them. ``json``: the parser reads JSON too.
    ``deep``: values may be containers."""

    words: tuple[str, str, str]
    top: Keys
    inner: Keys
    comma: str
    quote: str | None = None
    never: str = ""
    json: bool = False
    deep: bool = True

    def members(self, lark: Lark, value: Value, *, top: bool = False) -> str:
        """What stands between the brackets of an object."""
        items = []
        for key, part, required in value.properties():
            before = lark.literal(_before(key, self.top if top else self.inner))
            items.append((lark.rule(f"{before} {self.value(lark, part)}"), required))
        return listed(lark, items, self.comma)

    def value(self, lark: Lark, value: Value) -> str:
        try:
            return lark.rule(choice([self._leaf(lark, leaf, value.root) for leaf in value.leaves]))
        except Unwritable:
            if not self.json:
                raise
            return lark.json(value.json_schema())

    def _leaf(self, lark: Lark, leaf: Leaf, root: Schema) -> str:
        if leaf.constants is not None:
            return choice([lark.literal(self._spelt(constant)) for constant in leaf.constants])
        if not leaf.kinds:
            raise Unwritable("a value of any type")
        value = Value(leaf.schema, root, leaf.within)
        return choice([self._kind(lark, kind, leaf, value) for kind in sorted(leaf.kinds)])

    def _kind(self, lark: Lark, kind: str, leaf: Leaf, value: Value) -> str:
        match kind:
            case "null":
                return lark.literal(self.words[2])
            case "boolean":
                return choice([lark.literal(word) for word in self.words[:2]])
            case "string" if self.quote is not None:
                [text] = leaf.strings()
                assert isinstance(text, Text)
                return f"{lark.literal(self.quote)} {lark.text(self._text(text), self.quote)}"
            case "string" | "integer" | "number":
                return lark.json(value.json_schema() | {"type": kind})
        if not self.deep:
            raise Unwritable("a container")
        if kind == "object":
            return f'"{{" {self.members(lark, value)} "}}"'
        return self._array(lark, leaf.schema, value)

    def _array(self, lark: Lark, schema: Schema, value: Value) -> str:
        if {"prefixItems", "contains", *NOT_FOLLOWED} & schema.keys() or "items" not in schema:
            raise Unwritable("an array whose items are not all alike")
        item = self.value(lark, Value(schema["items"], value.root, value.within))
        low, high = schema.get("minItems", 0), schema.get("maxItems")
        if high == 0:
            return '"[" "]"'
        more = f"{{{max(low - 1, 0)},{'' if high is None else high - 1}}}"
        items = f"{item} ({lark.literal(self.comma)} {item}){more}"
        return f'"[" {items} "]"' if low else f'"[" ({items})? "]"'

    def _text(self, text: Text) -> str:
        never = re.escape(self.never)
        return text.expression(never if text.free else never + self.quote[0] if self.quote else "")

    def _spelt(self, constant: Any) -> str:
        for meaning, word in zip((True, False, None), self.words, strict=True):
            if constant is meaning:
                return word
        if isinstance(constant, list | dict):
            raise Unwritable("a container that is given")
        if self.quote is None or not isinstance(constant, str):
            return json.dumps(constant, ensure_ascii=False)
        if self.quote in constant or {*self.never} & {*constant}:
            raise Unwritable(f"the text {constant!r}")
        return f"{self.quote}{constant}{self.quote}"


def _before(key: str, forms: Keys) -> str:
    for form, written in forms:
        if form.fullmatch(key):
            return written.replace("{key}", key)
    raise Unwritable(f"the key {key!r}")


def listed(lark: Lark, items: list[tuple[str, bool]], comma: str) -> str:
    """Items in their order with commas between them; each is required or may be left out."""
    separator = lark.literal(comma)
    starts: list[str] = []
    rest = '""'
    for item, required in reversed(items):
        first = f"{item} {rest}"
        starts = [first] if required else [first, *starts]
        following = f"{separator} {item}"
        rest = lark.rule(f"{following if required else f'({following})?'} {rest}")
    if not any(required for _, required in items):
        starts.append('""')
    return choice(starts)
