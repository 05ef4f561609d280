"""Learn from recordings which members an object always has.

`python -m conformance.replay.learn` writes fixtures/presence.json anew.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from conformance.replay import presence
from conformance.replay.corpus import load
from conformance.replay.judges.answer import Answer, kind_of
from conformance.replay.presence import BEGINNING, Profile, Shape, objects, type_of
from conformance.replay.recording import Recording
from conformance.replay.sources import sources

COVERED = 0.9
"""A member that came later than that, but is in this share of the objects, counts as well."""

LEAST = (5, 2)
"""So many objects, in so many cassettes, say something of what such an object always has."""


INTERNAL = {
    "access_programs": "which of OpenAI's programmes an account is in",
    "billing": "who pays OpenAI",
    "moderation": "a verdict of OpenAI's moderation service",
    "obfuscation": "padding, against who listens on the wire to lengths",
    "prompt_cache_key": "names a cache of OpenAI's",
    "prompt_cache_options": "how OpenAI keeps its cache",
    "prompt_cache_retention": "how long OpenAI keeps its cache",
    "safety_identifier": "by which OpenAI knows who abuses it",
    "tool_usage": "what OpenAI's hosted tools used",
}
"""What need not be there, although OpenAI always sends it, and why."""

BY_MODEL = {
    ("chat.completion", "choices[]", "logprobs"): "absent with models that reason, else null",
    ("chat.completion.chunk", "choices[]", "logprobs"): "as before",
}
"""What depends on the model, however many of one kind were recorded, and how."""


class Seen:
    """The objects in one place: how many there are of a day and with the same members, and the
    types of those since the beginning."""

    def __init__(self) -> None:
        self.alike: Counter[tuple[date, frozenset[str]]] = Counter()
        self.types: defaultdict[str, set[str]] = defaultdict(set)
        self.cassettes: set[str] = set()

    def add(self, day: date, cassette: str, value: presence.Json) -> None:
        self.alike[day, frozenset(value)] += 1
        if day >= BEGINNING:
            self.cassettes.add(cassette)
            for name, member in value.items():
                self.types[name].add(type_of(member))

    def shape(self, optional: set[str]) -> Shape | None:
        """None where too little was seen."""
        recent = {alike: n for alike, n in self.alike.items() if alike[0] >= BEGINNING}
        count = sum(recent.values())
        if (count, len(self.cassettes)) < LEAST or len(self.cassettes) < LEAST[1]:
            return None
        always: dict[str, frozenset[str]] = {}
        since: dict[str, date] = {}
        for name in sorted(self.types):
            missed = max((day for day, names in self.alike if name not in names), default=None)
            first = max(missed + timedelta(days=1), BEGINNING) if missed else date.min
            after = sum(n for (day, _), n in recent.items() if day >= first)
            if after >= COVERED * count and name not in optional:
                always[name] = frozenset(self.types[name])
                since |= {name: first} if missed else {}
        sometimes = {n: frozenset(types) for n, types in self.types.items() if n not in always}
        return Shape(count, always, sometimes, since)


def learned(recordings: Iterable[Recording]) -> Profile:
    """A recording without a date, or that no judge knows, teaches nothing."""
    seen: defaultdict[tuple[str, str], Seen] = defaultdict(Seen)
    for recording in recordings:
        kind = kind_of(recording.exchange.sent.method, recording.path)
        if kind and recording.made:
            for found in Answer(kind, recording.exchange).objects:
                for path, value in objects(found.value):
                    seen[found.kind, path].add(recording.made, recording.cassette, value)
    profile: defaultdict[str, dict[str, Shape]] = defaultdict(dict)
    for (kind, path), objects_there in seen.items():
        by_model = {name for *place, name in BY_MODEL if place == [kind, path]}
        if shape := objects_there.shape({*INTERNAL, *by_model}):
            profile[kind][path] = shape
    return dict(profile)


def main() -> None:
    corpus = load(sources("all"))
    profile = learned([*corpus.recordings, *corpus.repeats])
    presence.FILE.write_text(presence.written(profile), "utf-8")
    print(f"{presence.FILE}: {sum(map(len, profile.values()))} shapes", file=sys.stderr)


if __name__ == "__main__":
    main()
