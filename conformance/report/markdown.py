"""A table for a README, and what failed, for the summary page of a CI run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from conformance.report import exchange
from conformance.report.verdict import STALE_HINT, Tally, Verdict, by_section, worst_first
from conformance.runner import Result


def render(results: Sequence[Result], target: str, server: str) -> str:
    parts = [f"# Conformance: {target}", server, f"**{Tally.of(results)}**", _table(results)]
    parts += [_details(result) for result in worst_first(results)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(results: Sequence[Result]) -> str:
    seen = [v for v in reversed(Verdict) if any(Verdict.of(r) is v for r in results)]
    rows = [["section", *seen], ["---", *["---:"] * len(seen)]]
    for section, members in by_section(results).items():
        counts = Counter(map(Verdict.of, members))
        rows.append([section, *(str(counts[verdict] or "") for verdict in seen)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _details(result: Result) -> str:
    check = result.check
    hint = STALE_HINT if result.stale else result.hint
    rows = {
        "expectation": result.expectation,
        "expected": _code(result.expected),
        "actual": "" if result.stale else _code(result.actual),
        "hint": hint,
    }
    listed = "\n".join(f"- {name}: {value}" for name, value in rows.items() if value)
    head = f"## {check.id} ({Verdict.of(result)})\n\n{check.requirement} *{check.level}, "
    curl = exchange.curl(result.exchange)
    command = f"\n\n{_fenced(curl, 'sh')}" if curl else ""
    return f"{head}{', '.join(check.cite)}*\n\n{listed}{command}"


def _code(text: str) -> str:
    """A code span around any text: its fence is longer than the longest row of backticks."""
    flat = " ".join(text.split())
    fence = "`" * (_backticks(flat) + 1)
    pad = " " if "`" in flat else ""
    return f"{fence}{pad}{flat}{pad}{fence}" if flat else ""


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, _backticks(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _backticks(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
