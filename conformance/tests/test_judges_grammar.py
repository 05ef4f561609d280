"""Streams out of order: the rule that each breaks is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.replay.judges import judge
from conformance.tests.genuine_answers import FIRST, GENUINE, Given, Json, changed, chunks, tails

Change = Callable[[list[Any]], Any]


def rules(given: Given) -> set[str]:
    recording = given.recording()
    problems = judge(recording, replace(recording.exchange))
    return {problem.where for problem in problems if problem.kind == "grammar"}


def delta(chunk: Json) -> Json:
    made: Json = chunk["choices"][0]["delta"]
    return made


def call(chunk: Json) -> Json:
    made: Json = delta(chunk)["tool_calls"][0]
    return made


CHAT: dict[str, tuple[str, str, Change]] = {
    "no [DONE]": ("chat stream", "done_last", lambda s: s.pop()),
    "[DONE] twice": ("chat stream", "done_last", lambda s: s.append("[DONE]")),
    "[DONE] too soon": ("chat stream", "done_last", lambda s: s.insert(1, s.pop())),
    "an event of two lines": ("chat stream", "framing", lambda s: s.insert(1, "{}\ndata: {}")),
    "an event that is no JSON": ("chat stream", "chunk_schema", lambda s: s.insert(1, "{")),
    "another id": ("chat stream", "same_identity", lambda s: s[1].update(id="chatcmpl-2")),
    "another model": ("chat stream", "same_identity", lambda s: s[1].update(model="gpt-5")),
    "no role": ("chat stream", "role_once", lambda s: s.pop(0)),
    "the role twice": ("chat stream", "role_once", lambda s: delta(s[1]).update(role="assistant")),
    "no finish": ("chat stream", "finish_once_last", lambda s: s.pop(-2)),
    "two finishes": ("chat stream", "finish_once_last", lambda s: s.insert(-1, s[-2])),
    "a finish with text": (
        "chat stream",
        "finish_delta_empty",
        lambda s: delta(s[-2]).update(content="!"),
    ),
    "a chunk without choices": (
        "chat stream",
        "no_empty_choices",
        lambda s: s.insert(1, {**s[1], "choices": []}),
    ),
    "usage that nobody asked for": (
        "chat stream",
        "usage_null_elsewhere",
        lambda s: s[1].update(usage=None),
    ),
    "no usage": ("chat stream usage", "usage_last", lambda s: s.pop(-2)),
    "usage twice": ("chat stream usage", "usage_once", lambda s: s.insert(-1, s[-2])),
    "usage before the finish": ("chat stream usage", "usage_last", lambda s: s.insert(1, s.pop(3))),
    "usage without null before": (
        "chat stream usage",
        "usage_null_elsewhere",
        lambda s: s[0].pop("usage"),
    ),
    "a fingerprint at times": (
        "chat stream",
        "same_members",
        lambda s: s[1].pop("system_fingerprint"),
    ),
    "another fingerprint": (
        "chat stream",
        "same_members",
        lambda s: s[1].update(system_fingerprint=None),
    ),
    "logprobs at times": (
        "chat stream",
        "same_members",
        lambda s: s[1]["choices"][0].pop("logprobs"),
    ),
    "a call without an id": ("chat stream call", "heads_whole", lambda s: call(s[0]).pop("id")),
    "a call without a name": (
        "chat stream call",
        "heads_whole",
        lambda s: call(s[0])["function"].pop("name"),
    ),
    "the id of a call twice": (
        "chat stream call",
        "heads_once",
        lambda s: call(s[1]).update(id="call_1"),
    ),
    "the name of a call twice": (
        "chat stream call",
        "heads_once",
        lambda s: call(s[1])["function"].update(name="weather"),
    ),
    "calls from 1 on": (
        "chat stream call",
        "indices_whole",
        lambda s: [call(chunk).update(index=1) for chunk in s[:3]],
    ),
}

TEXT: dict[str, Change] = {
    "no [DONE]": lambda s: s.pop(),
    "no finish": lambda s: s.pop(-2),
    "two finishes": lambda s: s.insert(-1, s[-2]),
    "chunks of chat": lambda s: s[0].update(object="chat.completion.chunk"),
    "no choices at all": lambda s: [chunk.update(choices=[]) for chunk in s[:2]],
    "a delta": lambda s: s[0]["choices"][0].update(delta={}),
}

RESPONSES: dict[str, tuple[str, Change]] = {
    "[DONE]": ("events", lambda s: s.append("[DONE]")),
    "an event that is no JSON": ("events", lambda s: s.insert(3, "{")),
    "an event without a name": ("names", lambda s: s.insert(3, '{"type": "keepalive"}')),
    "no created": ("order", lambda s: s.pop(0)),
    "no end": ("terminal", lambda s: s.pop()),
    "a number twice": ("sequence", lambda s: s[3].update(sequence_number=2)),
    "a part that is not closed": ("grammar", lambda s: s.pop(_at(s, "content_part.done"))),
    "an item left out": ("one_by_one", lambda s: s.__delitem__(slice(2, 9))),
    "another item's delta": (
        "identity",
        lambda s: s[_at(s, "output_text.delta")].update(item_id="msg_2"),
    ),
    "another part's delta": (
        "places",
        lambda s: s[_at(s, "output_text.delta")].update(content_index=1),
    ),
    "a lost delta": ("texts", lambda s: s.pop(_at(s, "output_text.delta"))),
    "a lost item": ("output", lambda s: s[-1]["response"]["output"].pop()),
}


def _at(events: list[Any], kind: str) -> int:
    return next(at for at, event in enumerate(events) if event["type"] == f"response.{kind}")


@pytest.mark.parametrize("case", CHAT)
def test_a_chat_stream_out_of_order_is_seen(case: str) -> None:
    name, rule, change = CHAT[case]
    assert rule in rules(changed(GENUINE[name], lambda answer: change(answer) and None))


@pytest.mark.parametrize("case", TEXT)
def test_a_completions_stream_out_of_order_is_seen(case: str) -> None:
    change = TEXT[case]
    given = changed(GENUINE["completion stream"], lambda answer: change(answer) and None)
    assert "well_formed" in rules(given)


def test_a_completions_stream_without_the_usage_that_was_asked_for_is_seen() -> None:
    given = GENUINE["completion stream"].asking(stream_options={"include_usage": True})
    assert rules(given) == {"well_formed"}


@pytest.mark.parametrize("case", RESPONSES)
def test_a_responses_stream_out_of_order_is_seen(case: str) -> None:
    rule, change = RESPONSES[case]
    given = changed(GENUINE["response stream"], lambda answer: change(answer) and None)
    assert rule in rules(given)


def test_calls_in_turns_are_seen() -> None:
    heads = [
        {
            "tool_calls": [
                {
                    "index": index,
                    "id": f"call_{index}",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":'},
                }
            ]
        }
        for index in range(2)
    ]
    first, second = tails(' "Oslo"}', ' "Rome"}')
    second["tool_calls"][0]["index"] = 1
    given = GENUINE["chat stream call"]
    mixed = chunks({**FIRST, "content": None}, *heads, first, second, finish="tool_calls")
    whole = chunks(
        {**FIRST, "content": None}, heads[0], first, heads[1], second, finish="tool_calls"
    )
    assert rules(replace(given, answer=mixed)) == {"one_by_one"}
    assert rules(replace(given, answer=whole)) == set()


def test_a_client_may_be_kept_waiting() -> None:
    given = GENUINE["chat stream"]
    waiting = chunks(FIRST, {}, {}, {"content": "Hi"}, {}, {"content": "."})
    assert rules(replace(given, answer=waiting)) == set()


def test_a_stream_that_fails_needs_no_end() -> None:
    fault = {"message": "It broke.", "type": "server_error", "param": None, "code": "server_error"}
    for name in ("chat stream", "chat stream usage"):
        given = changed(GENUINE[name], lambda answer: [*answer[:2], {"error": fault}])
        assert rules(given) == set()


def test_a_kept_stream_is_judged_from_where_it_is_read_on() -> None:
    given = GENUINE["response stream"]
    rest = replace(
        given,
        method="GET",
        path="/responses/resp_1?stream=true&starting_after=9",
        request=None,
        answer=given.documents[10:],
    )
    assert rules(rest) == set()
    assert rules(replace(rest, answer=given.documents[11:])) == {"sequence"}
    assert rules(replace(rest, answer=given.documents[10:-1])) == {"terminal"}
