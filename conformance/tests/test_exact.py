"""The exact tier sees what differs between two answers, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from conformance.replay import exact_answers as exact
from conformance.tests.openai_answers import (
    CALL,
    CHAT,
    CHUNKS,
    COMPLETION,
    EVENTS,
    ITEMS,
    RESPONSE,
    RESPONSES,
    Events,
    Json,
    chunk,
    paths,
    recording,
)


def judged(answer: Json | Events, path: str, change: Callable[[Any], object]) -> list[str]:
    """Where an answer that was changed is found to differ."""
    told, changed = recording(answer, path), copy.deepcopy(answer)
    change(changed)
    return paths(exact.judge(told, recording(changed, path).exchange))


def first(completion: Json) -> Any:
    return completion["choices"][0]["message"]


def delta(chunks: Events, at: int) -> Any:
    return chunks[at]["choices"][0]["delta"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda c: first(c).update(content="Let me see"), ["choices[0].content"]),
        (lambda c: first(c).update(content=None), ["choices[0].content"]),
        (lambda c: first(c).update(role="user"), ["choices[0].role"]),
        (lambda c: first(c).update(refusal="no"), ["choices[0].refusal"]),
        (lambda c: first(c).update(tool_calls=[]), ["choices[0].tool_calls"]),
        (lambda c: first(c)["tool_calls"].append(CALL), ["choices[0].tool_calls"]),
        (
            lambda c: first(c)["tool_calls"][0]["function"].update(arguments='{"a":[true,"ü"]}'),
            ["choices[0].tool_calls[0].arguments.a[0]"],
        ),
        (
            lambda c: first(c)["tool_calls"][0]["function"].update(arguments='{"a":[1,"ü"'),
            ["choices[0].tool_calls[0].arguments"],
        ),
        (
            lambda c: first(c)["tool_calls"][0]["function"].update(name="g"),
            ["choices[0].tool_calls[0].name"],
        ),
        (lambda c: c["choices"][0].update(finish_reason="stop"), ["choices[0].finish_reason"]),
        (lambda c: c["choices"][1].update(finish_reason="stop"), ["choices[1].finish_reason"]),
        (lambda c: c["choices"].pop(), ["choices"]),
    ],
)
def test_a_completion_that_differs(change: Callable[[Any], object], where: list[str]) -> None:
    assert judged(COMPLETION, CHAT, change) == where


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(id="chatcmpl-2", created=2, usage=None),
        lambda c: first(c)["tool_calls"][0].update(id="call_2"),
        lambda c: first(c)["tool_calls"][0]["function"].update(arguments='{"a": [1, "\\u00fc"]}'),
        lambda c: first(c).pop("annotations"),
    ],
)
def test_a_completion_that_says_the_same(change: Callable[[Any], object]) -> None:
    assert judged(COMPLETION, CHAT, change) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda c: delta(c, 2).update(content=" see"), ["choices[0].content"]),
        (lambda c: delta(c, 1).update(role="assistant"), ["choices[0].role"]),
        (lambda c: c.insert(4, c.pop(1)), ["choices[0].content", "order.choice 0"]),
        (lambda c: c.pop(0), ["choices[0].role", "order.choice 0"]),
        (lambda c: c.pop(), ["order.after"]),
        (
            lambda c: delta(c, 5)["tool_calls"][0]["function"].update(arguments='[2,"ü"]}'),
            ["choices[0].tool_calls[0].arguments.a[0]"],
        ),
        (lambda c: delta(c, 5)["tool_calls"][0].update(id="call_1"), ["order.choice 0"]),
    ],
)
def test_a_stream_that_differs(change: Callable[[Any], object], where: list[str]) -> None:
    assert judged(CHUNKS, CHAT, change) == where


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.insert(2, chunk({"content": ""})),
        lambda c: c.__setitem__(slice(1, 3), [chunk({"content": "Let me see."})]),
        lambda c: delta(c, 3)["tool_calls"][0].update(id="call_2"),
    ],
)
def test_a_stream_that_says_the_same(change: Callable[[Any], object]) -> None:
    assert judged(CHUNKS, CHAT, change) == []


def test_choices_of_a_stream_may_take_turns() -> None:
    other = copy.deepcopy([*CHUNKS[:3], chunk({}, "stop")])
    for each in other:
        each["choices"][0]["index"] = 1
    turns = [each for pair in zip(CHUNKS[:4], other, strict=True) for each in pair] + CHUNKS[4:]
    told = recording([*CHUNKS[:7], *other, CHUNKS[7]], CHAT)
    assert exact.judge(told, recording(turns, CHAT).exchange) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda r: r.update(status="incomplete"), ["status"]),
        (lambda r: r["output"][1].update(status="incomplete"), ["output[0].status"]),
        (lambda r: r["output"][1].update(role="user"), ["output[0].role"]),
        (lambda r: r["output"][1]["content"][0].update(text=""), ["output[0].content[0].text"]),
        (lambda r: r["output"][2].update(arguments="{}"), ["output[1].arguments.a"]),
        (lambda r: r["output"][2].update(name="g"), ["output[1].name"]),
        (lambda r: r["output"].pop(), ["output"]),
    ],
)
def test_a_response_that_differs(change: Callable[[Any], object], where: list[str]) -> None:
    assert judged(RESPONSE, RESPONSES, change) == where


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(id="resp_2", usage={}),
        lambda r: r["output"].pop(0),
        lambda r: r["output"][2].update(call_id="call_2", id="fc_2"),
    ],
)
def test_a_response_that_says_the_same(change: Callable[[Any], object]) -> None:
    assert judged(RESPONSE, RESPONSES, change) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda e: e[7].update(delta="see"), ["output[0].content[0].text"]),
        (lambda e: e[12].update(delta="{}"), ["output[1].arguments.a"]),
        (lambda e: e.pop(8), ["order.events"]),
        (lambda e: e[10].update(item={**ITEMS[1], "status": "incomplete"}), ["output[0].status"]),
        (lambda e: e[-1].update(type="response.incomplete"), ["order.events[12]"]),
    ],
)
def test_a_stream_of_events_that_differs(change: Callable[[Any], object], where: list[str]) -> None:
    assert judged(EVENTS, RESPONSES, change) == where


def test_a_stream_is_no_whole_answer() -> None:
    told = recording(COMPLETION, CHAT)
    assert paths(exact.judge(told, recording(CHUNKS, CHAT).exchange)) == ["body"]


@pytest.mark.parametrize(
    ("answer", "path", "change"),
    [
        (COMPLETION, CHAT, lambda c: c["choices"][0].pop("message")),
        (CHUNKS, CHAT, lambda c: delta(c, 3)["tool_calls"][0].pop("function")),
        (EVENTS, RESPONSES, lambda e: e.pop(4)),
        (EVENTS, RESPONSES, lambda e: e[-1].pop("response")),
    ],
)
def test_an_answer_that_falls_apart(
    answer: Json | Events, path: str, change: Callable[[Any], object]
) -> None:
    assert judged(answer, path, change) == ["body"]


@pytest.mark.parametrize(
    ("answer", "path", "change", "kind"),
    [
        (CHUNKS, CHAT, lambda c: c.pop(), "grammar"),
        (EVENTS, RESPONSES, lambda e: e.pop(8), "grammar"),
        (COMPLETION, CHAT, lambda c: c["choices"].pop(), "meaning"),
    ],
)
def test_what_kind_of_difference_it_is(
    answer: Json | Events, path: str, change: Callable[[Any], object], kind: str
) -> None:
    told, changed = recording(answer, path), copy.deepcopy(answer)
    change(changed)
    [fault] = exact.judge(told, recording(changed, path).exchange)
    assert fault.kind == kind
