"""What came of one recorded request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CHECKS = {
    "status": "replay.accepted",
    "type": "replay.shape",
    "schema": "replay.shape",
    "presence": "replay.shape",
    "grammar": "replay.event_grammar",
    "meaning": "replay.meaning",
}
"""Of the catalogue, by the kind of what is wrong."""


@dataclass(frozen=True)
class Fault:
    """``kind`` is one of ``CHECKS``. ``where``: the member, the event or the rule."""

    kind: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.message}"


@dataclass(frozen=True)
class Outcome:
    """``excuse``: why a refusal tells nothing about the server; then there are no faults.
    ``expected`` and ``status`` are those of OpenAI and of the server, 0 without an answer.
    ``prompt`` and ``answer`` are its tokens, as far as it says."""

    id: str
    source: str
    endpoint: str
    expected: int
    status: int
    faults: tuple[Fault, ...] = ()
    excuse: str | None = None
    seconds: float = 0.0
    prompt: int = 0
    answer: int = 0

    @property
    def passed(self) -> bool:
        return not self.faults and self.excuse is None


def by_endpoint(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """The busiest first."""
    grouped: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault(outcome.endpoint, []).append(outcome)
    yield from sorted(grouped.items(), key=lambda entry: -len(entry[1]))
