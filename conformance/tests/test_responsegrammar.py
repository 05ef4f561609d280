"""The rules of a Responses stream: a right one passes, and each rule catches what breaks it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance import responsegrammar
from conformance.responsegrammar import Json
from conformance.sse import Reader
from conformance.tests.response_events import event, response, stream


def numbered(events: list[Json]) -> list[tuple[str | None, Json]]:
    return [(e["type"], {**e, "sequence_number": at}) for at, e in enumerate(events)]


def found(events: list[tuple[str | None, Json]]) -> set[str]:
    """The names of the rules that complain."""
    return {rule.__name__ for rule in responsegrammar.RULES if rule(events)}


def place_of(events: list[Json], kind: str, index: int | None = None) -> int:
    return next(
        at
        for at, e in enumerate(events)
        if e["type"] == f"response.{kind}" and index in (None, e.get("output_index"))
    )


@pytest.mark.parametrize("ended", ["completed", "incomplete"])
def test_a_right_stream_passes(ended: str) -> None:
    assert responsegrammar.problems(numbered(stream(ended))) == []


def test_a_failed_stream_may_leave_its_items_open() -> None:
    events = [
        *stream()[:6],
        event("error", error={"code": "server_error"}),
        event("response.failed", **response("failed", [])),
    ]
    assert responsegrammar.problems(numbered(events)) == []


def test_what_keeps_a_stream_alive_may_come_anywhere() -> None:
    events = stream()
    for at in (len(events) - 1, 5, 2):
        events.insert(at, event("response.in_progress", **response("in_progress", [])))
        events.insert(at, event("keepalive"))
    events.insert(1, event("response.queued", **response("queued", [])))
    assert responsegrammar.problems(numbered(events)) == []


def test_an_annotation_may_come_within_a_text() -> None:
    events = stream()
    at = place_of(events, "output_text.done")
    place = {"output_index": 1, "item_id": "msg_1", "content_index": 0}
    events.insert(at, event("response.output_text.annotation.added", **place, annotation={}))
    assert responsegrammar.problems(numbered(events)) == []


def test_a_kept_stream_is_read_on_from_a_number() -> None:
    events = numbered(stream())[5:]
    assert responsegrammar.sequence(events, first=5) == []
    assert responsegrammar.sequence(events) != []


BROKEN: dict[str, tuple[str, Callable[[list[Json]], Any]]] = {
    "it begins with another event": ("order", lambda e: e.pop(0)),
    "no in_progress": ("order", lambda e: e.pop(1)),
    "created in the middle": ("order", lambda e: e.insert(5, e[0])),
    "no end": ("terminal", lambda e: e.pop()),
    "two ends": ("terminal", lambda e: e.append(e[-1])),
    "something after the end": ("terminal", lambda e: e.append(e[1])),
    "the end has another status": (
        "terminal",
        lambda e: e[-1]["response"].update(status="in_progress"),
    ),
    "an error and a completed response": ("terminal", lambda e: e.insert(-1, event("error"))),
    "an item is not opened": ("grammar", lambda e: e.pop(place_of(e, "output_item.added", 1))),
    "an item is not closed": ("grammar", lambda e: e.pop(place_of(e, "output_item.done", 2))),
    "a part is not opened": ("grammar", lambda e: e.pop(place_of(e, "content_part.added"))),
    "a part is not closed": ("grammar", lambda e: e.pop(place_of(e, "content_part.done"))),
    "a text has no end": ("grammar", lambda e: e.pop(place_of(e, "output_text.done"))),
    "a refusal has no end": ("grammar", lambda e: e.pop(place_of(e, "refusal.done"))),
    "arguments have no end": (
        "grammar",
        lambda e: e.pop(place_of(e, "function_call_arguments.done")),
    ),
    "a summary is not opened": (
        "grammar",
        lambda e: e.pop(place_of(e, "reasoning_summary_part.added")),
    ),
    "a summary is not closed": (
        "grammar",
        lambda e: e.pop(place_of(e, "reasoning_summary_part.done")),
    ),
    "an item is opened twice": (
        "grammar",
        lambda e: e.insert(4, e[place_of(e, "output_item.added", 0)]),
    ),
    "an item is missing": ("one_by_one", lambda e: e.__delitem__(slice(2, 9))),
    "items are mixed": ("one_by_one", lambda e: e.insert(12, e.pop(5))),
    "a delta is another item's": (
        "identity",
        lambda e: e[place_of(e, "output_text.delta")].update(item_id="fc_1"),
    ),
    "an item changes its id": (
        "identity",
        lambda e: e[place_of(e, "output_item.done", 2)]["item"].update(id="fc_2"),
    ),
    "a call changes its call_id": (
        "identity",
        lambda e: e[place_of(e, "output_item.done", 2)]["item"].update(call_id="call_2"),
    ),
    "a response changes its id": ("identity", lambda e: e[-1]["response"].update(id="resp_2")),
    "two parts have one place": (
        "places",
        lambda e: [x.update(content_index=0) for x in e if x.get("content_index") == 1],
    ),
    "a delta is of another part": (
        "places",
        lambda e: e[place_of(e, "output_text.delta")].update(content_index=1),
    ),
    "a delta is lost": ("texts", lambda e: e.pop(place_of(e, "output_text.delta"))),
    "a text ends as another": (
        "texts",
        lambda e: e[place_of(e, "output_text.done")].update(text="Hell"),
    ),
    "arguments end as others": (
        "texts",
        lambda e: e[place_of(e, "function_call_arguments.done")].update(arguments="{"),
    ),
    "an item is closed with another text": (
        "texts",
        lambda e: e[place_of(e, "output_item.done", 1)]["item"]["content"][0].update(text="Hell"),
    ),
    "a part is closed with another text": (
        "texts",
        lambda e: e[place_of(e, "content_part.done", 1)]["part"].update(text="Hell"),
    ),
    "the output lacks an item": ("output", lambda e: e[-1]["response"]["output"].pop()),
    "the output has another text": (
        "output",
        lambda e: e[-1]["response"]["output"][1]["content"][0].update(text="Hell"),
    ),
    "the output has another call": (
        "output",
        lambda e: e[-1]["response"]["output"][2].update(name="then"),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_a_rule_is_caught_by_it(case: str) -> None:
    rule, breaks = BROKEN[case]
    events = copy.deepcopy(stream())
    breaks(events)
    assert rule in found(numbered(events))


def test_a_name_that_is_not_the_type_is_caught() -> None:
    events = numbered(stream())
    assert found([(None, events[0][1]), *events[1:]]) == {"names"}
    assert found([("message", events[0][1]), *events[1:]]) == {"names"}


@pytest.mark.parametrize("number", [None, 1, 4, "3", True])
def test_a_number_out_of_order_is_caught(number: Any) -> None:
    events = numbered(stream())
    events[3][1]["sequence_number"] = number
    assert found(events) == {"sequence"}


@pytest.mark.parametrize("data", ["[DONE]", "{", "[1]", '{"object": "list"}', '{"type": 3}'])
def test_an_event_without_a_type_is_caught(data: str) -> None:
    reader = Reader()
    good = json.dumps({"type": "response.created"})
    reader.feed(0, f"event: response.created\ndata: {good}\n\ndata: {data}\n\n".encode())
    events, wrong = responsegrammar.parsed(reader)
    assert [name for name, _ in events] == ["response.created"]
    assert len(wrong) == 1
