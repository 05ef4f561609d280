"""The run on a terminal, or in a log."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from conformance.check import AUTHORITIES, Check
from conformance.report import exchange, files, json
from conformance.report.verdict import STALE_HINT, Tally, Verdict, by_section, worst_first
from conformance.runner import Result, in_order

out = Console(highlight=False, emoji=False)
CONTROL = re.compile("[^\\t\\n\\u0020-\\u007e\\u00a0-\\U0010ffff]")
"""What could move a terminal's cursor or change its colours; servers say anything."""

STYLES = {
    Verdict.FAILED: "red",
    Verdict.STALE: "red",
    Verdict.WARNING: "yellow",
    Verdict.EXPECTED: "dim",
    Verdict.SKIPPED: "dim",
    Verdict.PASSED: "green",
}
SLOW = 1.0
"""Seconds from which a check is named among the slowest."""


def to_stderr() -> None:
    """From now on: standard output is wanted for something else."""
    out.stderr = True


def line(result: Result) -> None:
    """One line as soon as a check is done."""
    verdict = Verdict.of(result)
    notes = {
        Verdict.FAILED: f"expected {result.expected}, got {result.actual}",
        Verdict.WARNING: f"expected {result.expected}, got {result.actual}",
        Verdict.STALE: "passes, but its profile expects it to fail",
        Verdict.EXPECTED: f"expected: {result.expectation}",
        Verdict.SKIPPED: result.actual,
        Verdict.PASSED: "",
    }
    row = Text.assemble(
        (verdict.mark, STYLES[verdict]), f" {result.check.id}  ", (f"{result.seconds:.1f}s", "dim")
    )
    if note := " ".join(_printable(notes[verdict]).split()):
        row.append(f"  {note}", STYLES[verdict])
    if out.is_terminal:
        row.truncate(out.width, overflow="ellipsis")
    out.print(row, soft_wrap=True)


@contextlib.contextmanager
def live(checks: Sequence[Check]) -> Iterator[Callable[[Result], None]]:
    """What to call with each result: it prints a line, on a terminal above a bar that shows
    how far the run is and which check it is at."""
    if not out.is_terminal:
        yield line
        return
    ahead = [check.id for check in in_order(checks)]
    columns = (SpinnerColumn(), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    description = TextColumn("{task.description}", markup=False)
    with Progress(*columns, description, console=out, transient=True) as progress:
        bar = progress.add_task(ahead[0], total=len(ahead))
        failed = 0

        def show(result: Result) -> None:
            nonlocal failed
            line(result)
            failed += result.unexpected
            ahead.remove(result.check.id)
            words = [f"{failed} failed"] if failed else []
            progress.update(bar, advance=1, description=" · ".join(words + ahead[:1]))

        yield show


def listing(checks: Sequence[Check], *, as_json: Path | None) -> None:
    """The checks for people, or as JSON in a file; ``-`` is standard output."""
    if as_json:
        files.write_text(as_json, json.listing(checks))
        return
    for check in checks:
        row = Text.assemble(check.id, "  ", (f"{check.level}, {', '.join(check.cite)}", "dim"))
        out.print(row, soft_wrap=True)
        out.print(f"    {check.requirement}", markup=False, soft_wrap=True)
    out.print("\nmust, should: as in RFC 2119. Behind it, who says so:")
    for authority, meaning in AUTHORITIES.items():
        out.print(f"  {authority:<6}{meaning}", style="dim", soft_wrap=True)


def summary(results: Sequence[Result], transcripts: Mapping[str, Path] | None = None) -> None:
    """Counts by section, the slowest checks, each failure, and the closing line."""
    out.print()
    out.print(_sections(results))
    slowest = sorted((r for r in results if r.seconds >= SLOW), key=lambda r: -r.seconds)[:5]
    if slowest:
        names = ", ".join(f"{r.check.id} {r.seconds:.1f}s" for r in slowest)
        out.print(f"\nslowest: {names}", soft_wrap=True)
    transcripts = transcripts or {}
    for result in reversed(worst_first(results)):
        if Verdict.of(result) is not Verdict.EXPECTED:
            _explain(result, transcripts.get(result.check.id))
    if transcripts:
        folder = next(iter(transcripts.values())).parent
        out.print(f"\ntranscripts: {folder}", markup=False, soft_wrap=True)
    for result in results:
        if result.rounds:
            times = f"{result.rounds.count('pass')} of {len(result.rounds)}"
            out.print(f"{times:>12}  {result.check.id}", markup=False, soft_wrap=True)
    out.print(f"\n{Tally.of(results)}")


def _sections(results: Sequence[Result]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    seen = [v for v in reversed(Verdict) if any(Verdict.of(r) is v for r in results)]
    table.add_column("section")
    for heading in (*seen, "seconds"):
        table.add_column(heading, justify="right")
    for section, members in by_section(results).items():
        counts = Counter(map(Verdict.of, members))
        cells = [Text(str(counts[v] or "·"), STYLES[v] if counts[v] else "dim") for v in seen]
        table.add_row(section, *cells, f"{sum(r.seconds for r in members):.1f}")
    return table


def _explain(result: Result, transcript: Path | None) -> None:
    check, verdict = result.check, Verdict.of(result)
    head = Text.assemble(
        "\n",
        (f"{verdict.mark} {check.id}", f"bold {STYLES[verdict]}"),
        (f"  {verdict}, {check.level}, {', '.join(check.cite)}", "dim"),
    )
    out.print(head, soft_wrap=True)
    rows = {
        "requirement": check.requirement,
        "expected": result.expectation if result.stale else result.expected,
        "actual": result.actual,
        "hint": STALE_HINT if result.stale else result.hint,
        "repeat": result.ran.command if result.ran else exchange.curl(result.exchange),
        "transcript": transcript and str(transcript),
    }
    for name, value in rows.items():
        if value:
            out.print(Text.assemble((f"  {name:<12}", "dim"), _printable(value)), soft_wrap=True)


def _printable(text: str) -> str:
    return CONTROL.sub("\ufffd", text)
