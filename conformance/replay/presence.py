"""Which members an object always has: a profile learned from what api.openai.com sent.

`python -m conformance.replay.learn` makes it. It holds counts and names, none of the traffic.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

Json = dict[str, Any]

FILE = Path(__file__).parents[2] / "fixtures" / "presence.json"

BEGINNING = date(2026, 1, 1)
"""What an object has since then is what it has."""

CLIENTS = {
    "arguments",
    "parameters",
    "schema",
    "output_schema",
    "metadata",
    "attributes",
    "variables",
}
"""What is in these is the client's."""

APART = {"delta", "response"}
"""These are judged as objects of their own."""

ENOUGH = 20
"""So many objects, of which none has null for a member, show what that can be."""

TYPES = frozenset({"null", "boolean", "number", "string", "array", "object"})
PLAIN = frozenset({"boolean", "number"})


def type_of(value: Any) -> str:
    """The JSON type; numbers are all of one."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def objects(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """An object and those in it, each with its path. What has a type is known by that:
    ``output[]<message>.content[]<output_text>``."""
    yield path, value
    for name, member in value.items():
        if name in CLIENTS | APART:
            continue
        below = f"{path}.{name}" if path else name
        if isinstance(member, dict):
            yield from objects(member, below + _tag(member))
        elif isinstance(member, list):
            for item in member:
                if isinstance(item, dict):
                    yield from objects(item, f"{below}[]{_tag(item)}")


def _tag(value: Json) -> str:
    return f"<{value['type']}>" if isinstance(value.get("type"), str) else ""


@dataclass(frozen=True)
class Shape:
    """What is known of the objects in one place. ``count``: how many were seen. ``always``: the
    members that none of them lacks, and of ``sometimes`` some do, each with the types seen.
    ``since``: the day from which on that holds, of those that objects once lacked."""

    count: int
    always: dict[str, frozenset[str]]
    sometimes: dict[str, frozenset[str]]
    since: dict[str, date]

    def problems(self, value: Json, day: date | None) -> Iterator[tuple[str, str]]:
        """What is wrong with an object of ``day``, None for today: the member, and words."""
        for name in self.always:
            late = day is not None and day < self.since.get(name, date.min)
            if name not in value and not late:
                yield name, "is missing"
        if day is not None and day < BEGINNING:
            return
        for name, seen in (*self.always.items(), *self.sometimes.items()):
            found = type_of(value.get(name))
            if self.count >= ENOUGH and name in value and found not in seen | _possible(seen):
                yield name, f"is {found}, and always {'|'.join(sorted(seen))}"


Profile = dict[str, dict[str, Shape]]
"""By kind and path."""


def read(file: Path = FILE) -> Profile:
    kinds = json.loads(file.read_text("utf-8"))
    return {
        kind: {path: _shape(**shape) for path, shape in shapes.items()}
        for kind, shapes in kinds.items()
    }


def written(profile: Profile) -> str:
    """Sorted, a shape a line, so that what is learned anew can be compared."""
    kinds = []
    for kind, shapes in sorted(profile.items()):
        lines = [
            f"  {json.dumps(path)}: {json.dumps(_plain(shape), sort_keys=True)}"
            for path, shape in sorted(shapes.items())
        ]
        kinds.append(f" {json.dumps(kind)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def _possible(seen: frozenset[str]) -> frozenset[str]:
    """Types that were not seen and yet are none of a profile's business: a flag or a number is
    always one, but a client may set an object where others set a string, and what is null most of
    the time is something else at times."""
    if "null" in seen:
        return TYPES
    return frozenset() if seen <= PLAIN else TYPES - {"null"}


def _shape(
    count: int, always: Json, sometimes: Json | None = None, since: Json | None = None
) -> Shape:
    there, at_times = (
        {name: frozenset(types.split("|")) for name, types in found.items()}
        for found in (always, sometimes or {})
    )
    days = {name: date.fromisoformat(day) for name, day in (since or {}).items()}
    return Shape(count, there, at_times, days)


def _plain(shape: Shape) -> Json:
    always, sometimes = (
        {name: "|".join(sorted(types)) for name, types in found.items()}
        for found in (shape.always, shape.sometimes)
    )
    since = {name: day.isoformat() for name, day in shape.since.items()}
    plain = {"count": shape.count, "always": always, "sometimes": sometimes, "since": since}
    return {name: value for name, value in plain.items() if value or name == "always"}
