"""The exact tier sees what differs between two answers, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance.client import Exchange, Received, Sent
from conformance.replay import exact_answers as exact
from conformance.replay.recording import Recording

Json = dict[str, Any]
Events = list[Json]
URL = "https://api.openai.com/v1"

FUNCTION = {"name": "f", "arguments": '{"a":[1,"ü"]}'}
CALL: Json = {"id": "call_1", "type": "function", "function": FUNCTION}
MESSAGE: Json = {"role": "assistant", "content": "Let me see.", "refusal": None, "annotations": []}
COMPLETION: Json = {
    "id": "chatcmpl-1",
    "created": 1,
    "choices": [
        {"index": 0, "message": {**MESSAGE, "tool_calls": [CALL]}, "finish_reason": "tool_calls"},
        {"index": 1, "message": MESSAGE, "finish_reason": "length"},
    ],
    "usage": {"total_tokens": 3},
}


def chunk(delta: Json, finish_reason: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "choices": [choice], "usage": None}


def called(part: Json) -> Json:
    return {"tool_calls": [{"index": 0, **part}]}


CHUNKS: Events = [
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "Let me"}),
    chunk({"content": " see."}),
    chunk(called({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}})),
    chunk(called({"function": {"arguments": '{"a":'}})),
    chunk(called({"function": {"arguments": '[1,"ü"]}'}})),
    chunk({}, "tool_calls"),
    {"id": "chatcmpl-1", "choices": [], "usage": {"total_tokens": 3}},
]

PART: Json = {"type": "output_text", "text": "Let me see.", "annotations": []}
DONE = {"status": "completed"}
ITEMS: list[Json] = [
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [PART],
    },
    {
        **{"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1"},
        **{"name": "f", "arguments": '{"a":[1,"ü"]}'},
    },
]
RESPONSE: Json = {
    "id": "resp_1",
    "status": "completed",
    "incomplete_details": None,
    "output": ITEMS,
}


def event(kind: str, place: int | None = None, **members: Any) -> Json:
    placed = {} if place is None else {"output_index": place}
    return {"type": f"response.{kind}", **placed, **members}


def added(place: int, **begun: Any) -> Json:
    item = {**ITEMS[place], "status": "in_progress", **begun}
    return event("output_item.added", place, item=item)


EVENTS: Events = [
    event("created", response={**RESPONSE, "status": "in_progress", "output": []}),
    event("in_progress", response={**RESPONSE, "status": "in_progress", "output": []}),
    added(0),
    event("output_item.done", 0, item=ITEMS[0]),
    added(1, content=[]),
    event("content_part.added", 1, content_index=0, part={**PART, "text": ""}),
    event("output_text.delta", 1, content_index=0, delta="Let me "),
    event("output_text.delta", 1, content_index=0, delta="see."),
    event("output_text.done", 1, content_index=0, text="Let me see."),
    event("content_part.done", 1, content_index=0, part=PART),
    event("output_item.done", 1, item=ITEMS[1]),
    added(2, arguments=""),
    event("function_call_arguments.delta", 2, delta='{"a":[1,"ü"]}'),
    event("function_call_arguments.done", 2, arguments='{"a":[1,"ü"]}'),
    event("output_item.done", 2, item=ITEMS[2]),
    event("completed", response=RESPONSE),
]


def stream(events: Events) -> bytes:
    return "".join(f"data: {json.dumps(each)}\n\n" for each in events).encode()


def body(answer: Json | Events) -> bytes:
    return stream(answer) if isinstance(answer, list) else json.dumps(answer).encode()


def recording(answer: Json | Events, path: str, **asked: Any) -> Recording:
    sent = Sent("POST", URL + path, {}, json.dumps(asked).encode())
    received = Received(200, [], [(0.0, body(answer))], complete=True)
    return Recording("x#0", "x", "x", None, Exchange(sent, received))


def paths(faults: list[Any]) -> list[str]:
    return [fault.where for fault in faults]


def judged(answer: Json | Events, path: str, change: Callable[[Any], object]) -> list[str]:
    """Where an answer that was changed is found to differ."""
    told, changed = recording(answer, path), copy.deepcopy(answer)
    change(changed)
    return paths(exact.judge(told, recording(changed, path).exchange))


CHAT, RESPONSES = "/chat/completions", "/responses"


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


def script(answer: Json | Events, path: str, **asked: Any) -> Any:
    scripted = exact.scripted(recording(answer, path, **asked))
    return json.loads(scripted.exchange.sent.headers["x-mlx-router-script"])


RAW = 'Let me see.\n<tool_call>\n{"name": "f", "arguments": {"a": [1, "ü"]}}\n</tool_call>'


@pytest.mark.parametrize(
    ("answer", "path"), [(CHUNKS, CHAT), (RESPONSE, RESPONSES), (EVENTS, RESPONSES)]
)
def test_the_script_is_what_a_model_would_have_said(answer: Json | Events, path: str) -> None:
    assert script(answer, path) == {"text": RAW, "finish_reason": "stop"}


def test_each_choice_has_a_script() -> None:
    assert script(COMPLETION, CHAT) == [
        {"text": RAW, "finish_reason": "stop"},
        {"text": "Let me see.", "finish_reason": "length"},
    ]


def test_a_limit_counts_tokens_of_openai() -> None:
    assert script(RESPONSE, RESPONSES, max_output_tokens=9)["pieces"] == [RAW]


@pytest.mark.parametrize(
    ("answer", "path", "reason"),
    [
        ({"message": {**MESSAGE, "refusal": "no"}}, CHAT, "refusal"),
        ({"message": {**MESSAGE, "annotations": [{}]}}, CHAT, "annotations"),
        ({"finish_reason": "content_filter"}, CHAT, "ends with content_filter"),
        ({"type": "web_search_call"}, RESPONSES, "item web_search_call"),
        ({"content": [{"type": "refusal", "refusal": "no"}]}, RESPONSES, "refusal"),
        ({"content": [{**PART, "annotations": [{}]}]}, RESPONSES, "annotations"),
    ],
)
def test_what_no_model_of_text_can_say_is_not_judged(answer: Json, path: str, reason: str) -> None:
    whole: Json
    if path == CHAT:
        whole = {"choices": [{**COMPLETION["choices"][1], **answer}]}
    else:
        whole = {**RESPONSE, "output": [{**ITEMS[1], **answer}]}
    told = recording(whole, path)
    assert exact.beyond(told) == reason
    assert exact.judge(told, recording({**RESPONSE, **COMPLETION}, path).exchange) == []


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


def test_only_what_a_model_said_is_told() -> None:
    chat = recording(COMPLETION, CHAT)
    refused = recording(COMPLETION, CHAT)
    refused.exchange.received.status = 400
    assert list(exact.told([chat, refused, recording({}, "/embeddings")])) == [chat]
