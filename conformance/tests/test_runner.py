"""Outcomes, and what they mean for the exit code."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conformance.__main__ import app, spelled_out
from conformance.check import REGISTRY, Check, Level
from conformance.client import Exchange, Received, Sent
from conformance.eventstream import EventStream
from conformance.failure import Failed, NotApplicable
from conformance.report.verdict import Tally, Verdict
from conformance.runner import Result, Runner
from conformance.session import Session
from conformance.target import Profile, Target
from conformance.tests.refusing import refusing
from conformance.transcript import Transcript

NOWHERE = "http://127.0.0.1:9/v1"
"""Nothing listens on the discard port."""

Run = Callable[[Session], Awaitable[None]]


async def holds(session: Session) -> None:
    return


async def fails(session: Session) -> None:
    raise Failed("one", 2, "send one")


async def does_not_apply(session: Session) -> None:
    raise NotApplicable("it has no model for it")


async def hangs(session: Session) -> None:
    await asyncio.sleep(60)


async def breaks(session: Session) -> None:
    raise KeyError("choices")


def check(run: Run, *, level: Level = Level.MUST, **more: object) -> Check:
    return Check("some.check", level, ("OURS",), "It works.", run, None, **more)  # type: ignore[arg-type]


def session(*capabilities: str) -> Session:
    return Session(Target(NOWHERE, "some-model", frozenset(capabilities)))


def results(
    *checks: Check,
    expected: dict[str, str] | None = None,
    strict: bool = False,
    primary: Session | None = None,
    scripted: Session | None = None,
) -> list[Result]:
    profile = Profile("some", frozenset(), expected or {})
    runner = Runner(primary or session(), scripted, profile, strict=strict, patience=0.2)
    return asyncio.run(runner.run(checks, lambda result: None))


def result(one: Check, *, expected: dict[str, str] | None = None, strict: bool = False) -> Result:
    return results(one, expected=expected, strict=strict)[0]


def test_checks_that_need_not_be_alone_run_beside_each_other() -> None:
    """Each with a latest exchange of its own; the others wait for them."""
    at_once, most, seen = 0, [0], []

    async def meets(session: Session) -> None:
        nonlocal at_once
        at_once += 1
        most[-1] = max(most[-1], at_once)
        session.last = mine = Exchange(Sent("GET", NOWHERE, {}, None), Received(200, []))
        await asyncio.sleep(0.01)
        assert session.last is mine
        at_once -= 1

    async def looks(session: Session) -> None:
        seen.append(at_once)
        most.append(0)

    together, alone = check(meets, alone=False), check(looks)
    runner = Runner(session(), None, Profile("some", frozenset()), jobs=2)
    checks = [together, together, together, alone, together]
    found = asyncio.run(runner.run(checks, lambda result: None))
    assert [one.outcome for one in found] == ["pass"] * 5
    assert [one.check for one in found] == checks
    assert (most, seen) == ([2, 1], [0])


EXPECTED = {"some.check": "not built yet"}


@pytest.mark.parametrize(
    ("run", "expected", "verdict", "fails_the_run"),
    [
        (holds, {}, Verdict.PASSED, False),
        (fails, {}, Verdict.FAILED, True),
        (fails, EXPECTED, Verdict.EXPECTED, False),
        (holds, EXPECTED, Verdict.STALE, True),
        (does_not_apply, {}, Verdict.SKIPPED, False),
        (does_not_apply, EXPECTED, Verdict.SKIPPED, False),
    ],
)
def test_outcome_and_expectation_make_the_verdict(
    run: Run, expected: dict[str, str], verdict: Verdict, fails_the_run: bool
) -> None:
    found = result(check(run), expected=expected)
    assert (Verdict.of(found), found.unexpected) == (verdict, fails_the_run)


def test_a_failure_keeps_what_was_expected_and_what_came() -> None:
    found = result(check(fails))
    assert (found.expected, found.actual, found.hint) == ("one", "2", "send one")


def test_a_should_that_does_not_hold_is_a_warning_unless_strict() -> None:
    assert Verdict.of(result(check(fails, level=Level.SHOULD))) is Verdict.WARNING
    assert Verdict.of(result(check(fails, level=Level.SHOULD), strict=True)) is Verdict.FAILED


def test_a_check_that_hangs_fails_at_its_timeout() -> None:
    found = result(check(hangs, timeout=0.05))
    assert (found.outcome, found.expected) == ("fail", "an end within 0.05 seconds")
    assert found.seconds < 5


def test_a_check_without_an_answer_is_judged_alone_when_the_server_answers_again() -> None:
    with refusing() as url:
        healthy = Session(Target(url, "some-model", frozenset()))
        slow, after = results(check(hangs, timeout=0.05), check(fails), primary=healthy)
    assert (slow.actual, after.actual) == ("no end", "2")


def test_after_a_server_has_gone_silent_nobody_fails_in_its_place() -> None:
    checks = (check(hangs, timeout=0.05), check(fails), check(holds))
    gone, *others = results(*checks, expected=EXPECTED)
    assert gone.unexpected
    assert gone.actual == "no end; then none within 0.2 s"
    assert {other.outcome for other in others} == {"n/a"}


def test_what_leaves_a_server_at_work_comes_after_the_others() -> None:
    asked = []

    async def notes(session: Session) -> None:
        asked.append("taxing")

    async def others(session: Session) -> None:
        asked.append("other")

    results(check(notes, taxing=True), check(others))
    assert asked == ["other", "taxing"]


def test_an_answer_that_breaks_a_check_is_a_failure() -> None:
    found = result(check(breaks))
    assert (found.outcome, found.actual) == ("fail", "KeyError: 'choices'")


def test_a_check_whose_needs_nobody_meets_says_which() -> None:
    found = result(check(holds, needs=("tool_calls",), scripted=True))
    assert (found.outcome, found.actual) == ("n/a", "needs tool_calls, scripted")


def test_a_check_goes_to_the_first_session_that_has_what_it_needs() -> None:
    asked = []

    async def notes(session: Session) -> None:
        asked.append(session)

    primary, scripted = session("health"), session("health", "scripted")
    checks = (check(notes, needs=("health",)), check(notes, scripted=True))
    results(*checks, primary=primary, scripted=scripted)
    assert asked == [primary, scripted]


def test_invariants_come_last_and_judge_every_stream() -> None:
    judged = []
    sent = Sent("POST", NOWHERE, {}, None)
    streams = [Transcript.of(Exchange(sent, Received(200, []))) for _ in range(2)]

    async def streaming(session: Session) -> None:
        session.streams += streams

    def judge(transcript: Transcript) -> None:
        judged.append(transcript)
        if transcript is streams[1]:
            raise Failed("a stream", "none")

    invariant = Check("some.invariant", Level.MUST, (), "It streams.", None, judge)
    first, second = results(invariant, check(streaming))
    assert (first.check.id, second.outcome) == ("some.check", "fail")
    assert judged == streams
    assert second.exchange is streams[1].exchange


def test_an_invariant_judges_streams_of_its_kind_only() -> None:
    class Odd(EventStream):
        """A kind of its own."""

    async def streaming(session: Session) -> None:
        exchange = Exchange(Sent("POST", NOWHERE, {}, None), Received(200, []))
        session.streams += [Transcript.of(exchange), Odd.of(exchange)]

    judged: list[EventStream] = []
    odd = Check("odd.one", Level.MUST, (), "It is odd.", None, judged.append, of=Odd)
    every = Check("odd.every", Level.MUST, (), "It streams.", None, judged.append)
    results(check(streaming), odd, every)
    assert [type(stream) for stream in judged] == [Odd, Transcript, Odd]


def test_invariants_without_a_stream_do_not_apply() -> None:
    invariant = Check("some.invariant", Level.MUST, (), "It streams.", None, lambda stream: None)
    assert results(invariant)[0].outcome == "n/a"


def test_the_tally_counts_warnings_as_passed_and_expected_failures_as_skipped() -> None:
    found = [
        result(check(holds)),
        result(check(fails, level=Level.SHOULD)),
        result(check(fails)),
        result(check(holds), expected=EXPECTED),
        result(check(fails), expected=EXPECTED),
        result(check(does_not_apply)),
    ]
    assert str(Tally.of(found)) == "2 passed, 2 failed, 2 skipped"


# --- python -m conformance ----------------------------------------------------------


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_list_names_the_checks() -> None:
    ran = CliRunner().invoke(app, ["--list", "stream.role_once"])
    assert ran.exit_code == 0
    assert ran.output.startswith("stream.role_once")
    assert "never again" in ran.output


def test_list_tells_what_its_checks_cite() -> None:
    told = CliRunner().invoke(app, ["--list"]).output.rpartition("RFC 2119")[2]
    cited = {cite.partition(":")[0] for check in REGISTRY.values() for cite in check.cite}
    assert cited == {line.split()[0] for line in told.splitlines()[1:]}


def test_list_with_json_is_json() -> None:
    ran = conformance("stream.", "--list", "--json")
    rows = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert {row["id"].partition(".")[0] for row in rows} == {"stream"}
    assert set(rows[0]) == {"id", "level", "cite", "requirement", "scripted", "needs"}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--list", "--json"], ["--list", "--json", "-"]),
        (["--json", "--list"], ["--json", "-", "--list"]),
        (["--json", "file", "--list"], ["--json", "file", "--list"]),
        (["--json", "-"], ["--json", "-"]),
        (["--json=file"], ["--json=file"]),
        ([], []),
    ],
)
def test_json_without_a_file_is_standard_output(given: list[str], meant: list[str]) -> None:
    assert spelled_out(given) == meant


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nothing.like_this"], "nothing.like_this"),
        (["--target", "nobody", "stream.role_once"], "nobody"),
        (["--nothing"], "--nothing"),
    ],
)
def test_what_is_not_known_is_a_usage_error_that_names_it(arguments: list[str], named: str) -> None:
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 2
    assert named in ran.output


def test_a_run_that_fails_exits_with_1_and_writes_what_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "new" / "results.json"
    ran = conformance(
        "chat.id_prefix", "chat.schema", "--base-url", NOWHERE, "--json", str(file), "--strict"
    )
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "0 passed, 1 failed, 1 skipped"
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["counts"] == {"passed": 0, "failed": 1, "skipped": 1}
    assert not document["ok"]


def test_results_on_standard_output_are_nothing_but_json() -> None:
    ran = conformance("stream.incremental", "--base-url", NOWHERE, "--json")
    assert ran.returncode == 0
    assert [row["verdict"] for row in json.loads(ran.stdout)["results"]] == ["n/a"]
    assert ran.stderr.splitlines()[-1] == "0 passed, 0 failed, 1 skipped"
