"""What the exact tier has the scripted engine say, and what it does not ask of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.replay import exact_answers as exact
from conformance.tests.openai_answers import (
    CHAT,
    CHUNKS,
    COMPLETION,
    EVENTS,
    ITEMS,
    MESSAGE,
    PART,
    RESPONSE,
    RESPONSES,
    Events,
    Json,
    paths,
    recording,
)


def script(answer: Json | Events, path: str, **asked: Any) -> Any:
    scripted = exact.scripted(recording(answer, path, **asked))
    return json.loads(scripted.exchange.sent.headers["x-mlx-router-script"])


HELD = {"model": "x", "messages": []}
RAW = 'Let me see.\n<tool_call>\n{"name": "f", "arguments": {"a": [1, "ü"]}}\n</tool_call>'


@pytest.mark.parametrize(
    ("answer", "path"), [(CHUNKS, CHAT), (RESPONSE, RESPONSES), (EVENTS, RESPONSES)]
)
def test_the_script_is_what_a_model_would_have_said(answer: Json | Events, path: str) -> None:
    assert script(answer, path, **HELD) == {"text": RAW, "finish_reason": "stop", "held": True}


def test_each_choice_has_a_script() -> None:
    assert script(COMPLETION, CHAT, **HELD) == [
        {"text": RAW, "finish_reason": "stop", "held": True},
        {"text": "Let me see.", "finish_reason": "length", "held": True},
    ]


def test_a_request_whose_schema_was_sorted_holds_nothing() -> None:
    """In another order of its keys it is another schema."""
    assert not script(COMPLETION, CHAT, messages=[{"content": "?", "role": "user"}], model="x")[0][
        "held"
    ]


JSON = {"response_format": {"type": "json_object"}}


def whole(content: str, **fields: Any) -> Json:
    choice = {"index": 0, "message": {**MESSAGE, "content": content}, "finish_reason": "stop"}
    return {"choices": [{**choice, **fields}]}


def test_of_json_only_the_meaning_counts() -> None:
    told = recording(whole('{"a":"ü"}'), CHAT, **HELD, **JSON)
    same, other = whole('{"a": "\\u00fc"}'), whole('{"a": "u"}')
    assert exact.judge(told, recording(same, CHAT).exchange) == []
    assert paths(exact.judge(told, recording(other, CHAT).exchange)) == [
        "choices[0].content.json.a"
    ]
    plain = recording(whole('{"a":"ü"}'), CHAT)
    assert paths(exact.judge(plain, recording(same, CHAT).exchange)) == ["choices[0].content"]


def test_json_is_spelled_as_grammars_have_it() -> None:
    assert script(whole('{"a":"ü"}'), CHAT, **HELD, **JSON)["text"] == '{"a": "ü"}'


def test_json_that_was_cut_is_not_held() -> None:
    cut = whole('{"a":"', finish_reason="length")
    found = script(cut, CHAT, **HELD, **JSON)
    assert found == {"text": '{"a":"', "finish_reason": "length", "held": False}


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
    ("answer", "path"),
    [
        ({"error": {}}, CHAT),
        ([{"error": {}}], CHAT),
        ([], RESPONSES),
        ([{"type": "error"}], RESPONSES),
        ({"choices": [{"index": 0}]}, CHAT),
    ],
)
def test_what_is_no_answer_is_not_judged(answer: Json | Events, path: str) -> None:
    told = recording(answer, path)
    assert exact.beyond(told) == "what cannot be put together"
    assert exact.judge(told, recording(COMPLETION, path).exchange) == []
    assert script(answer, path) == {"text": "?"}


def test_only_where_a_model_spoke_there_is_a_script() -> None:
    chat, refused = recording(COMPLETION, CHAT), recording(COMPLETION, CHAT)
    refused.exchange.received.status = 400
    others = [refused, recording({}, "/embeddings")]
    first, *rest = exact.with_scripts([chat, *others])
    assert first == exact.scripted(chat)
    assert rest == others
