"""What a replay came to: a table by endpoint, and everything that is not as it should be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

from conformance.readme import table
from conformance.replay.outcome import CHECKS, Outcome, by_endpoint

WIDTH = 100
"""Of a line in Markdown."""

LEAST = 0.995
"""Share of the judged answers that must pass; of their statuses, all must."""

COLUMNS = {
    "status": ("status",),
    "shape": ("type", "schema", "presence"),
    "events": ("grammar",),
    "meaning": ("meaning",),
}
"""Of the table, and the kinds of faults that they count."""


@dataclass(frozen=True)
class Report:
    """``server`` answered. ``dropped``: interactions that were not taken, by reason; ``repeats``:
    those whose request was not sent a second time."""

    outcomes: Sequence[Outcome]
    server: str
    dropped: Counter[str]
    repeats: int

    @property
    def about(self) -> str:
        projects = len({one.source for one in self.outcomes})
        sent = f"{len(self.outcomes)} recorded requests of {projects} projects"
        left = f", and {self.repeats} like them that were not sent again" if self.repeats else ""
        return f"{sent}{left}: {self.server}"

    @property
    def excused(self) -> Counter[str]:
        return Counter(one.excuse for one in self.outcomes if one.excuse)

    @property
    def judged(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.excuse is None]

    @property
    def failed(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.faults]

    @property
    def good(self) -> bool:
        accepted = not any(fault.kind == "status" for one in self.failed for fault in one.faults)
        return accepted and len(self.failed) <= (1 - LEAST) * len(self.judged)

    def checks(self) -> dict[str, int]:
        """How many answers fail each check of the catalogue."""
        broken = Counter(
            check
            for one in self.failed
            for check in {CHECKS.get(fault.kind, "replay.shape") for fault in one.faults}
        )
        return {check: broken[check] for check in dict.fromkeys(CHECKS.values())}

    def rows(self) -> list[list[str]]:
        """Endpoints that are n/a altogether share one."""
        head = ["endpoint", "sent", "passed", *COLUMNS, "n/a"]
        rows = []
        others: list[Outcome] = []
        for name, outcomes in by_endpoint(self.outcomes):
            if all(one.excuse for one in outcomes):
                others += outcomes
            else:
                rows.append(_row(f"`{name}`", outcomes))
        rows += [_row("other APIs", others)] if others else []
        return [head, *rows, _row("**all**", self.outcomes)]


def markdown(report: Report) -> str:
    """For a README: the table, what is n/a, what was not taken, and every failure."""
    failures = ["", f"{len(report.failed)} fail:", "", *_failures(report)] if report.failed else []
    return "\n".join(
        [
            f"{report.about}.",
            "",
            table(report.rows()),
            "",
            "<details>",
            "<summary>What is n/a, and what was not taken</summary>",
            "",
            *wrap(f"n/a: {_listed(report.excused)}.", WIDTH),
            "",
            *wrap(f"Not taken: {_listed(report.dropped)}.", WIDTH),
            "",
            "</details>",
            *failures,
        ]
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common()) or "none"


def _failures(report: Report) -> Iterable[str]:
    for one in report.failed:
        for fault in one.faults:
            yield f"- `{one.id}`: {' '.join(str(fault).split())[:300]}"


def save(report: Report, file: Path) -> None:
    data: dict[str, Any] = {
        "about": report.about,
        "repeats": report.repeats,
        "dropped": report.dropped,
        "checks": report.checks(),
        "excused": report.excused,
        "outcomes": [asdict(one) for one in report.outcomes],
    }
    file.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


def text(report: Report) -> str:
    """For a terminal."""
    widths = [max(map(len, column)) for column in zip(*report.rows(), strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in report.rows()
    ]
    excused = [f"  {count:5} {reason}" for reason, count in report.excused.most_common()]
    broken = [f"{name}: {count or 'none'} failed" for name, count in report.checks().items()]
    return "\n".join([*_failures(report), "", *lines, "", "n/a:", *excused, "", *broken])


def _row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    counts = [
        len(outcomes),
        sum(one.passed for one in outcomes),
        *(_faulty(outcomes, kinds) for kinds in COLUMNS.values()),
        sum(one.excuse is not None for one in outcomes),
    ]
    return [name, *(str(count or "") for count in counts)]


def _faulty(outcomes: Sequence[Outcome], kinds: tuple[str, ...]) -> int:
    return sum(any(fault.kind in kinds for fault in one.faults) for one in outcomes)
