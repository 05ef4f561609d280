"""How a call's arguments are written down: as JSON, in tags, as a list of named values.

Of parameters that are not in one JSON object, those that are required are always written and
the others may be, in the order of the schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from router.engine.grammar.lark import Lark, choice
from router.engine.grammar.notation import Notation
from router.engine.grammar.schemas import Schema
from router.engine.grammar.texts import Text, Unwritable
from router.engine.grammar.values import Value

KEY = re.compile(r"""[^\s<>"'&=]+""")
"""Keys that need no escape in a tag."""


class Arguments(Protocol):
    """A style. ``schema`` is an object schema as ``schemas.prepared`` makes it."""

    def expression(self, lark: Lark, schema: Schema) -> str:
        """Raises Unwritable if the style has no room for what the schema wants."""


@dataclass(frozen=True)
class AsJson:
    """One JSON object."""

    def expression(self, lark: Lark, schema: Schema) -> str:
        return lark.json(schema)


@dataclass(frozen=True)
class Listed:
    """Names and values side by side: ``key=value, key=value``."""

    notation: Notation

    def expression(self, lark: Lark, schema: Schema) -> str:
        return self.notation.members(lark, Value(schema, schema), top=True)


class Reading(Enum):
    """What a parser takes the text of a parameter for."""

    TEXT = "a string, or JSON where the schema wants something that cannot be a string"
    DECLARED = "JSON, or a string where the schema wants nothing else"
    JSON = "JSON if it is some, else a string"
    STATED = "what the tag's ``{type}`` says"


@dataclass(frozen=True)
class Tagged:
    """Each parameter between tags. ``strips``: white space around a value is lost. ``null``: the
    parser takes the word for null even where a string is wanted. ``data``: may stand around a
    value; outside it no value has a ``<``."""

    before: str
    after: str
    gap: str = ""
    reading: Reading = Reading.TEXT
    strips: bool = False
    null: bool = False
    data: tuple[str, str] | None = None
    never: tuple[str, ...] = ()

    def expression(self, lark: Lark, schema: Schema) -> str:
        parameters = [
            (lark.rule(self._parameter(lark, key, value)), required)
            for key, value, required in Value(schema, schema).properties()
        ]
        return " ".join(name if required else f"{name}?" for name, required in parameters) or '""'

    def _parameter(self, lark: Lark, key: str, value: Value) -> str:
        if not KEY.fullmatch(key):
            raise Unwritable(f"the key {key!r}")
        ways: dict[str, list[str]] = {}
        for kind, written in self._ways(lark, value):
            before = self.before.replace("{key}", key).replace("{type}", kind)
            ways.setdefault(before, []).append(written)
        if not ways:
            raise Unwritable("strings that would be read as something else")
        values = [f"{lark.layout(before)} {choice(written)}" for before, written in ways.items()]
        return f"{choice(values)} {lark.layout(self.gap)}"

    def _ways(self, lark: Lark, value: Value) -> Iterator[tuple[str, str]]:
        """Type and text of a value, its end included, in each way to write one."""
        as_text = self.reading is not Reading.DECLARED or value.only_string
        strings = value.strings if as_text else []
        texts = [text for string in strings for text in self._string(lark, string, value)]
        yield from (("string", text) for text in texts)
        if self._takes_json(value):
            yield from ((kind, self._json(lark, value)) for kind in _stated(value))
        elif texts and self.null and value.nullable:
            yield "null", lark.literal(f"null{self.after}")

    def _takes_json(self, value: Value) -> bool:
        match self.reading:
            case Reading.TEXT:
                return not value.strings and value.convertible
            case Reading.DECLARED:
                return not value.only_string
            case Reading.STATED:
                return value.others
        return True

    def _json(self, lark: Lark, value: Value) -> str:
        written, after = lark.json(value.json_schema()), lark.literal(self.after)
        if not self.data:
            return f"{written} {after}"
        opening, closing = map(lark.literal, self.data)
        return f"({written} | {opening} {written} {closing}) {after}"

    def _string(self, lark: Lark, string: str | Text, value: Value) -> Iterator[str]:
        if isinstance(string, str):
            if (word := self._word(string)) is not None:
                yield lark.literal(word + self.after)
            return
        until = self.after.strip()
        yield lark.text(self._text(string, until) + self._exceptions(value, until), until)
        if self.data and string.endless:
            opening, until = self.data[0], self.data[1] + until
            text = self._without_never() + self._exceptions(value, until)
            yield f"{lark.literal(opening)} {lark.text(text, until)}"

    def _word(self, word: str) -> str | None:
        """How a known string is written; None: the parser would read something else."""
        if self.data and "<" in word:
            word = word.join(self.data)
        lost = any(mark in word for mark in (self.after.strip(), *self.never))
        lost = lost or (self.strips and word != word.strip())
        lost = lost or (self.null and word.lower() == "null")
        return None if lost or (self.reading is Reading.JSON and _is_json(word)) else word

    def _text(self, text: Text, until: str) -> str:
        """A terminal expression for the texts that the parser reads as this string."""
        if self.never and not self.data and text.endless:
            return self._without_never()
        closed = self.never or not text.free
        expression = text.expression(until[0] if closed else "", strips=self.strips)
        if self.reading is Reading.JSON:
            begins = r'[^\s\[{"]' if text.free else r'[^\s\[{"0-9-]'
            expression += rf" & /\s*({begins}(?s:.*))?/"
        return expression

    def _without_never(self) -> str:
        """Endless text: to count and to look for other texts is too much for llguidance."""
        return f"/(?s:.*)/ & ~/(?s:.*)({'|'.join(map(_regex, self.never))})(?s:.*)/"

    def _exceptions(self, value: Value, until: str) -> str:
        """Leaves out the words that the parser takes for something other than a string."""
        if self.reading is Reading.JSON:
            words = "true|false|null|NaN|-?Infinity"
        elif self.null and not value.nullable:
            words = "(?i:null)"
        else:
            return ""
        return rf" & ~/\s*({words})\s*({_regex(until)}(?s:.*))?/"


def _stated(value: Value) -> list[str]:
    """The types of what is no string, as a tag names them."""
    kinds = frozenset[str]().union(*(leaf.kinds for leaf in value.leaves))
    names = {"number" if kind == "integer" else kind for kind in kinds - {"string"}}
    return sorted(names) or ["number", "boolean", "object", "array", "null"]


def _is_json(word: str) -> bool:
    try:
        json.loads(word)
    except ValueError:
        return False
    return True


def _regex(text: str) -> str:
    return re.escape(text).replace("/", r"\/")
