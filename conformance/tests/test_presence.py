"""What is learned of an object's members, and what that says of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.client import Exchange
from conformance.replay import presence
from conformance.replay.learn import learned
from conformance.replay.presence import BEGINNING, Profile, Shape, objects
from conformance.replay.recording import Recording
from conformance.tests.genuine_answers import GENUINE, Json, changed

YEAR = timedelta(days=365)


def recorded(
    name: str = "chat", count: int = 40, made: date = BEGINNING, **change: Any
) -> list[Recording]:
    """As many recordings of an answer, in four cassettes, one a day. What ``change`` sets to
    ``...`` is not there."""

    def alter(answer: Json) -> None:
        answer.update(change)
        for member in [member for member, value in change.items() if value is ...]:
            del answer[member]

    recording = changed(GENUINE[name], alter if change else lambda answer: None).recording()
    return [
        replace(recording, made=made + timedelta(days=at), cassette=str(at % 4))
        for at in range(count)
    ]


def shape(recordings: list[Recording], path: str = "") -> Shape:
    return learned(recordings)["chat.completion"][path]


def test_what_is_always_there_is_told_from_what_is_there_at_times() -> None:
    found = shape([*recorded(), *recorded(service_tier=..., extra="x")])
    assert found.count == 80
    assert "id" in found.always
    assert set(found.sometimes) == {"service_tier", "extra"}
    assert found.since == {}


def test_all_types_are_learned() -> None:
    found = shape([*recorded(), *recorded(system_fingerprint=None)])
    assert found.always["system_fingerprint"] == {"string", "null"}
    assert found.always["created"] == {"number"}


def test_what_came_before_the_beginning_is_since_then() -> None:
    early = recorded(made=BEGINNING - YEAR, service_tier=..., old=True)
    found = shape([*early, *recorded()])
    assert found.count == 40
    assert found.since == {"service_tier": BEGINNING}
    assert "old" not in {*found.always, *found.sometimes}


@pytest.mark.parametrize(("late", "known"), [(4, True), (40, False)])
def test_what_came_soon_after_the_beginning_is_there_since_that_day(late: int, known: bool) -> None:
    before = recorded(count=late, service_tier=...)
    found = shape([*before, *recorded(made=BEGINNING + timedelta(days=late))])
    assert ("service_tier" in found.always) == known
    assert found.since == ({"service_tier": BEGINNING + timedelta(days=late)} if known else {})


def test_little_says_nothing() -> None:
    assert learned(recorded(count=4)) == {}
    one_cassette = [replace(recording, cassette="one") for recording in recorded()]
    assert learned(one_cassette) == {}
    assert learned([replace(recording, made=None) for recording in recorded()]) == {}
    assert learned(recorded(made=BEGINNING - YEAR)) == {}


def test_what_only_openai_has_is_not_asked_for() -> None:
    found = shape(recorded(obfuscation="x", billing={"payer": "me"}))
    assert {"obfuscation", "billing"} <= set(found.sometimes)
    choices = shape(recorded(), "choices[]")
    assert "logprobs" in choices.sometimes
    assert "finish_reason" in choices.always


def test_an_endpoint_that_nobody_judges_teaches_nothing() -> None:
    def elsewhere(recording: Recording) -> Recording:
        sent = replace(recording.exchange.sent, url="https://api.openai.com/v1/files")
        return replace(recording, exchange=Exchange(sent, recording.exchange.received))

    assert learned(map(elsewhere, recorded())) == {}


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    early = recorded(made=BEGINNING - YEAR, service_tier=...)
    profile = learned([*early, *recorded(), *recorded("response"), *recorded("chat stream call")])
    (tmp_path / "profile.json").write_text(presence.written(profile))
    assert presence.read(tmp_path / "profile.json") == profile


def test_the_profile_of_this_repository_is_written_so() -> None:
    assert presence.written(presence.read()) == presence.FILE.read_text("utf-8")


def test_objects_are_found_with_their_types_and_without_the_clients_words() -> None:
    value = {
        "output": [{"type": "message", "content": [{"type": "output_text", "n": {}}]}, 7, {}],
        "text": {"format": {"type": "text"}},
        "tools": [{"type": "function", "parameters": {"type": "object"}}],
        "metadata": {"mine": {}},
        "response": {"id": "resp_1"},
    }
    assert [path for path, _ in objects(value)] == [
        "",
        "output[]<message>",
        "output[]<message>.content[]<output_text>",
        "output[]<message>.content[]<output_text>.n",
        "output[]",
        "text",
        "text.format<text>",
        "tools[]<function>",
    ]


# --- what a profile says ----------------------------------------------------------------

KNOWN = Shape(
    count=40,
    always={
        "id": frozenset({"string"}),
        "new": frozenset({"string"}),
        "on": frozenset({"boolean"}),
        "name": frozenset({"string", "null"}),
    },
    sometimes={"tier": frozenset({"string"})},
    since={"new": date(2026, 3, 1)},
)
RIGHT: Json = {"id": "a", "new": "b", "on": True, "name": None, "tier": "c"}


def wrong(value: Json, day: date | None = None, known: Shape = KNOWN) -> list[str]:
    return [name for name, _ in known.problems(value, day)]


def without(name: str) -> Json:
    return {other: value for other, value in RIGHT.items() if other != name}


def test_what_is_always_there_must_be() -> None:
    assert wrong(RIGHT) == []
    assert wrong({**RIGHT, "more": 1}) == []
    assert wrong(without("tier")) == []
    assert [wrong(without(name)) for name in ("id", "name", "on")] == [["id"], ["name"], ["on"]]


def test_it_must_be_since_it_came() -> None:
    assert wrong(without("new")) == ["new"]
    assert wrong(without("new"), date(2026, 2, 28)) == []
    assert wrong(without("new"), date(2026, 3, 1)) == ["new"]


def test_what_is_never_null_must_not_be() -> None:
    for name in ("id", "on", "tier"):
        assert wrong({**RIGHT, name: None}) == [name]
    assert wrong({**RIGHT, "id": None}, BEGINNING - YEAR) == []
    assert wrong({**RIGHT, "id": None}, known=replace(KNOWN, count=19)) == []


def test_a_flag_or_a_number_must_be_one() -> None:
    assert wrong({**RIGHT, "on": "yes"}) == ["on"]
    assert wrong({**RIGHT, "on": 1}) == ["on"]
    # An object in place of a string, for a choice of tools: the SDK's models know.
    assert wrong({**RIGHT, "tier": {}}) == []


def test_the_profile_knows_what_the_reference_says() -> None:
    """TRAFFIC.md, section 2, of answers since 2026."""
    profile: Profile = presence.read()
    chat = profile["chat.completion"]
    assert {"service_tier", "system_fingerprint", "usage"} < set(chat[""].always)
    assert set(chat["choices[].message"].always) == {"role", "content", "refusal", "annotations"}
    assert set(profile["call.first"][""].always) == {"index", "id", "type", "function"}
    assert "name" not in profile["response.function_call_arguments.done"][""].always
    assert profile["error"][""].always == {"error": {"object"}}
