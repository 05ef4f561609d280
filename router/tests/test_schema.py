from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.errors import BadRequest
from router.fielderrors import shown
from router.schema import ChatRequest
from router.schema.tools import ToolChoice
from router.tests.bodies import (
    BODY,
    USER,
    Body,
    allowed,
    answer_in,
    chat,
    check_refused,
    chosen,
    named,
    parameters,
    parse,
    refusal,
    tool,
)

# --- what is accepted -------------------------------------------------------------------


def test_defaults_of_the_shortest_request() -> None:
    assert parse() == ChatRequest(
        model="m",
        messages=[USER],
        tools=[],
        tool_choice=ToolChoice("auto"),
        parallel_tool_calls=True,
        older_calls=False,
        answer_schema=None,
        stream=None,
        include_usage=False,
        n=1,
        max_tokens=None,
        stop=(),
        top_logprobs=None,
        reasoning_effort=None,
        sampling_given={},
    )


NULLABLE = [
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "seed",
    "top_k",
    "min_p",
    "repetition_penalty",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "logprobs",
    "top_logprobs",
    "reasoning_effort",
    "response_format",
    "modalities",
    "functions",
    "function_call",
    "audio",
    "prediction",
    "web_search_options",
    "store",
    "metadata",
    "user",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "verbosity",
    "moderation",
]


@pytest.mark.parametrize("name", NULLABLE)
def test_null_is_absent(name: str) -> None:
    assert parse(**{name: None}) == parse()


@pytest.mark.parametrize(
    "fields",
    [
        {"store": True},
        {"metadata": {"a": "b"}},
        {"user": "u"},
        {"service_tier": "flex"},
        {"safety_identifier": "s"},
        {"prompt_cache_key": "k"},
        {"prompt_cache_retention": "24h"},
        {"verbosity": "low"},
        {"moderation": {"model": "x"}},
        {"x_foo": {"bar": [1]}},
        {"tools": []},
        {"tool_choice": "auto"},
        {"stop": []},
        {"response_format": {"type": "text"}},
        {"modalities": ["text"]},
        {"stream_options": {}},
        {"stream_options": {"include_usage": None}},
        {"stream_options": {"include_usage": False, "include_obfuscation": True, "other": 1}},
        {"logprobs": False},
        {"n": 1},
    ],
    ids=str,
)
def test_what_changes_nothing_is_ignored(fields: Body) -> None:
    assert parse(**fields) == parse()


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"stream": True}, "stream", True),
        ({"stream": False}, "stream", False),
        ({"stream": True, "stream_options": {"include_usage": True}}, "include_usage", True),
        ({"stream": False, "stream_options": {"include_usage": True}}, "include_usage", True),
        ({"n": 8}, "n", 8),
        ({"max_tokens": 5}, "max_tokens", 5),
        ({"max_completion_tokens": 7}, "max_tokens", 7),
        ({"max_tokens": 5, "max_completion_tokens": 7}, "max_tokens", 5),
        ({"max_tokens": 9, "max_completion_tokens": 7}, "max_tokens", 7),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["a", "b", "c", "d"]}, "stop", ("a", "b", "c", "d")),
        ({"logprobs": True}, "top_logprobs", 0),
        ({"logprobs": True, "top_logprobs": 20}, "top_logprobs", 20),
        ({"logprobs": True}, "logprobs", True),
        ({"logprobs": None}, "logprobs", False),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", False),
        ({"reasoning_effort": "none"}, "reasoning_effort", "none"),
        ({"tool_choice": "none"}, "tool_choice", ToolChoice("none")),
        (chosen("none"), "tool_choice", ToolChoice("none")),
        (chosen("auto"), "tool_choice", ToolChoice("auto")),
        (chosen(None), "tool_choice", ToolChoice("auto")),
        (chosen("required"), "tool_choice", ToolChoice("required")),
        (
            chosen(named("get_weather")),
            "tool_choice",
            ToolChoice("required", ("get_weather",), named=True),
        ),
        (
            chosen(allowed("auto", named("get_weather"))),
            "tool_choice",
            ToolChoice("auto", ("get_weather",)),
        ),
        (
            {"functions": [{"name": "f"}], "function_call": {"name": "f"}},
            "tool_choice",
            ToolChoice("required", ("f",), named=True),
        ),
        (
            {"functions": [{"name": "f"}]},
            "tools",
            [{"type": "function", "function": {"name": "f"}}],
        ),
        ({"functions": [{"name": "f"}]}, "older_calls", True),
        ({"functions": []}, "older_calls", False),
        ({"response_format": {"type": "text"}}, "answer_schema", None),
        ({"response_format": {"type": "json_object"}}, "answer_schema", {"type": "object"}),
        (answer_in({"type": "integer"}), "answer_schema", {"type": "integer"}),
    ],
    ids=str,
)
def test_what_is_honoured(fields: Body, name: str, expected: object) -> None:
    assert getattr(parse(**fields), name) == expected


# --- what is refused --------------------------------------------------------------------

REFUSED: list[tuple[Body, str, str]] = [
    ({"stop": ""}, "stop", "invalid_value"),
    ({"stop": 5}, "stop", "invalid_type"),
    ({"stop": "x" * 501}, "stop[0]", "string_above_max_length"),
    ({"stop": ["a", ""]}, "stop[1]", "invalid_value"),
    ({"stop": [None]}, "stop[0]", "invalid_type"),
    ({"stop": list("abcde")}, "stop", "array_above_max_length"),
    ({"stream": "true"}, "stream", "invalid_type"),
    ({"stream_options": "x"}, "stream_options", "invalid_type"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "invalid_type"),
    ({"reasoning_effort": "extreme"}, "reasoning_effort", "invalid_value"),
    ({"response_format": "text"}, "response_format", "invalid_type"),
    ({"response_format": {}}, "response_format.type", "missing_required_parameter"),
    ({"response_format": {"type": "sound"}}, "response_format.type", "invalid_value"),
    *(
        (
            {"response_format": {"type": "json_schema", **missing}},
            path,
            "missing_required_parameter",
        )
        for missing, path in (
            ({}, "response_format.json_schema"),
            ({"json_schema": {"name": "a"}}, "response_format.json_schema.schema"),
        )
    ),
    (answer_in("x"), "response_format.json_schema.schema", "invalid_type"),
    ({"modalities": "text"}, "modalities", "invalid_type"),
    ({"modalities": []}, "modalities", "unsupported_value"),
    ({"modalities": ["text", "audio"]}, "modalities", "unsupported_value"),
    ({"functions": [{"name": "a b"}]}, "functions[0].name", "invalid_value"),
    (
        {"functions": [{"name": "f", "parameters": {"type": "objekt"}}]},
        "functions[0].parameters",
        "invalid_function_parameters",
    ),
    ({"functions": [{"name": "f"}], "tools": [tool()]}, "functions", "invalid_value"),
    ({"function_call": "auto"}, "function_call", "invalid_value"),
    ({"functions": [{"name": "f"}], "function_call": "f"}, "function_call", "invalid_value"),
    (
        {"functions": [{"name": "f"}], "function_call": {"name": "g"}},
        "function_call",
        "invalid_value",
    ),
    ({"audio": {"voice": "a", "format": "wav"}}, "audio", "unsupported_parameter"),
    ({"prediction": {"type": "content"}}, "prediction", "unsupported_parameter"),
    ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=shown)
def test_a_wrong_field_is_named(fields: Body, param: str, code: str) -> None:
    check_refused(fields, param, code)


@pytest.mark.parametrize("name", ["model", "messages"])
def test_a_required_field_is_missed(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        ChatRequest.parse({key: value for key, value in BODY.items() if key != name})
    assert (caught.value.param, caught.value.code) == (name, "missing_required_parameter")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"temperature": 2.1},
            "Invalid value for 'temperature': expected at most 2.0, but got 2.1.",
        ),
        (
            chat({"role": "bot"}),
            "Invalid value for 'messages[0].role': expected one of 'system', 'developer', "
            "'user', 'assistant', 'tool', 'function', but got \"bot\".",
        ),
        (
            parameters({"properties": {"a": {"type": "strin"}}}),
            "Invalid schema in 'tools[1].function.parameters': "
            'properties.a.type cannot be "strin" in a JSON Schema.',
        ),
        (
            {"prediction": {"type": "content"}},
            "Unsupported parameter 'prediction': it has no use here; leave it out.",
        ),
        ({"max_tokens": 0}, "Invalid value for the token limit: expected at least 1, but got 0."),
    ],
    ids=["range", "choice", "schema", "unsupported", "token limit"],
)
def test_a_message_says_what_was_expected_and_what_came(fields: Body, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(**fields)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [tool(f"f{n}", {"title": f"f{n}"}) for n in range(10_000)]}, "tools"),
        ({"messages": [1] * 200_000}, "messages[0]"),
        (
            {"messages": [{"role": "user", "content": [{}] * 200_000}]},
            "messages[0].content[0].type",
        ),
        ({"stop": ["a"] * 200_000}, "stop"),
    ],
    ids=["tools", "messages", "parts", "stop"],
)
def test_a_flood_is_refused_quickly(fields: Body, param: str) -> None:
    began = time.perf_counter()
    with pytest.raises(BadRequest) as caught:
        parse(**fields)
    assert caught.value.param == param
    assert time.perf_counter() - began < 2


NAMES = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "id",
        "function",
        "name",
        "arguments",
        "parameters",
        "include_usage",
        "tool_call_id",
        "allowed_tools",
        "mode",
        "tools",
        "user",
        "assistant",
        "tool",
        "1",
        "$ref",
        "$schema",
        "properties",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from([*NULLABLE, "messages", "model"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(FIELDS, JSON, max_size=3))
def test_any_json_is_parsed_or_refused_with_a_field(fields: Body) -> None:
    error = refusal(fields)
    assert error is None or re.split(r"[.\[]", error.param or "")[0] in fields
