"""The table of several runs that a README shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from conformance import comparison

BEGIN, END = "<!-- conformance -->", "<!-- /conformance -->"

app = typer.Typer()
app.command()(comparison.main)


def row(id: str, outcome: str, expectation: str | None = None) -> dict[str, str | None]:
    return {"id": id, "outcome": outcome, "expectation": expectation, "expected": "one"}


def run(target: str, *rows: dict[str, str | None]) -> dict[str, object]:
    return {"target": target, "results": list(rows)}


OURS = run("mlx-router", row("chat.n", "pass"), row("lat.ttft", "n/a"), row("chat.stop", "pass"))
THEIRS = run(
    "mlx-lm-server",
    row("chat.n", "fail", "n is ignored"),
    row("chat.stop", "warn", "n is ignored"),
    row("lat.ttft", "fail"),
)


def written(tmp_path: Path, readme: str) -> tuple[int, str]:
    """The exit code, and what is then in the README."""
    paths = [tmp_path / "README.md", tmp_path / "ours.json", tmp_path / "theirs.json"]
    texts = (readme, json.dumps(OURS), json.dumps(THEIRS))
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    ran = CliRunner().invoke(app, list(map(str, paths)))
    return ran.exit_code, paths[0].read_text(encoding="utf-8")


def test_the_table_counts_by_section_and_server() -> None:
    table = comparison.rendered([OURS, THEIRS])
    assert "| section | MLX Router: passed | failed | n/a | mlx_lm.server: passed |" in table
    assert "| `chat` | 2 |  |  |  | 2 |  |" in table
    assert "| **all** | 2 |  | 1 |  | 3 |  |" in table


def test_what_the_others_fail_is_listed_by_its_reason() -> None:
    lines = comparison.rendered([OURS, THEIRS]).splitlines()
    assert "- `chat.n`, `chat.stop`: n is ignored" in lines
    assert "- `lat.ttft`: expected one" in lines
    assert "<summary>The 3 checks that mlx_lm.server fails, and why</summary>" in lines


def test_only_what_stands_between_the_comments_is_replaced(tmp_path: Path) -> None:
    code, text = written(tmp_path, f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert code == 0
    assert text.startswith(f"before\n{BEGIN}\n| section |")
    assert text.endswith(f"</details>\n{END}\nafter\n")
    assert "old" not in text


@pytest.mark.parametrize("readme", ["nothing", BEGIN, END])
def test_a_readme_without_the_comments_is_left_alone(tmp_path: Path, readme: str) -> None:
    code, text = written(tmp_path, readme)
    assert (code, text) == (2, readme)
