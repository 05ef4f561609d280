"""Checks that are carried out several times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conformance.__main__ import app
from conformance.check import Check, Level, Outcome
from conformance.report import console
from conformance.rounds import merged
from conformance.runner import Result
from conformance.tests.refusing import refusing


def result(name: str, outcome: Outcome, actual: str = "") -> Result:
    check = Check(f"some.{name}", Level.MUST, (), "It works.", None, None)
    return Result(check, outcome, 1.5, actual=actual)


def test_the_worst_round_stands_for_all() -> None:
    rounds = [
        [result("first", "pass"), result("second", "pass")],
        [result("first", "pass"), result("second", "fail", "worse")],
        [result("first", "pass"), result("second", "fail", "bad")],
    ]
    first, second = merged(rounds)
    assert (first.outcome, first.rounds, first.seconds) == ("pass", ("pass",) * 3, 4.5)
    assert (second.outcome, second.actual) == ("fail", "worse")
    assert second.rounds == ("pass", "fail", "fail")


def test_one_round_is_none() -> None:
    once = [result("first", "pass")]
    assert merged([once]) == once


def test_what_is_carried_out_once_has_no_rounds() -> None:
    rounds = [[result("first", "pass"), result("once", "fail")], [result("first", "pass")]]
    first, once = merged(rounds)
    assert (first.rounds, once.outcome, once.rounds) == (("pass", "pass"), "fail", ())


def test_the_summary_tells_how_often(capsys: pytest.CaptureFixture[str]) -> None:
    console.summary(merged([[result("first", "pass")], [result("first", "fail")]]))
    assert "1 of 2  some.first" in capsys.readouterr().out


def test_a_repeated_run_has_each_check_once_with_its_rounds(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    with refusing() as url:
        flags = ["--base-url", url, "--repeat", "3", "--json", str(file)]
        ran = CliRunner().invoke(app, ["chat.schema", *flags])
    assert ran.exit_code == 1
    (row,) = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert row["rounds"] == ["fail", "fail", "fail"]
