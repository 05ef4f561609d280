"""``python -m conformance.matrix``: what each framework does with a server, kept in a README.

It takes what stands in the README between two comments, and the JSON files of the runs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from conformance.readme import table, write

ID = re.compile(r"fw\.(?P<scenario>\w+)\[(?P<program>[\w-]+)\]")
MARKS = {"pass": "✓", "warn": "✗", "fail": "✗", "n/a": "n/a"}

Row = dict[str, Any]


def main(
    readme: Annotated[Path, typer.Argument(help="The file that holds the two comments.")],
    results: Annotated[
        list[Path], typer.Argument(exists=True, help="What `--json FILE` wrote, in any number.")
    ],
) -> None:
    """Write a table of frameworks and scenarios into README."""
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(results)]
    write(readme, "frameworks", rendered([row for run in runs for row in run["results"]]))


def rendered(results: list[Row]) -> str:
    found = {match.groups(): row for row in results if (match := ID.fullmatch(row["id"]))}
    scenarios = list(dict.fromkeys(scenario for scenario, _ in found))
    programs = dict.fromkeys(program for _, program in found)
    lines = []
    for program in programs:
        rows = {scenario: found.get((scenario, program)) for scenario in scenarios}
        lines.append([f"{program} {_version(rows)}".strip(), *map(_cell, rows.values())])
    return table([["framework", *scenarios], *lines])


def _cell(row: Row | None) -> str:
    """A mark, or of a check that was repeated how often it passed."""
    if row is None:
        return ""
    rounds = row["rounds"]
    return f"{rounds.count('pass')}/{len(rounds)}" if rounds else MARKS[row["outcome"]]


def _version(rows: dict[str, Row | None]) -> str:
    programs = [row["program"] for row in rows.values() if row and row["program"]]
    return next((program["version"] for program in programs if program["version"]), "")


if __name__ == "__main__":
    typer.run(main)
