"""Recordings sent to a router: what passes, what fails, and what a run remembers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.client import Exchange, Received, Sent
from conformance.replay.journal import Journal
from conformance.replay.outcome import Fault, Outcome
from conformance.replay.recording import Recording
from conformance.replay.replaying import Cassette, Judge, Replay, cassettes, sample
from conformance.replay.serving import opened
from conformance.target import Target
from conformance.tests.recordings import answered, recording, refused

USER = [{"role": "user", "content": "Say hello."}]
ID = "resp_0a1b2c3d4e"
NOWHERE = Target("http://127.0.0.1:9/v1", "none", frozenset())


def content(_: Recording, __: Exchange) -> list[Fault]:
    return []


def replayed(
    told: list[Cassette],
    judge: Judge = content,
    target: Target | None = None,
    journal: Journal | None = None,
) -> Any:
    """Outcomes in the order of their ids."""
    outcomes: list[Outcome] = []

    async def run() -> None:
        async with opened(target, "scripted", 48) as server:
            await Replay(server, judge, outcomes.append, journal or Journal(None)).run(told)

    asyncio.run(run())
    return sorted(outcomes, key=lambda one: one.id)


def chat(place: int, answer: Any, **body: Any) -> Recording:
    asked = {"model": "gpt-4o", "messages": USER, **body}
    return recording("chat/completions", asked, answer, place=place)


def responses(place: int, answer: Any, **body: Any) -> Recording:
    asked = {"model": "gpt-4o", "input": USER, **body}
    return recording("responses", asked, answer, cassette="two.yaml", place=place)


ONE = [
    chat(0, answered({})),
    chat(1, refused(404, code="model_not_found"), model="no-such"),
    chat(2, refused(401, code="invalid_api_key")),
    chat(3, answered({}), messages=[{"role": "user", "content": [{"type": "image_url"}]}]),
    chat(4, answered({}), temperature=5),
    chat(5, refused(400, code="invalid_value"), temperature=0.5),
]
TWO = [
    responses(0, answered({"id": ID, "object": "response", "output": []})),
    responses(1, answered({}), previous_response_id=ID),
    recording(f"responses/{ID}", None, answered({}), method="GET", cassette="two.yaml", place=2),
    responses(3, answered({}), previous_response_id="resp_0of0another"),
]


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    found: list[Outcome] = replayed([ONE, TWO])
    return found


def test_each_recording_has_an_outcome(outcomes: list[Outcome]) -> None:
    assert [one.id for one in outcomes] == [told.id for told in (*ONE, *TWO)]
    assert outcomes[0].endpoint == "POST chat/completions"
    assert outcomes[0].answer > 0
    assert outcomes[0].prompt > 0


def test_the_class_of_the_status_is_that_of_the_recording(outcomes: list[Outcome]) -> None:
    assert [one.status for one in outcomes] == [200, 404, 401, 400, 400, 200, 200, 200, 200, 400]
    wrong = [one.id for one in outcomes if any(fault.kind == "status" for fault in one.faults)]
    assert wrong == [ONE[4].id, ONE[5].id]


def test_what_takes_more_than_text_is_not_applicable(outcomes: list[Outcome]) -> None:
    excused = {one.id: one.excuse for one in outcomes if one.excuse}
    assert excused == {ONE[3].id: "vision", TWO[3].id: "items kept by OpenAI"}


def test_judges_are_heard() -> None:
    def strict(told: Recording, answer: Exchange) -> list[Fault]:
        return [Fault("grammar", told.path, str(answer.received.status))]

    (outcome,) = replayed([ONE[:1]], strict)
    assert outcome.faults == (Fault("grammar", "/chat/completions", "200"),)


def test_no_answer_is_a_fault() -> None:
    (outcome,) = replayed([ONE[:1]], target=NOWHERE)
    assert (outcome.status, outcome.passed) == (0, False)
    assert "Connect call failed" in str(outcome.faults[0])


def test_a_cassette_is_what_lies_together() -> None:
    assert cassettes([*ONE, *TWO]) == [ONE, TWO]


def test_a_sample_is_the_same_each_time_and_of_whole_cassettes() -> None:
    told = [
        [
            recording("models", None, answered({}), cassette=f"{number}.yaml", place=at)
            for at in (0, 1)
        ]
        for number in range(20)
    ]
    few = sample(told, 5)
    assert few == sample(list(reversed(told)), 5)
    assert sum(map(len, few)) == 6
    assert sample(told, 7)[:3] == few
    other = [recording("embeddings", {}, answered({}), cassette="other.yaml")]
    assert len(sample([*told, other], 1000)) == 20


def test_a_journal_goes_on_where_a_run_was_broken_off(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    before = replayed([ONE[:1], TWO[:1]], journal=Journal(file))
    with file.open("a", encoding="utf-8") as broken:
        broken.write('{"id": "thei')
    judged = []

    def heard(told: Recording, _: Exchange) -> list[Fault]:
        judged.append(told.id)
        return []

    after = replayed([ONE[:1], TWO[:1]], heard, NOWHERE, Journal(file))
    assert after == before
    assert sorted(judged) == [ONE[0].id, TWO[0].id]


def test_a_cassette_that_was_broken_off_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    replayed([TWO[:1]], journal=Journal(file))
    outcomes = replayed([TWO], target=NOWHERE, journal=Journal(file))
    assert [one.status for one in outcomes] == [0, 0, 0, 0]


def test_a_journal_keeps_any_bytes_and_no_key(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    received = Received(200, [("content-type", "a")], [(1.5, b"\xff\n\xc3\xa9")], 1.5, True)
    sent = Sent("POST", "http://a/v1/b", {"authorization": "Bearer key", "accept": "c"}, b"\xfe")
    Journal(file).keep(ONE[0], Exchange(sent, received))
    (kept,) = Journal(file).recall(ONE[:1]).values()
    assert kept.received == received
    assert kept.sent == replace(sent, headers={"accept": "c"})
