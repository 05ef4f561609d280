"""The exchanges and programs of the checks that did not hold, one text file each."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from conformance.report import exchange, program
from conformance.report.verdict import worst_first
from conformance.runner import Result


def save(results: Sequence[Result], folder: Path | None) -> dict[str, Path]:
    """Write them below ``folder``, by default a new temporary one: the paths by check id."""
    written = {}
    for result in worst_first(results):
        if result.exchange is None and result.ran is None:
            continue
        folder = folder or Path(tempfile.mkdtemp(prefix="conformance-"))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{result.check.id}.txt"
        path.write_text(_text(result), encoding="utf-8")
        written[result.check.id] = path
    return written


def _text(result: Result) -> str:
    rows = {
        "requirement": result.check.requirement,
        "expected": result.expected,
        "actual": result.actual,
        "hint": result.hint,
    }
    head = "\n".join(f"# {name}: {value}" for name, value in rows.items() if value)
    parts = [f"# {result.check.id}\n{head}"]
    if result.ran:
        parts += [program.text(result.ran), *map(exchange.text, result.ran.exchanges)]
    elif result.exchange:
        parts.append(exchange.text(result.exchange))
    return "\n\n".join(parts) + "\n"
