"""The judges let genuine answers pass, and see it when one member of them is broken."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from conformance.client import Exchange, Received, Sent
from conformance.replay import oracle
from conformance.replay.judges import judge, judged
from conformance.replay.recording import Recording
from conformance.tests.genuine_answers import GENUINE, Given, changed

UNSEEN = {
    "choices.[].logprobs deleted": "models that reason have none",
    "system_fingerprint nulled": "some models have none",
    "choices.[].delta.content deleted": "an empty delta keeps a client waiting",
    "choices.[].delta.content nulled": "as before",
    "choices.[].delta.refusal deleted": "not all first deltas have it",
    "tools.[].description nulled": "that is a function without one",
    "response.tools.[].description nulled": "as before",
    "response.completed_at retyped": "what is null in all recordings may be anything",
    "max_output_tokens retyped": "what was asked for is not known of a response that was kept",
    "max_tool_calls retyped": "as before",
    "data.[].content.[].logprobs deleted": "no recording lists the items of an input",
    "data.[].content.[].logprobs nulled": "as before",
    "error.code nulled": "not all errors have one",
}
"""What may be broken without being wrong, and why."""


EVERY = 3
"""So many ways to break an answer there are for each that is tried."""


def found(given: Given) -> list[tuple[str, str]]:
    """What is wrong with an answer that is given today: kind and place."""
    recording = given.recording()
    return [(one.kind, one.where) for one in judge(recording, replace(recording.exchange))]


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_answer_passes(name: str) -> None:
    recording = GENUINE[name].recording()
    assert judged(recording)
    assert judge(recording, recording.exchange) == []
    assert found(GENUINE[name]) == []


@pytest.mark.parametrize("name", GENUINE)
def test_what_is_broken_in_one_member_is_seen(name: str) -> None:
    recording = GENUINE[name].recording()
    missed = {
        f"{one.member} {one.how}"
        for one in itertools.islice(oracle.broken(recording.exchange), 0, None, EVERY)
        if not judge(recording, one.exchange)
    }
    assert missed <= set(UNSEEN)


def test_few_ways_to_break_an_answer_are_not_seen() -> None:
    recordings = [replace(g.recording(), made=date(2026, 9, 1)) for g in GENUINE.values()]
    measured = oracle.measure(recordings)
    assert measured.good, oracle.text(measured)
    assert (measured.judged, measured.blamed) == (len(GENUINE), 0)
    assert measured.broken.total() > 1000


def test_a_poor_judge_is_told_from_a_good_one() -> None:
    everything: Counter[tuple[str, str]] = Counter({("chat", how): 100 for how in oracle.WANTED})
    half: Counter[tuple[str, str]] = Counter({("chat", how): 50 for how in oracle.WANTED})
    assert oracle.Found(everything, everything, judged=100, blamed=2).good
    assert not oracle.Found(everything, half, judged=100).good
    assert not oracle.Found(everything, everything, judged=100, blamed=3).good


def test_a_recording_is_judged_by_what_the_others_teach() -> None:
    def drop(answer: Any) -> None:
        del answer["service_tier"]

    def recorded(source: str, change: Any) -> list[Recording]:
        made = changed(GENUINE["chat"], change).recording()
        return [
            replace(made, source=source, cassette=str(at), made=date(2026, 5, 1)) for at in range(6)
        ]

    ours, theirs = recorded("ours", lambda answer: None), recorded("theirs", drop)
    assert oracle.strangers([*ours, *theirs]) == (6, 12)
    assert oracle.strangers(ours) == (0, 6)


# --- the form -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [
        ("chat", "text/plain", None),
        ("chat", "text/event-stream", None),
        ("chat", "application/json", b"[]"),
        ("chat", "application/json", b"{"),
        ("refused", "text/html", b"<html></html>"),
        ("chat stream", "application/json", None),
        ("chat stream", "text/event-stream", b"data: [DONE]\n\n"),
        ("response stream", "application/json", None),
    ],
)
def test_another_form_than_was_asked_for_is_seen(name: str, kind: str, body: bytes | None) -> None:
    recording = GENUINE[name].recording()
    told = recording.exchange.received
    reads = told.reads if body is None else [(0.0, body)]
    received = replace(told, headers=[("content-type", kind)], reads=reads)
    problems = judge(recording, Exchange(recording.exchange.sent, received))
    assert [problem.kind for problem in problems] == ["type"]


def test_a_response_that_was_cut_off_was_never_completed() -> None:
    def cut(answer: Any) -> None:
        reason = {"reason": "max_output_tokens"}
        answer.update(status="incomplete", completed_at=None, incomplete_details=reason)
        answer["output"][0]["status"] = "incomplete"

    assert found(changed(GENUINE["response"], cut)) == []


def test_an_answer_of_unknown_kind_is_not_judged() -> None:
    sent = Sent("POST", "https://api.openai.com/v1/audio/speech", {}, b"{}")
    recording = Recording("one", "made up", "none", None, Exchange(sent, Received(200, [])))
    assert not judged(recording)
    assert judge(recording, recording.exchange) == []


# --- then and now -------------------------------------------------------------------


def older(name: str, made: date | None, change: Any) -> tuple[set[str], set[str]]:
    """What is wrong with a changed answer as one of that day, and as one of today."""
    recording = replace(changed(GENUINE[name], change).recording(), made=made)
    answers = (recording.exchange, replace(recording.exchange))
    then, now = ({p.where for p in judge(recording, answer)} for answer in answers)
    return then, now


def test_an_old_answer_need_not_have_what_came_later() -> None:
    def drop(answer: Any) -> None:
        del answer["choices"][0]["message"]["annotations"]

    place = {"body: choices[].message.annotations"}
    assert older("chat", date(2025, 1, 1), drop) == (set(), place)
    assert older("chat", None, drop) == (set(), place)
    assert older("chat", date(2026, 5, 1), drop) == (place, place)


def test_what_the_sdk_requires_since_it_came_is_asked_of_no_older_answer() -> None:
    def drop(answer: Any) -> None:
        del answer["usage"]["input_tokens_details"]["cache_write_tokens"]

    then, now = older("response", date(2026, 5, 1), drop)
    assert (then, len(now)) == (set(), 1)
    assert len(older("response", date(2026, 8, 1), drop)[0]) == 1


def test_openai_is_not_blamed_for_what_it_does_at_times() -> None:
    twice = GENUINE["chat"].asking(response_format={"type": "json_object"})
    given = changed(twice, lambda a: a["choices"][0]["message"].update(content="{}\n{}"))
    recording = given.recording()
    assert judge(recording, recording.exchange) == []
    assert found(given) == [("meaning", "one_document")]


# --- whatever comes -----------------------------------------------------------------


@pytest.mark.parametrize("name", GENUINE)
@pytest.mark.parametrize("value", [None, 7, [7], [[]], {"seven": 7}])
def test_no_answer_is_too_strange_to_be_judged(name: str, value: Any) -> None:
    given = GENUINE[name]
    recording = given.recording()
    for place, document in _unlike_each_other(given):
        for member in document:
            parts = [*given.documents[:place], {**document, member: value}]
            parts += given.documents[place + 1 :]
            answer: Any = parts if isinstance(given.answer, list) else parts[0]
            judge(recording, replace(given, answer=answer).exchange())


def _unlike_each_other(given: Given) -> list[tuple[int, dict[str, Any]]]:
    """One of those with the same type and members, and its place."""
    kinds = {
        (document.get("type"), *document): (place, document)
        for place, document in enumerate(given.documents)
        if isinstance(document, dict)
    }
    return list(kinds.values())
