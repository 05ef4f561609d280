"""A recording that breaks a rule of the suite's is told: then the rule is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

from conformance.client import Exchange, Received
from conformance.replay.outcome import Fault
from conformance.replay.recording import Recording
from conformance.replay.selfcheck import self_check
from conformance.tests.recordings import answered, recording

CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o",
    "service_tier": "default",
    "system_fingerprint": None,
}


def streamed(path: str, *events: object) -> Recording:
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    if path == "chat/completions":
        text += "data: [DONE]\n\n"
    else:
        text = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)  # type: ignore[index]
    headers = [("content-type", "text/event-stream; charset=utf-8")]
    received = Received(200, headers, [(0.0, text.encode())], complete=True)
    return recording(path, {"model": "gpt-4o", "stream": True}, received)


def chunk(delta: object, finish: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**CHUNK, "choices": [choice]}


def alarms(told: Recording) -> list[str]:
    return [alarm.partition(": ")[0] for _, alarm in self_check([told], lambda *_: [])]


ROLE = chunk({"role": "assistant", "content": "", "refusal": None})
CHAT = [ROLE, chunk({"content": "Hi"}), chunk({}, "stop")]


def test_a_stream_as_it_should_be_raises_no_alarm() -> None:
    assert alarms(streamed("chat/completions", *CHAT)) == []


def test_every_invariant_is_asked() -> None:
    twice = chunk({"role": "assistant", "content": "!"})
    assert alarms(streamed("chat/completions", ROLE, twice, *CHAT[1:])) == ["stream.role_once"]
    assert alarms(streamed("chat/completions", *CHAT[:2])) == ["stream.finish_once_last"]


def test_older_streams_have_no_numbers() -> None:
    told = streamed("responses", {"type": "response.created", "response": {}})
    assert "responses.sequence" in alarms(told)
    assert "responses.sequence" in alarms(replace(told, made=date(2026, 1, 1)))
    assert "responses.sequence" not in alarms(replace(told, made=date(2025, 3, 1)))


def test_judges_are_asked_about_every_recording() -> None:
    told = recording("models", None, answered({}), method="GET")

    def judge(_: Recording, answer: Exchange) -> list[Fault]:
        return [Fault("presence", "data", str(answer.received.status))]

    assert list(self_check([told], judge)) == [(told, "presence: data: 200")]
