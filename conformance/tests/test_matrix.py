"""The table of frameworks that a README shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from conformance import matrix

app = typer.Typer()
app.command()(matrix.main)


def row(id: str, outcome: str, *rounds: str, version: str | None = "1.2") -> dict[str, Any]:
    return {"id": id, "outcome": outcome, "rounds": rounds, "program": {"version": version}}


def test_a_program_is_a_line_and_a_scenario_a_column() -> None:
    found = matrix.rendered(
        [
            row("fw.text[langchain]", "pass", version=None),
            row("fw.tool[langchain]", "warn"),
            {**row("fw.usage[langchain]", "n/a"), "program": None},
            row("fw.text[openai-responses]", "fail", "pass", "fail", "pass"),
            row("chat.n", "pass"),
        ]
    )
    assert found.splitlines() == [
        "| framework | text | tool | usage |",
        "| --- | ---: | ---: | ---: |",
        "| langchain 1.2 | ✓ | ✗ | n/a |",
        "| openai-responses 1.2 | 2/3 |  |  |",
    ]


def test_it_is_written_between_its_comments(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- frameworks -->\nold\n<!-- /frameworks -->\nb\n", encoding="utf-8")
    results = tmp_path / "langchain.json"
    results.write_text(json.dumps({"results": [row("fw.text[langchain]", "pass")]}))
    assert CliRunner().invoke(app, [str(readme), str(results)]).exit_code == 0
    lines = readme.read_text(encoding="utf-8").splitlines()
    assert (lines[1], lines[4], lines[5]) == (
        "<!-- frameworks -->", "| langchain 1.2 | ✓ |", "<!-- /frameworks -->"
    )  # fmt: skip
