"""One result for a check that was carried out several times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conformance.runner import Result

BADNESS = ("pass", "n/a", "warn", "fail")


def merged(rounds: Sequence[Sequence[Result]]) -> list[Result]:
    """The worst result of each check, with what it was in every round that had it."""
    by_check: dict[str, list[Result]] = {}
    for result in (result for results in rounds for result in results):
        by_check.setdefault(result.check.id, []).append(result)
    return [_merged(results) for results in by_check.values()]


def _merged(results: Sequence[Result]) -> Result:
    if len(results) == 1:
        return results[0]
    outcomes = tuple(result.outcome for result in results)
    worst = max(results, key=lambda result: BADNESS.index(result.outcome))
    seconds = sum(result.seconds for result in results)
    return replace(worst, seconds=seconds, rounds=outcomes)
