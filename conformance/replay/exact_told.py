"""What an answer tells, whoever gave it: all that two servers which say the same agree upon."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

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


def parsed(arguments: str) -> Any:
    """Arguments as a reader of JSON gets them, or as they are where they are none."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def script(said: Iterable[str | Json], *, cut: bool) -> Json:
    """What makes the scripted engine say texts and make calls, in the format of its model."""
    raw = (each if isinstance(each, str) else _written(each) for each in said)
    reason = "length" if cut else "stop"
    return {"text": "\n".join(each for each in raw if each), "finish_reason": reason}


def _written(call: Json) -> str:
    made = {"name": call["name"], "arguments": call["arguments"]}
    return f"<tool_call>\n{json.dumps(made, ensure_ascii=False)}\n</tool_call>"
