"""Types and enumerations: of what is a local server's, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.replay.judges import judge
from conformance.tests.genuine_answers import (
    CALL_ITEM,
    FLAT_TOOLS,
    GENUINE,
    TOLD,
    Given,
    Json,
    changed,
    message_item,
    response,
)

SEARCH: Json = {"id": "ws_1", "type": "web_search_call", "status": "completed", "news": 7}


def places(given: Given) -> list[str]:
    """Where a schema is broken."""
    recording = given.recording()
    problems = judge(recording, replace(recording.exchange))
    return [problem.where for problem in problems if problem.kind == "schema"]


def responded(*output: Json, **members: Any) -> Given:
    return replace(GENUINE["response"], answer=response(TOLD, *output, **members))


WRONG: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a role": ("chat", lambda a: a["choices"][0]["message"].update(role="bot")),
    "a finish_reason": ("chat", lambda a: a["choices"][0].update(finish_reason="end")),
    "a count": ("chat", lambda a: a["usage"].update(total_tokens=12.0)),
    "a count below 0": ("chat", lambda a: a["usage"].update(prompt_tokens=-1)),
    "content": ("chat", lambda a: a["choices"][0]["message"].update(content=["Hi."])),
    "arguments": (
        "chat call",
        lambda a: a["choices"][0]["message"]["tool_calls"][0]["function"].update(arguments={}),
    ),
    "an object": ("chat", lambda a: a.update(object="chat")),
    "a delta": ("chat stream", lambda a: a[1]["choices"][0]["delta"].update(content=7)),
    "a text": ("completion", lambda a: a["choices"][0].update(text=None)),
    "a status": ("response", lambda a: a.update(status="done")),
    "an item of unknown type": ("response", lambda a: a["output"][0].update(type="mesage")),
    "an item without content": ("response", lambda a: a["output"][0].pop("content")),
    "an item's name": ("response call", lambda a: a["output"][0].update(name=7)),
    "a tool's name": ("response call", lambda a: a["tools"][0].update(name=7)),
    "an event's index": ("response stream", lambda a: a[4].update(output_index="0")),
    "an event's item": ("response stream", lambda a: a[2]["item"].update(type="thought")),
    "an embedding": ("embeddings", lambda a: a["data"][0].update(embedding=["0.5"])),
    "a model": ("models", lambda a: a["data"][0].update(created="now")),
    "what was deleted": ("response deleted", lambda a: a.update(deleted=False)),
    "an error's message": ("refused", lambda a: a["error"].update(message="")),
    "an error's type": ("refused", lambda a: a["error"].update(type=None)),
    "an error of words": ("refused", lambda a: a.update(error="No.")),
}


@pytest.mark.parametrize("case", WRONG)
def test_another_type_or_value_is_seen(case: str) -> None:
    name, change = WRONG[case]
    given = changed(GENUINE[name], lambda answer: change(answer) and None)
    assert len(places(given)) >= 1


def test_the_place_is_said() -> None:
    given = changed(GENUINE["chat stream"], lambda a: a[1].update(created="now"))
    assert places(given) == ["chunk 1: created"]
    given = responded(message_item("Hi."), {**CALL_ITEM, "arguments": 7})
    assert places(given) == ["body: output.1.ResponseFunctionToolCall.arguments"]


def test_items_and_tools_that_only_openai_has_are_its_own_affair() -> None:
    assert places(responded(SEARCH, message_item("Hi."))) == []
    assert places(responded({**SEARCH, "type": "telepathy_call"})) == []
    hosted = [{"type": "telepathy", "range": "far"}]
    assert places(responded(message_item("Hi."), tools=hosted)) == []
    assert places(responded({**CALL_ITEM, "arguments": None}, tools=FLAT_TOOLS)) != []


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("keepalive", True),
        ("response.telepathy_call.searching", True),
        ("response.output_text.deltas", False),
        ("response.function_call_argument.delta", False),
        ("response.done", False),
    ],
)
def test_an_event_that_nobody_knows_is_seen(kind: str, known: bool) -> None:
    def add(events: list[Any]) -> None:
        events.insert(2, {"type": kind, "sequence_number": 2})

    assert (places(changed(GENUINE["response stream"], add)) == []) == known


FAULT = {"type": "server_error", "code": None, "message": "It broke.", "param": None}


@pytest.mark.parametrize(
    ("event", "right"),
    [
        ({"sequence_number": 2, "error": FAULT}, True),
        ({**FAULT, "sequence_number": 2}, True),
        ({"sequence_number": 2, "error": {"message": "It broke."}}, False),
        ({"sequence_number": 2, "error": "It broke."}, False),
        ({"error": FAULT}, False),
    ],
)
def test_the_error_of_a_stream_has_one_of_two_forms(event: Json, right: bool) -> None:
    def fail(events: list[Any]) -> list[Any]:
        return [*events[:2], {**event, "type": "error"}, events[-1]]

    assert (places(changed(GENUINE["response stream"], fail)) == []) == right
