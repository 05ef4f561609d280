"""A replay told: counts by endpoint, reasons, and every failure by name."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from conformance.replay import report
from conformance.replay.outcome import Fault, Outcome
from conformance.replay.progress import Progress
from conformance.replay.report import Report
from conformance.tests.recordings import answered, recording


def outcome(place: int, *kinds: str, endpoint: str = "POST responses", **more: object) -> Outcome:
    faults = tuple(Fault(kind, "somewhere", "something") for kind in kinds)
    return Outcome(f"a/b.yaml#{place}", "a 1.0", endpoint, 200, 200, faults, **more)  # type: ignore[arg-type]


def told(*outcomes: Outcome) -> Report:
    return Report(outcomes, "the router", Counter({"another host": 7}), 3)


MIXED = told(
    outcome(0),
    outcome(1, "status"),
    outcome(2, "schema", "presence", "grammar"),
    outcome(3, "meaning", endpoint="POST completions"),
    outcome(4, excuse="vision"),
    outcome(5, endpoint="POST embeddings", excuse="embeddings"),
    outcome(6, endpoint="POST files", excuse="files"),
)


def test_rows_count_by_endpoint_and_kind() -> None:
    assert MIXED.rows() == [
        ["endpoint", "sent", "passed", "status", "shape", "events", "meaning", "n/a"],
        ["`POST responses`", "4", "1", "1", "1", "1", "", "1"],
        ["`POST completions`", "1", "", "", "", "", "1", ""],
        ["other APIs", "2", "", "", "", "", "", "2"],
        ["**all**", "7", "1", "1", "1", "1", "1", "3"],
    ]


def test_checks_of_the_catalogue_have_what_fails_them() -> None:
    assert MIXED.checks() == {
        "replay.accepted": 1,
        "replay.shape": 1,
        "replay.event_grammar": 1,
        "replay.meaning": 1,
    }


def test_one_wrong_status_is_too_many_and_a_few_wrong_shapes_are_not() -> None:
    passed = [outcome(place) for place in range(200)]
    assert told(*passed).good
    assert told(*passed, outcome(200, "presence")).good
    assert not told(*passed[:150], outcome(200, "presence")).good
    assert not told(*passed, outcome(200, "status")).good
    excused = [outcome(place, excuse="vision") for place in range(200)]
    assert not told(*excused, outcome(200, "presence")).good


def test_markdown_has_everything() -> None:
    text = report.markdown(MIXED)
    assert "7 recorded requests of 1 projects, and 3 like them that were not sent again" in text
    assert "| `POST responses` | 4 | 1 | 1 | 1 | 1 |  | 1 |" in text
    assert "\nn/a: 1 vision, 1 embeddings, 1 files.\n" in text
    assert "\nNot taken: 7 another host.\n" in text
    assert "- `a/b.yaml#1`: status: somewhere: something" in text.splitlines()


def test_the_terminal_has_every_failure() -> None:
    text = report.text(MIXED)
    for one in MIXED.failed:
        assert text.count(one.id) == len(one.faults)
    assert "replay.accepted: 1 failed" in text


def test_json_has_every_outcome(tmp_path: Path) -> None:
    report.save(MIXED, tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["dropped"] == {"another host": 7}
    assert [one["id"] for one in found["outcomes"]] == [one.id for one in MIXED.outcomes]
    assert found["outcomes"][1]["faults"][0]["message"] == "something"


def test_progress_reckons_with_the_length_of_requests() -> None:
    ahead = [
        recording("responses", "x" * length, answered({}), place=place)
        for place, length in enumerate((99, 299))
    ]
    progress = Progress(ahead, lambda line: None)
    known = {"source": "theirs 1.0", "endpoint": "POST responses", "expected": 200, "status": 200}
    progress.heard(Outcome(ahead[0].id, prompt=500, answer=100, **known))  # type: ignore[arg-type]
    assert progress.line(100.0) == (
        "1 of 2, 0 failed; 5 and 1 tokens/s read and written; about 5 min left"
    )
