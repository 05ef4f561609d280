"""Every field of the Responses API is honoured, without meaning here, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming

from router.frames import Sampling
from router.schema import ResponsesRequest
from router.schema.responses import ABSENT, MOVED
from router.schema.responsetools import chat_choice
from router.tests import bodies
from router.tests.responses import WEATHER

Body = dict[str, Any]

BARE: Body = {"model": "m", "input": "hi"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
JSON_ANSWER = {"type": "json_schema", "name": "place", "schema": SCHEMA}


def parse(**fields: Any) -> ResponsesRequest:
    return ResponsesRequest.parse(BARE | fields)


def meaning(asked: ResponsesRequest) -> tuple[Any, ...]:
    """All that has an effect on the answer, on what is kept of it, and on how it is sent."""
    fields = asked.fields
    rest = (fields.instructions, fields.previous_response_id, fields.metadata or {})
    return (asked.input, asked.chat, asked.store, asked.truncates, asked.old_thoughts, *rest)


HONOURED: list[tuple[str, Any]] = [
    ("input", "yo"),
    ("input", [{"role": "user", "content": [{"type": "input_text", "text": "yo"}]}]),
    ("model", "other"),
    ("instructions", "Be brief."),
    ("previous_response_id", "resp_1"),
    ("store", False),
    ("stream", True),
    ("metadata", {"a": "b"}),
    ("tools", [WEATHER]),
    ("max_output_tokens", 5),
    ("temperature", 0.5),
    ("top_p", 0.5),
    ("top_logprobs", 2),
    ("include", ["message.output_text.logprobs"]),
    ("text", {"format": JSON_ANSWER}),
    ("text", {"format": {"type": "json_object"}}),
    ("reasoning", {"effort": "none"}),
    ("reasoning", {"context": "current_turn"}),
    ("truncation", "auto"),
    ("parallel_tool_calls", False),
]
HONOURED_WITH_TOOLS: list[tuple[str, Any]] = [
    ("tool_choice", "none"),
    ("tool_choice", "required"),
    ("tool_choice", {"type": "function", "name": "get_weather"}),
    (
        "tool_choice",
        {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "get_weather"}],
        },
    ),
]
WITHOUT_MEANING: list[tuple[str, Any]] = [
    # Labels, and services that a machine of one's own does not have.
    ("user", "u1"),
    ("safety_identifier", "u1"),
    ("service_tier", "flex"),
    ("access_programs", {"cyber": "standard"}),
    # Every prompt is cached for as long as there is room.
    ("prompt_cache_key", "key"),
    ("prompt_cache_retention", "24h"),
    ("prompt_cache_options", {"mode": "implicit", "ttl": "30m"}),
    # About what this server refuses or does not do.
    ("max_tool_calls", 3),
    ("image", {"context_compression": "auto"}),
    ("stream_options", {"include_obfuscation": True}),
    ("background", False),
    # Thoughts are sent in full, and are no secret.
    ("include", []),
    ("include", ["reasoning.encrypted_content", "file_search_call.results"]),
    ("reasoning", {"summary": "auto", "generate_summary": "concise", "mode": "standard"}),
    ("reasoning", {"context": "auto"}),
    # The default, said aloud.
    ("text", {}),
    ("text", {"format": {"type": "text"}, "verbosity": "low"}),
    ("tools", []),
    ("metadata", {}),
    ("truncation", "disabled"),
    ("store", True),
]
REFUSED: list[tuple[str, Any, str, str]] = [
    ("background", True, "background", "unsupported_parameter"),
    ("background_options", {"completion_window": "2h"}, "background_options", ""),
    ("context_management", [{"type": "compaction"}], "context_management", ""),
    ("conversation", "conv_1", "conversation", "unsupported_parameter"),
    ("conversation", {"id": "conv_1"}, "conversation", "unsupported_parameter"),
    ("moderation", {"model": "omni-moderation-latest"}, "moderation", ""),
    ("prompt", {"id": "pmpt_1"}, "prompt", "unsupported_parameter"),
    ("prompt_cache_options", {"prewarm": True}, "prompt_cache_options.prewarm", ""),
    ("reasoning", {"mode": "pro"}, "reasoning.mode", "unsupported_value"),
]


def test_no_field_of_the_reference_is_forgotten() -> None:
    reference = ResponseCreateParamsStreaming.__annotations__
    tables: list[list[tuple[Any, ...]]] = [HONOURED, HONOURED_WITH_TOOLS, WITHOUT_MEANING]
    assert {row[0] for table in [*tables, REFUSED] for row in table} >= reference.keys()


@pytest.mark.parametrize(("field", "value"), HONOURED)
def test_honoured(field: str, value: Any) -> None:
    assert meaning(parse(**{field: value})) != meaning(parse())


@pytest.mark.parametrize(("field", "value"), HONOURED_WITH_TOOLS)
def test_honoured_with_tools(field: str, value: Any) -> None:
    assert meaning(parse(tools=[WEATHER], **{field: value})) != meaning(parse(tools=[WEATHER]))


@pytest.mark.parametrize(("field", "value"), WITHOUT_MEANING)
def test_without_meaning(field: str, value: Any) -> None:
    assert meaning(parse(**{field: value})) == meaning(parse())


@pytest.mark.parametrize(("field", "value", "param", "code"), REFUSED)
def test_refused_by_name(field: str, value: Any, param: str, code: str) -> None:
    bodies.check_refused({field: value}, param, code or "unsupported_parameter", parse)


def test_every_optional_field_may_be_null() -> None:
    rows = [*HONOURED, *HONOURED_WITH_TOOLS, *WITHOUT_MEANING, *REFUSED]
    optional = {row[0]: None for row in rows} | {"model": "m", "input": "hi"}
    assert meaning(parse(**optional)) == meaning(parse())


@pytest.mark.parametrize("field", [*MOVED, *ABSENT])
def test_what_belongs_to_chat_completions(field: str) -> None:
    bodies.check_refused({field: ["x"]}, field, "unsupported_parameter", parse)
    assert meaning(parse(**{field: None})) == meaning(parse())


# --- what is wrong with a field ---


def part(**fields: Any) -> Body:
    return {"input": [{"role": "user", "content": [fields]}]}


def returned(**fields: Any) -> Body:
    return {"input": [{"type": "function_call_output", "call_id": "c", "output": [fields]}]}


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": 3}, "input", "invalid_type"),
        ({"input": [3]}, "input[0]", "invalid_type"),
        ({"input": [{}]}, "input[0].role", "missing_required_parameter"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
        ({"input": [{"type": "web_search_call"}]}, "input[0].type", "invalid_value"),
        ({"input": [{"type": "item_reference"}]}, "input[0].id", "missing_required_parameter"),
        (
            {"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]},
            "input[0].call_id",
            "missing_required_parameter",
        ),
        (
            {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": {}}]},
            "input[0].arguments",
            "invalid_type",
        ),
        (part(type="text", text="x"), "input[0].content[0].type", "invalid_value"),
        (part(type="input_text"), "input[0].content[0].text", "missing_required_parameter"),
        (part(type="input_image"), "input[0].content[0].type", "unsupported_value"),
        (part(type="input_file"), "input[0].content[0].type", "unsupported_value"),
        (part(type="input_audio"), "input[0].content[0].type", "unsupported_value"),
        (returned(type="input_image"), "input[0].output[0].type", "unsupported_value"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools[0].type", "unsupported_value"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type", "unsupported_value"),
        ({"tools": [WEATHER, {"type": "file_search"}]}, "tools[1].type", "unsupported_value"),
        ({"tools": [bodies.tool()]}, "tools[0].name", "missing_required_parameter"),
        ({"tools": [{"name": "f"}]}, "tools[0].type", "missing_required_parameter"),
        ({"tools": [WEATHER, WEATHER]}, "tools[1].name", "invalid_value"),
        (
            {"tools": [WEATHER | {"parameters": {"type": 3}}]},
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "g"}},
            "tool_choice",
            "invalid_value",
        ),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "web_search"}},
            "tool_choice",
            "invalid_value",
        ),
        (
            {"text": {"format": {"type": "json_schema"}}},
            "text.format.schema",
            "missing_required_parameter",
        ),
        (
            {"text": {"format": {**JSON_ANSWER, "schema": {"type": 3}}}},
            "text.format.schema",
            "invalid_json_schema",
        ),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type", "invalid_value"),
        ({"include": ["everything"]}, "include[0]", "invalid_value"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"metadata": {"a" * 65: ""}}, "metadata", "string_above_max_length"),
        ({"metadata": {"a": "b" * 513}}, "metadata", "string_above_max_length"),
        ({"metadata": dict.fromkeys("abcdefghijklmnopq", "")}, "metadata", "invalid_value"),
        ({"max_output_tokens": 0}, "max_output_tokens", "integer_below_min_value"),
        ({"top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"previous_response_id": ""}, "previous_response_id", "invalid_value"),
    ],
)
def test_what_is_wrong_is_named(fields: Body, param: str, code: str) -> None:
    error = bodies.refusal(fields, parse)
    assert error, "accepted"
    assert (error.param, error.code) == (param, code)
    assert not [word for word in bodies.CONTEXT_WORDS if word in error.message], error.message


# --- tools ---


def test_what_codex_sends_unasked_is_ignored() -> None:
    functions = {"type": "namespace", "name": "n", "description": "", "tools": [WEATHER]}
    search = {"type": "web_search", "external_web_access": False}
    asked = parse(tools=[functions, WEATHER, search])
    assert asked.ignored_tools == ("namespace", "web_search")
    assert [tool["function"]["name"] for tool in asked.chat.tools] == ["get_weather"]
    assert asked.path("tools[0].function.parameters") == "tools[1].parameters"
    error = bodies.refusal({"tools": [functions, WEATHER | {"name": "?"}]}, parse)
    assert error
    assert error.param == "tools[1].name"


def test_tools_are_shown_to_the_model_as_in_a_chat() -> None:
    odd = {"allowed_callers": ["direct"], "defer_loading": False, "description": None}
    [tool] = parse(tools=[WEATHER | odd]).chat.tools
    assert tool.keys() == {"type", "function"}
    assert tool["function"].keys() == {"name", "parameters", "strict"}


def test_a_choice_in_words_of_the_chat() -> None:
    named = {"type": "function", "name": "f"}
    assert chat_choice(named) == bodies.named("f")
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [named]}
    assert chat_choice(allowed) == bodies.allowed("auto", bodies.named("f"))
    for other in (None, "auto", {"type": "mcp"}, 3):
        assert chat_choice(other) == other


@pytest.mark.parametrize(
    ("chat_path", "path"),
    [
        ("messages", "input"),
        ("response_format.json_schema.schema", "text.format.schema"),
        ("tools[0].function.parameters", "tools[0].parameters"),
        ("tools", "tools"),
        ("logit_bias", "logit_bias"),
    ],
)
def test_paths_are_those_of_the_request(chat_path: str, path: str) -> None:
    assert parse(tools=[WEATHER]).path(chat_path) == path


# --- what becomes of it ---


def test_the_chat_that_is_asked_for() -> None:
    chat = parse(
        tools=[WEATHER],
        tool_choice={"type": "function", "name": "get_weather"},
        max_output_tokens=7,
        temperature=0,
        reasoning={"effort": "low"},
        text={"format": JSON_ANSWER},
    ).chat
    assert chat.constraint.required
    assert chat.constraint.functions == ["get_weather"]
    assert chat.answer_schema == SCHEMA
    assert (chat.n, chat.max_tokens, chat.stop) == (1, 7, ())
    assert chat.reasoning_effort == "low"
    assert chat.sampling({"top_k": 5}) == Sampling(temperature=0, top_k=5)
    assert parse(tools=[WEATHER], tool_choice="none").chat.usable_tools == []


def test_only_what_came_before_needs_no_input() -> None:
    asked = ResponsesRequest.parse({"model": "m", "previous_response_id": "resp_1"})
    assert asked.input == []
