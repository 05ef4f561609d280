"""``python -m conformance.comparison``: a table of several runs, kept in a README.

It takes what stands in the README between two comments, and the JSON files of the runs.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from conformance.readme import table, write

COLUMNS = ("passed", "failed", "n/a")
NAMES = {"mlx-router": "MLX Router", "mlx-lm-server": "mlx_lm.server"}

Run = dict[str, Any]


def main(
    readme: Annotated[Path, typer.Argument(help="The file that holds the two comments.")],
    results: Annotated[list[Path], typer.Argument(help="What `--json FILE` wrote, one a server.")],
) -> None:
    """Write a table of these runs into README, and what each of them fails."""
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in results]
    write(readme, "conformance", rendered(runs))


def rendered(runs: list[Run]) -> str:
    return "\n\n".join(filter(None, [_table(runs), *map(_failures, runs)]))


def _table(runs: list[Run]) -> str:
    sections = list(dict.fromkeys(_section(row) for run in runs for row in run["results"]))
    heads = [f"{_name(run)}: {COLUMNS[0]}" for run in runs]
    head = ["section", *(cell for first in heads for cell in (first, *COLUMNS[1:]))]
    rows = [[f"`{name}`", *_counts(runs, name)] for name in sections]
    return table([head, *rows, ["**all**", *_counts(runs)]])


def _counts(runs: list[Run], section: str | None = None) -> list[str]:
    cells = []
    for run in runs:
        rows = [row for row in run["results"] if section in (None, _section(row))]
        counts = Counter(_outcome(row) for row in rows)
        cells += [str(counts[column] or "") for column in COLUMNS]
    return cells


def _failures(run: Run) -> str:
    """What fails, grouped by the reason; empty when nothing does."""
    reasons: dict[str, list[str]] = {}
    for row in run["results"]:
        if _outcome(row) == "failed":
            reason = row["expectation"] or f"expected {row['expected']}"
            reasons.setdefault(reason, []).append(f"`{row['id']}`")
    if not reasons:
        return ""
    lines = [f"- {', '.join(ids)}: {reason}" for reason, ids in sorted(reasons.items(), key=_first)]
    count = sum(map(len, reasons.values()))
    head = f"<summary>The {count} checks that {_name(run)} fails, and why</summary>"
    return "\n".join(["<details>", head, "", *lines, "", "</details>"])


def _first(entry: tuple[str, list[str]]) -> str:
    return entry[1][0]


def _outcome(row: dict[str, Any]) -> str:
    return {"pass": "passed", "n/a": "n/a"}.get(row["outcome"], "failed")


def _section(row: dict[str, Any]) -> str:
    return str(row["id"]).partition(".")[0]


def _name(run: Run) -> str:
    target = str(run["target"])
    return NAMES.get(target, target)


if __name__ == "__main__":
    typer.run(main)
