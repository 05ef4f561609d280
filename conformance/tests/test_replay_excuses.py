"""What is no fault of a server of text models, and what is, however alike they look."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.client import Exchange, Received
from conformance.replay.excuses import excuse
from conformance.replay.recording import Recording
from conformance.tests.recordings import answered, recording, refused

IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]
PDF = [{"role": "user", "content": [{"type": "input_file", "file_data": "data:"}]}]
PICTURE = [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image"}]}]
RESULT = [{"type": "function_call_output", "call_id": "call_1", "output": "4"}]


def why(
    told: Recording, answer: Received, known: frozenset[str] = frozenset({"resp_0known"})
) -> str | None:
    return excuse(told, Exchange(told.exchange.sent, answer), set(known))


def asked(path: str, **body: Any) -> Recording:
    return recording(path, {"model": "gpt-4o", **body}, answered({}))


REFUSALS = {
    "vision": (asked("chat/completions", messages=IMAGE), "messages[0].content[0].type"),
    "vision of a result": (asked("responses", input=PICTURE), "input[0].output[0].type"),
    "files": (asked("responses", input=PDF), "input[0].content[0]"),
    "audio": (asked("chat/completions", messages=[], modalities=["audio"]), "modalities"),
    "tool mcp": (asked("responses", tools=[{"type": "mcp"}]), "tools[0].type"),
    "tool web_search": (
        asked("chat/completions", web_search_options={"a": 1}),
        "web_search_options",
    ),
    "item mcp_call": (asked("responses", input=[{"type": "mcp_call"}]), "input[0].type"),
    "background": (asked("responses", background=True), "background"),
    "prompts kept by OpenAI": (asked("responses", prompt={"id": "pmpt_1"}), "prompt"),
    "items kept by OpenAI": (
        asked("responses", previous_response_id="resp_1"),
        "previous_response_id",
    ),
    "an answer to a call that was not made here": (
        asked("responses", previous_response_id="resp_0known", input=RESULT),
        "input[0].call_id",
    ),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refusal_of_what_takes_more_than_text(reason: str) -> None:
    told, param = REFUSALS[reason]
    assert why(told, refused(param=param)) == reason.removesuffix(" of a result")
    assert why(told, refused(param=None)) == reason.removesuffix(" of a result")


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refusal_that_names_another_field_is_a_fault(reason: str) -> None:
    told, _ = REFUSALS[reason]
    assert why(told, refused(param="temperature")) is None
    assert why(told, refused(500, param=None)) is None


PLAIN = [
    asked("responses", input=[{"role": "user", "content": [{"type": "input_text", "text": "a"}]}]),
    asked("responses", tools=[{"type": "function", "name": "f"}], background=False),
    asked("responses", previous_response_id="resp_0known"),
    asked("completions", prompt="a"),
    asked("chat/completions", messages=[], modalities=["text"]),
    asked("responses/input_tokens", input="a"),
    recording("models", None, answered({}), method="GET"),
]


@pytest.mark.parametrize("told", PLAIN, ids=lambda told: told.path)
def test_nothing_excuses_a_refusal_of_text_and_functions(told: Recording) -> None:
    for param in ("input", "tools", "messages", "prompt", "background", None):
        assert why(told, refused(param=param)) is None
    assert why(told, refused(404)) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("embeddings", "embeddings"),
        ("threads/thread_0a1b2c3d/runs", "assistants"),
        ("audio/speech", "audio"),
        ("files/file-0a1b2c3d", "files"),
    ],
)
def test_apis_that_need_more_than_a_model_of_text(path: str, reason: str) -> None:
    assert why(recording(path, {}, answered({})), refused(404)) == reason


def test_a_prompt_may_be_too_long_for_the_model() -> None:
    told = asked("chat/completions", messages=[])
    too_long = refused(param="messages", code="context_length_exceeded")
    assert why(told, too_long) == "longer than the model's context"


def test_what_was_kept_at_openai_cannot_be_read_back() -> None:
    told = recording("responses/resp_0a1b2c3d", None, answered({}), method="GET")
    assert why(told, refused(404)) == "items kept by OpenAI"
    assert why(told, refused(404), frozenset({"resp_0a1b2c3d"})) is None


LENIENT = {
    "a key that only OpenAI knows to be wrong": {"code": "invalid_api_key"},
    "refused by one model of OpenAI's": {
        "message": "Unsupported parameter: 'stop' is not supported with this model."
    },
    "a schema that OpenAI cannot hold a model to": {"code": "invalid_function_parameters"},
    "items kept by OpenAI": {
        "message": "Item 'rs_1' of type 'reasoning' was provided without its required next item."
    },
    None: {"code": "missing_required_parameter", "param": "messages[1].content[0].type"},
}


@pytest.mark.parametrize("reason", LENIENT, ids=str)
def test_an_answer_where_openai_refused(reason: str | None) -> None:
    told = recording("chat/completions", {}, refused(400, **LENIENT[reason]))
    assert why(told, answered({})) == reason


def test_nothing_excuses_an_answer_by_a_model_that_there_is_not() -> None:
    message = "The model `no` does not exist or you do not have access to it."
    told = recording("chat/completions", {}, refused(404, message=message, code="model_not_found"))
    assert why(told, answered({})) is None
