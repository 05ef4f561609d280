"""The recordings themselves, judged: whatever is wrong with one is wrong with a judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from conformance import checks as _checks  # noqa: F401  registers the invariants
from conformance.check import REGISTRY
from conformance.eventstream import EventStream
from conformance.failure import Failed
from conformance.replay.answers import is_stream
from conformance.replay.recording import Recording
from conformance.replay.replaying import Judge
from conformance.streams import KINDS

SINCE = {"responses.sequence": date(2025, 5, 1)}
"""Invariants of what OpenAI has not always sent."""


def self_check(recordings: Iterable[Recording], judge: Judge) -> Iterator[tuple[Recording, str]]:
    """Every false alarm: of the judge, and of the invariants that the suite holds all streams
    to."""
    for recording in recordings:
        for problem in judge(recording, recording.exchange):
            yield recording, f"{problem.kind}: {problem.where}: {problem.message}"
        if is_stream(recording.exchange.received.body):
            yield from ((recording, alarm) for alarm in _alarms(recording))


def _alarms(recording: Recording) -> Iterator[str]:
    stream = KINDS.get(recording.path, EventStream).of(recording.exchange)
    made = recording.made or date.max
    for check in REGISTRY.values():
        if check.judge and isinstance(stream, check.of) and made >= SINCE.get(check.id, date.min):
            try:
                check.judge(stream)
            except Failed as failure:
                yield f"{check.id}: {failure}"
