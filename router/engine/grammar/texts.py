"""Text that stands for itself, without quotes or escapes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llguidance import LLMatcher, regex_to_lark

from router.engine.grammar.schemas import LONGEST_STRING


class Unwritable(Exception):
    """The format has no way to write this so that its parser reads it back."""


@dataclass(frozen=True)
class Text:
    """Strings within bounds (characters), in which ``pattern`` is found."""

    minimum: int = 0
    maximum: int = LONGEST_STRING
    pattern: str | None = None

    @property
    def free(self) -> bool:
        """Is every beginning of such a text one too?"""
        return not self.minimum and self.pattern is None

    @property
    def endless(self) -> bool:
        return self.free and self.maximum == LONGEST_STRING

    def expression(self, banned: str = "", *, strips: bool = False) -> str:
        """A terminal expression, without the ``banned`` characters of a class. Where white space
        around a text is lost (``strips``) and matters, it has none."""
        every, solid = f"[^{banned}]" if banned else "(?s:.)", rf"[^\s{banned}]"
        low, high = self.minimum, self.maximum
        # To count that far takes a hundred times as long as to wait for the end of the text.
        top = "" if high == LONGEST_STRING else str(high)
        if self.pattern is not None:
            edges = r" & /(\S((?s:.*)\S)?)?/" if strips else ""
            return f"/{searched(self.pattern)}/ & /{every}{{{low},{top}}}/{edges}"
        if not (strips and low):
            return f"/{every}{{{low},{top}}}/"
        if high < 2:
            return f"/{solid}/"
        inner = f"{every}{{{max(low - 2, 0)},{top and high - 2}}}{solid}"
        return f"/{solid}({inner}){'?' if low == 1 else ''}/"


def searched(pattern: str) -> str:
    """A regular expression for whole texts in which the pattern is found."""
    body = pattern.removeprefix("^")
    start = "" if body != pattern else "(?s:.*)"
    end = "(?s:.*)"
    if re.search(r"(?<!\\)(\\\\)*\$$", body):
        body, end = body[:-1], ""
    if not (start and end) and "|" in _outside_groups(body):
        raise Unwritable("a pattern whose anchors hold for one of its branches only")
    expression = f"{start}(?:{regex_to_lark(body, 'dws')}){end}"
    if LLMatcher.validate_grammar(f"%llguidance {{}}\nstart: T\nT: /{expression}/\n"):
        raise Unwritable("a pattern that looks around")
    return expression


def _outside_groups(pattern: str) -> str:
    flat, before = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", pattern), ""
    while flat != before:
        before, flat = flat, re.sub(r"\([^()]*\)", "", flat)
    return flat
