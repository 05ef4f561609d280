"""What an answer tells, whoever gave it: all that two servers which say the same agree upon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Reader = Callable[[str], Any]
"""What a text means to whoever asked for it."""

SHOWN = 160
"""Characters of a value in a difference."""


@dataclass(frozen=True)
class Told:
    """``said``: roles, texts, calls with their arguments as parsed, and how it ended; no ids, no
    times, no usage. ``order``: the kinds of a stream's events, none twice in a row."""

    said: Json
    order: Json | None = None

    def differences(self, other: Told) -> list[tuple[str, str]]:
        """Where ``other`` is not like this, and how."""
        found = {"": (self.said, other.said), "order": (self.order, other.order)}
        return [each for at, pair in found.items() for each in _differences(*pair, at)]


def _differences(wanted: Any, got: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in dict.fromkeys((*wanted, *got)):
            yield from _differences(wanted.get(key), got.get(key), f"{at}.{key}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for place, pair in enumerate(zip(wanted, got, strict=True)):
            yield from _differences(*pair, f"{at}[{place}]")
    elif json.dumps(wanted) != json.dumps(got):
        yield at, f"expected {_shown(wanted)}, but got {_shown(got)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 40]}…{text[-39:]}"


def once(kinds: Iterable[str]) -> list[str]:
    """Without what repeats its forerunner."""
    found: list[str] = []
    for kind in kinds:
        if found[-1:] != [kind]:
            found.append(kind)
    return found


def parsed(text: str) -> Any:
    """As a reader of JSON gets it, or as it is where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def as_json(text: str) -> Any:
    """A text that was to be JSON: its spaces do not count."""
    value = parsed(text)
    return text if value is text else {"json": value}


def script(said: Iterable[Any], *, cut: bool) -> Json:
    """What makes the scripted engine say texts, or JSON, and make calls in the format of its
    model: each a text, a call with its ``name`` and its ``arguments``, or ``{"json": …}``."""
    raw = "\n".join(filter(None, map(_written, said)))
    return {"text": raw, "finish_reason": "length" if cut else "stop"}


def _written(said: Any) -> str:
    match said:
        case {"name": name, "arguments": arguments}:
            call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
            return f"<tool_call>\n{call}\n</tool_call>"
        case {"json": value}:
            return json.dumps(value, ensure_ascii=False)
    return str(said)
