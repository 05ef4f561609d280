"""Tool calls written as bare JSON, without the tags of the model's format.

Small models forget the tags and answer ``{"name": "get_weather", "arguments": {...}}``, a
list of such objects, or either of them in a ```` ```json ```` fence. A candidate begins at
the start of the answer or of a line, and is held back only as long as it can still be a
call to an offered tool: an ordinary JSON answer or code block streams on from its first
key or name that no call could have.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import regex

from router.toolformats import Malformed, RawCall, json_values, parser

_FENCE = r"```(?:json|tool_call)?[ \t]*\n\s*"
_IN_FENCE = re.compile(rf"\s*(?P<fence>{_FENCE})?(?P<json>.*?)\s*(?P<close>```)?\s*", re.DOTALL)
_AFTER_VALUE = regex.compile(r"\s*(?:(?P<close>```)|[{\[])")
_MARK = re.compile(r'\\.|["{}\[\]]', re.DOTALL)

_KEYS = frozenset({"type", "id", "function", "name", "arguments", "parameters"})

_parse = parser("json_tools")


@dataclass(frozen=True, slots=True)
class BareCall:
    """``raw`` is the text that stood for the calls. No calls: the answer ended inside it."""

    raw: str
    calls: tuple[RawCall, ...] = ()


class BareCalls:
    """Sifts the visible text of one answer. All text comes out again, in order, as text or
    as the ``raw`` of a ``BareCall``.
    """

    def __init__(self, tool_names: Collection[str]) -> None:
        self._names = frozenset(tool_names)
        self._opening = _opening(self._names)
        self._held = ""
        self._line_start = True
        self._value: _ValueEnd | None = None

    def feed(self, text: str) -> list[str | BareCall]:
        self._held += text
        found: list[str | BareCall] = []
        while self._held and (self._skip_value(found) if self._value else self._look(found)):
            pass
        return found

    def finish(self, *, cut: bool = False) -> list[str | BareCall]:
        """Resolves what is held. ``cut``: the answer was cut off, so half a call is no call."""
        held, value = self._held, self._value
        self._held, self._value, self._line_start = "", None, True
        if not held:
            return []
        if value is None:
            return [held]
        return [BareCall(held) if cut else self._resolve(held, fence_closed=True)]

    def _look(self, found: list[str | BareCall]) -> bool:
        """Lets go of text up to the next candidate; true when that is one for certain."""
        start = 0 if self._line_start else self._next_line(0)
        while start is not None:
            opening = self._opening.match(self._held, start, partial=True)
            if opening:
                self._release(start, found)
                self._line_start = True
                if opening.partial:
                    return False
                self._value = _ValueEnd(fenced=bool(opening["fence"]))
                return True
            start = self._next_line(start)
        self._release(len(self._held), found)
        self._line_start = False
        return False

    def _next_line(self, start: int) -> int | None:
        return self._held.find("\n", start) + 1 or None

    def _skip_value(self, found: list[str | BareCall]) -> bool:
        """Waits for the end of the candidate; true when it was reached."""
        assert self._value
        end = self._value.find(self._held)
        if end is None:
            return False
        raw, self._held = self._held[:end], self._held[end:]
        found.append(self._resolve(raw))
        self._line_start = isinstance(found[-1], BareCall)
        self._value = None
        return True

    def _release(self, end: int, found: list[str | BareCall]) -> None:
        if end:
            found.append(self._held[:end])
            self._held = self._held[end:]

    def _resolve(self, raw: str, *, fence_closed: bool = False) -> str | BareCall:
        inner = _IN_FENCE.fullmatch(raw)
        assert inner
        if inner["fence"] and not (inner["close"] or fence_closed):
            return raw
        try:
            calls = _parse(inner["json"], [])
        except Malformed:
            return raw
        if any(call.name not in self._names for call in calls):
            return raw
        if any(_has_other_keys(value) for value in json_values(inner["json"])):
            return raw
        return BareCall(raw, tuple(calls))


def _has_other_keys(value: dict[str, Any]) -> bool:
    """A tool's description, or an answer about it, also has its name."""
    inner = value.get("function")
    return bool(value.keys() - _KEYS or (isinstance(inner, dict) and inner.keys() - _KEYS))


class _ValueEnd:
    """Finds where a JSON value ends in a growing text, reading each character once.

    In a fence several values may follow one another, and the fence itself is the end.
    """

    def __init__(self, *, fenced: bool) -> None:
        self._fenced = fenced
        self._at = 0
        self._depth = 0
        self._quoted = False

    def find(self, text: str) -> int | None:
        while (end := self._end_of_value(text)) is not None:
            if not self._fenced:
                return end
            after = _AFTER_VALUE.match(text, end, partial=True)
            if after is None:
                return end
            if after.partial:
                return None
            if after["close"]:
                return int(after.end())
            self._depth, self._at = 1, after.end()
        return None

    def _end_of_value(self, text: str) -> int | None:
        if self._at and not self._depth:
            return self._at
        for mark in _MARK.finditer(text, self._at):
            self._at = mark.end()
            token = mark.group()
            if token == '"':
                self._quoted = not self._quoted
            elif self._quoted or token.startswith("\\"):
                continue
            elif token in "{[":
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    return self._at
        if not text.endswith("\\") or self._at == len(text):
            self._at = len(text)
        else:
            self._at = len(text) - 1
        return None


def _opening(names: Collection[str]) -> regex.Pattern[str]:
    """Everything up to the point where only a call can go on like this."""
    name = "|".join(map(regex.escape, sorted(names)))
    return regex.compile(
        rf"[ \t]*(?P<fence>{_FENCE})?(?:\[\s*)?\{{\s*"
        rf'(?:"(?:name|function)"\s*:\s*"(?:{name})"'
        r'|"function"\s*:\s*\{'
        r'|"type"\s*:\s*"function"'
        r'|"(?:arguments|parameters)"\s*:\s*[{"])'
    )
