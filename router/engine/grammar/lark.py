"""Grammar text for llguidance, whose dialect of Lark is the one language it takes whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

TERMINAL, LAZY = "terminal", "lazy"

PLACES = re.compile(r"(\n\?| \?|\{index\}|\{call_id\})")


class Lark:
    """Collects rules; every method returns an expression that other rules may use.

    ``special`` maps the special tokens of the model to their ids: text in a grammar never
    matches a special token, so a marker that is one must be referred to by its id.
    """

    def __init__(self, special: Mapping[str, int]) -> None:
        self._special = special
        marks = sorted(special, key=len, reverse=True)
        self._marks = re.compile("|".join(map(re.escape, marks))) if marks else None
        self._names: dict[tuple[str, str], str] = {}

    def literal(self, text: str) -> str:
        """Exactly this text, special tokens within it included."""
        terms, at = [], 0
        for mark in self._marks.finditer(text) if self._marks else ():
            terms += [_quoted(text[at : mark.start()]), self.token(mark.group())]
            at = mark.end()
        return " ".join(term for term in (*terms, _quoted(text[at:])) if term) or '""'

    def token(self, text: str) -> str:
        return f"<[{self._special[text]}]>"

    def is_special(self, text: str) -> bool:
        return text in self._special

    def layout(self, text: str) -> str:
        """As ``literal``, with places for what models decide: ``\\n?`` and `` ?`` may be left out,
        ``{index}`` is a number, and ``{call_id}`` Mistral's id, if the model has a token for it."""
        call_id = (
            f"({self.token('[CALL_ID]')} /[a-zA-Z0-9]{{9}}/)?"
            if self.is_special("[CALL_ID]")
            else ""
        )
        places = {
            "\n?": '"\\n"?',
            " ?": '" "?',
            "{index}": "/0|[1-9][0-9]{0,2}/",
            "{call_id}": call_id,
        }
        parts = [part for part in PLACES.split(text) if part]
        written = [places[part] if part in places else self.literal(part) for part in parts]
        return " ".join(filter(None, written)) or '""'

    def text(self, expression: str, until: str) -> str:
        """Text that the terminal expression matches, up to and with the first ``until``."""
        special = self._marks.search(until) if self._marks else None
        plain, rest = (
            (until[: special.start()], until[special.start() :]) if special else (until, "")
        )
        if not plain:
            return f"{self.terminal(expression)} {self.literal(rest)}"
        ended = self.lazy(self.terminal(f"({expression}) {_quoted(plain)}"))
        return f"{ended} {self.literal(rest)}" if rest else ended

    def json(self, schema: dict[str, Any]) -> str:
        """JSON that fits a schema as ``schemas.prepared`` makes it."""
        return self.rule(f"%json {json.dumps(schema)}")

    def rule(self, expression: str) -> str:
        """The name of a rule for the expression; equal expressions share one."""
        return self._name("", expression)

    def terminal(self, expression: str) -> str:
        """As ``rule``, for what a regular expression can say: one lexeme, much cheaper."""
        return self._name(TERMINAL, expression)

    def lazy(self, expression: str) -> str:
        """A lexeme that ends as soon as it can, for text up to a marker."""
        return self._name(LAZY, expression)

    def _name(self, kind: str, expression: str) -> str:
        prefix = "T" if kind == TERMINAL else "r"  # Lark tells them apart by their case
        return self._names.setdefault((kind, expression), f"{prefix}{len(self._names)}")

    def grammar(self, start: str) -> str:
        """The whole text, with ``start`` as what an answer is."""
        rules = "".join(
            f"{name}{'[lazy]' if kind == LAZY else ''}: {text}\n"
            for (kind, text), name in self._names.items()
        )
        return f"%llguidance {{}}\nstart: {start}\n{rules}"


def choice(expressions: list[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"({' | '.join(expressions)})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text else ""
