"""Mends the JSON that small models write, where only one reading is possible.

Mended: single quotes, ``True`` / ``False`` / ``None``, a comma before a closing bracket,
brackets missing at the end, brackets closed too often. Left alone: a string that does not
end and a text that ends in a comma, because how they would have gone on is anybody's guess.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<single>'(?:[^'\\]|\\.)*')"""
    r"""|(?P<word>\w+)|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)
_QUOTE = re.compile(r'\\(.)|"', re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null"}
_CLOSER = {"{": "}", "[": "]"}


def repair(text: str) -> str:
    """The mended text. It need not be JSON even then: the caller parses it and sees."""
    out: list[str] = []
    closers: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        match match.lastgroup:
            case "single":
                out.append(_double_quoted(token))
            case "word":
                out.append(_WORDS.get(token, token))
            case "other" if token in _CLOSER:
                closers.append(_CLOSER[token])
                out.append(token)
            case "other" if token in "]}":
                if token in closers:
                    _drop_comma(out)
                    while (closer := closers.pop()) != token:
                        out.append(closer)
                    out.append(token)
            case _:
                out.append(token)
    return "".join(out) + "".join(reversed(closers))


def _double_quoted(single: str) -> str:
    def escaped(match: re.Match[str]) -> str:
        if match.group() == '"':
            return '\\"'
        return "'" if match[1] == "'" else match.group()

    return f'"{_QUOTE.sub(escaped, single[1:-1])}"'


def _drop_comma(out: list[str]) -> None:
    for place in reversed(range(len(out))):
        if not out[place].isspace():
            if out[place] == ",":
                del out[place]
            return
