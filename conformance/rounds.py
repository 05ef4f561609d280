"""One result for a check that was carried out several times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conformance.runner import Result

BADNESS = ("pass", "n/a", "warn", "fail")


def merged(rounds: Sequence[Sequence[Result]]) -> list[Result]:
    """The worst result of each check, with what it was in every round. Rounds hold the same
    checks in the same order."""
    if len(rounds) == 1:
        return list(rounds[0])
    return [_merged(results) for results in zip(*rounds, strict=True)]


def _merged(results: Sequence[Result]) -> Result:
    outcomes = tuple(result.outcome for result in results)
    worst = max(results, key=lambda result: BADNESS.index(result.outcome))
    seconds = sum(result.seconds for result in results)
    return replace(worst, seconds=seconds, rounds=outcomes)
