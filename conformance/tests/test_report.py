"""What a run leaves behind, for people and for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conformance import report
from conformance.check import Check, Level
from conformance.client import Exchange, Received, Sent
from conformance.report import exchange as words
from conformance.runner import Result

NASTY = "<script>alert(1)</script> [/red] `a` | \x00\x1b[31m"


def check(name: str, level: Level = Level.MUST) -> Check:
    return Check(f"some.{name}", level, ("SPEC:1", "OURS"), "`It` works.", None, None)


def exchange(kind: str = "application/json", body: bytes = b'{"a": 1}') -> Exchange:
    headers = {"content-type": "application/json", "authorization": "Bearer sk-secret"}
    sent = Sent("POST", "http://host/v1/chat/completions", headers, b'{"model": "m"}')
    return Exchange(sent, Received(200, [("content-type", kind)], [(0.25, body)], 0.5, True))


STREAM = exchange("text/event-stream", b": ping\n\ndata: one\n\ndata: [DONE]\n\n")
RESULTS = [
    Result(check("passed"), "pass", 0.1),
    Result(check("expected"), "fail", 0.1, "1", "2", exchange=exchange(), expectation="later"),
    Result(check("skipped"), "n/a", 0.0, actual="needs tools"),
    Result(check("warned", Level.SHOULD), "warn", 2.0, "1", "2", exchange=STREAM),
    Result(check("stale"), "pass", 0.1, exchange=exchange(), expectation="later"),
    Result(check("failed"), "fail", 0.1, "one", NASTY, f"hint {NASTY}", STREAM),
]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    names = ("json", "xml", "md", "html", "badge")
    paths = [tmp_path / f"results.{name}" for name in names]
    report.write(RESULTS, "any", *paths, server="m at http://host")
    return {name: p.read_text(encoding="utf-8") for name, p in zip(names, paths, strict=True)}


def test_json_has_every_result_with_its_verdict(files: dict[str, str]) -> None:
    document = json.loads(files["json"])
    assert document["counts"] == {"passed": 2, "failed": 2, "skipped": 2}
    assert [row["verdict"] for row in document["results"]] == [
        "passed", "expected failure", "n/a", "warning", "stale expectation", "failed",
    ]  # fmt: skip
    assert document["results"][-1]["actual"] == NASTY


def test_junit_is_xml_whatever_a_model_says(files: dict[str, str]) -> None:
    suite = ET.fromstring(files["xml"])[0]
    assert (suite.get("failures"), suite.get("skipped"), suite.get("tests")) == ("2", "2", "6")
    tags = {case.get("name"): [child.tag for child in case] for case in suite}
    assert tags["some.failed"] == tags["some.stale"] == ["failure"]
    assert tags["some.expected"] == tags["some.skipped"] == ["skipped"]
    assert tags["some.passed"] == []


def test_markdown_keeps_its_table_and_its_fences(files: dict[str, str]) -> None:
    assert "| some | 1 | 1 | 1 | 1 | 1 | 1 |" in files["md"]
    assert "- actual: `` <script>alert(1)</script>" in files["md"]


def test_the_page_escapes_and_loads_nothing(files: dict[str, str]) -> None:
    page = files["html"]
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<code>It</code> works." in page
    assert not re.search(r"<(link|img|iframe)|\b(src|href)=\"(?!#)|@import|url\(", page)


def test_the_page_shows_failures_first_and_their_exchange(files: dict[str, str]) -> None:
    page = files["html"]
    order = [page.index(f'id="some.{name}"') for name in ("failed", "stale", "warned", "expected")]
    assert order == sorted(order)
    assert order[-1] < page.index("All checks")
    for shown in ("POST http://host/v1", "0.250 s", "[DONE]", ": ping", "curl -sS", "SPEC:1"):
        assert shown in page


def test_no_report_holds_the_key(files: dict[str, str], tmp_path: Path) -> None:
    saved = report.save(RESULTS, tmp_path / "transcripts")
    texts = [*files.values(), *(path.read_text(encoding="utf-8") for path in saved.values())]
    assert not any("sk-secret" in text for text in texts)


def test_the_badge_counts_what_was_judged(files: dict[str, str]) -> None:
    badge = json.loads(files["badge"])
    assert (badge["message"], badge["color"]) == ("2/4", "red")


def test_transcripts_are_of_those_that_did_not_hold(tmp_path: Path) -> None:
    saved = report.save(RESULTS, tmp_path / "new")
    assert sorted(saved) == ["some.expected", "some.failed", "some.stale", "some.warned"]
    text = saved["some.failed"].read_text(encoding="utf-8")
    assert "0.250 s  : ping" in text
    assert "0.250 s  [DONE]" in text


def test_a_run_without_failures_leaves_no_folder(tmp_path: Path) -> None:
    assert report.save(RESULTS[:1], tmp_path / "new") == {}
    assert not (tmp_path / "new").exists()


def test_the_summary_explains_and_ends_with_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    for result in RESULTS:
        report.line(result)
    report.summary(RESULTS, {"some.failed": Path("/some/where.txt")})
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "2 passed, 2 failed, 2 skipped"
    assert "\x1b" not in printed
    for shown in ("[/red] `a` |", "curl -sS", "/some/where.txt", "slowest: some.warned 2.0s"):
        assert shown in printed


def test_a_request_too_long_to_paste_is_not_offered() -> None:
    sent = Sent("POST", "http://host/v1", {}, b"x" * 100_000)
    long = Result(check("long"), "fail", 0.1, "1", "2", exchange=Exchange(sent, Received(200, [])))
    assert words.curl(long.exchange) == ""
