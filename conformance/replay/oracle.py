"""How good the judges are: what they say of recorded answers, and of the same ones broken.

`python -m conformance.replay.oracle` breaks a sample of the recordings in three ways, one member
at a time, and prints which share of that is caught. What a client sent, and what only OpenAI has,
is left as it is. Genuine answers are judged by what the recordings of all other sources teach:
that is how often recordings that nobody has learned from are blamed.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from conformance.client import Exchange
from conformance.replay.answers import is_stream
from conformance.replay.corpus import load
from conformance.replay.judges import judge
from conformance.replay.judges.answer import kind_of
from conformance.replay.learn import INTERNAL, learned
from conformance.replay.presence import BEGINNING, CLIENTS, type_of
from conformance.replay.recording import Recording
from conformance.replay.sources import sources

SEED = 6
RECORDINGS = 12
"""Of each endpoint, whole, streamed, and refused."""

CHANGES = 100
"""Of each recording."""

WANTED = {"deleted": 0.95, "retyped": 0.95, "nulled": 0.95}
"""Share that must be caught."""

FALSE = 0.02
"""Share of genuine answers that may be blamed."""

Path = tuple[str | int, ...]


class Broken(NamedTuple):
    """An answer without a member, or with one of another type, or null."""

    how: str
    path: Path
    exchange: Exchange

    @property
    def member(self) -> str:
        return ".".join("[]" if isinstance(part, int) else part for part in self.path)


@dataclass
class Found:
    """Counts by endpoint and way of breaking; ``missed`` by member. ``blamed``: genuine answers
    of ``judged`` ones."""

    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    caught: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    blamed: int = 0

    def share(self, how: str) -> float:
        caught, broken = (
            sum(count for (_, way), count in counts.items() if way == how)
            for counts in (self.caught, self.broken)
        )
        return caught / broken if broken else 1.0

    @property
    def good(self) -> bool:
        enough = all(self.share(how) >= wanted for how, wanted in WANTED.items())
        return enough and self.blamed <= FALSE * self.judged


def broken(answer: Exchange) -> Iterator[Broken]:
    """Every way to break an answer by one member, of the first three in each list."""
    documents, written = _parts(answer.received.text)
    for place, document in enumerate(documents):
        for path in _paths(document):
            for how, other in _changed(document, path):
                parts = [*documents[:place], other, *documents[place + 1 :]]
                read = [(0.0, written(parts).encode())]
                yield Broken(how, path, Exchange(answer.sent, replace(answer.received, reads=read)))


def strangers(recordings: Sequence[Recording]) -> tuple[int, int]:
    """How many recordings are blamed by judges that have not seen their source, and of how
    many."""
    blamed = judged = 0
    for source in sorted({recording.source for recording in recordings}):
        profile = learned(one for one in recordings if one.source != source)
        for recording in recordings:
            if recording.source == source and kind(recording):
                judged += 1
                blamed += bool(judge(recording, recording.exchange, profile))
    return blamed, judged


def measure(recordings: Iterable[Recording], seed: int = SEED) -> Found:
    found, groups = Found(), dict[str, list[Recording]]()
    for recording in recordings:
        received = recording.exchange.received
        if not (what := kind(recording)):
            continue
        found.judged += 1
        found.blamed += bool(judge(recording, recording.exchange))
        if (
            recording.made
            and recording.made >= BEGINNING
            and not judge(recording, _anew(recording))
        ):
            form = "stream" if is_stream(received.body) else f"{received.status // 100}xx"
            groups.setdefault(f"{what} {form}", []).append(recording)
    chance = random.Random(seed)
    for name, members in sorted(groups.items()):
        for recording in chance.sample(members, min(RECORDINGS, len(members))):
            ways = list(broken(recording.exchange))
            for one in chance.sample(ways, min(CHANGES, len(ways))):
                found.broken[name, one.how] += 1
                if judge(recording, one.exchange):
                    found.caught[name, one.how] += 1
                else:
                    found.missed[f"{name} {one.how} {one.member}"] += 1
    return found


def text(found: Found) -> str:
    lines = [f"{found.blamed} of {found.judged} genuine answers blamed"]
    for name, how in sorted(found.broken):
        caught, count = found.caught[name, how], found.broken[name, how]
        lines.append(f"{name:32} {how:8} {caught:5} of {count:5} {caught / count:7.1%}")
    lines += [f"{'all':32} {how:8} {found.share(how):22.1%}" for how in WANTED]
    lines += [f"missed {count:3}: {name}" for name, count in found.missed.most_common(20)]
    return "\n".join(lines)


def kind(recording: Recording) -> str | None:
    return kind_of(recording.exchange.sent.method, recording.path)


def _anew(recording: Recording) -> Exchange:
    """The recorded answer as if it were given today."""
    return replace(recording.exchange)


def _parts(body: str) -> tuple[list[Any], Callable[[list[Any]], str]]:
    """The JSON documents of an answer, and what writes it again with others in their place."""
    if not is_stream(body.encode()):
        return [json.loads(body)], lambda parts: json.dumps(parts[0])
    lines = body.splitlines()
    places = [at for at, line in enumerate(lines) if line.startswith("data: {")]

    def written(parts: list[Any]) -> str:
        texts = dict(zip(places, (f"data: {json.dumps(part)}" for part in parts), strict=True))
        return "\n".join(texts.get(at, line) for at, line in enumerate(lines)) + "\n\n"

    return [json.loads(lines[at][5:]) for at in places], written


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in INTERNAL:
                yield (*above, name)
                if name not in CLIENTS:
                    yield from _paths(member, (*above, name))
    elif isinstance(value, list):
        for at, item in enumerate(value[:3]):
            yield from _paths(item, (*above, at))


def _changed(document: Any, path: Path) -> Iterator[tuple[str, Any]]:
    for how in WANTED:
        other = copy.deepcopy(document)
        inner = other
        for part in path[:-1]:
            inner = inner[part]
        old = inner.pop(path[-1])
        if how == "retyped":
            inner[path[-1]] = 7 if type_of(old) in ("string", "null") else "seven"
        elif how == "nulled":
            inner[path[-1]] = None
        if how != "nulled" or old is not None:
            yield how, other


def main() -> None:
    corpus = load(sources("all"))
    recordings = [*corpus.recordings, *corpus.repeats]
    found = measure(recordings)
    print(text(found), flush=True)
    blamed, judged = strangers(recordings)
    print(f"{blamed} of {judged} blamed by judges that have not seen their source")
    sys.exit(0 if found.good and blamed <= FALSE * judged else 1)


if __name__ == "__main__":
    main()
