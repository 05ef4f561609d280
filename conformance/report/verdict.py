"""What a result means for the run, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.runner import Result


class Verdict(StrEnum):
    FAILED = "failed"
    STALE = "stale expectation"
    WARNING = "warning"
    EXPECTED = "expected failure"
    SKIPPED = "n/a"
    PASSED = "passed"

    @classmethod
    def of(cls, result: Result) -> Verdict:
        if result.outcome == "pass":
            return cls.STALE if result.stale else cls.PASSED
        if result.outcome == "n/a":
            return cls.SKIPPED
        if result.expectation is not None:
            return cls.EXPECTED
        return cls.FAILED if result.outcome == "fail" else cls.WARNING

    @property
    def mark(self) -> str:
        return MARKS[self]


MARKS = {
    Verdict.FAILED: "✗",
    Verdict.STALE: "✗",
    Verdict.WARNING: "!",
    Verdict.EXPECTED: "x",
    Verdict.SKIPPED: "-",
    Verdict.PASSED: "✓",
}
STALE_HINT = "It passes, though its profile expects it to fail: take it out of the profile."


@dataclass(frozen=True)
class Tally:
    """A warning is counted as passed; what did not apply, or failed as expected, as skipped."""

    passed: int
    failed: int
    skipped: int

    @classmethod
    def of(cls, results: Sequence[Result]) -> Tally:
        counts = Counter(map(Verdict.of, results))
        failed = counts[Verdict.FAILED] + counts[Verdict.STALE]
        skipped = counts[Verdict.EXPECTED] + counts[Verdict.SKIPPED]
        return cls(len(results) - failed - skipped, failed, skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def worst_first(results: Sequence[Result]) -> list[Result]:
    """Those that need a look: neither passed nor n/a."""
    order = list(Verdict)
    quiet = (Verdict.PASSED, Verdict.SKIPPED)
    loud = [result for result in results if Verdict.of(result) not in quiet]
    return sorted(loud, key=lambda result: order.index(Verdict.of(result)))


def by_section(results: Sequence[Result]) -> dict[str, list[Result]]:
    sections: dict[str, list[Result]] = {}
    for result in results:
        sections.setdefault(result.check.section, []).append(result)
    return sections
