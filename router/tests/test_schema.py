from __future__ import annotations

import re
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.errors import BadRequest
from router.fielderrors import shown
from router.frames import Sampling
from router.schema import ChatRequest, jsonschemas

Body = dict[str, Any]

USER = {"role": "user", "content": "hi"}
BODY: Body = {"model": "m", "messages": [USER]}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CONTEXT_WORDS = (
    "max_tokens",
    "exceeds",
    "too long",
    "input length",
    "context limit",
    "reduce the length",
)
"""Goose compacts the conversation when it reads one of these in a 400."""


def tool(name: Any = "get_weather", parameters: Any = PARAMETERS, **fields: Any) -> Body:
    return {
        "type": "function",
        "function": {"name": name, "parameters": parameters},
        **fields,
    }


def call(id: Any = "call_1", arguments: Any = '{"city": "Oslo"}', **fields: Any) -> Body:
    function = {"name": "get_weather", "arguments": arguments}
    return {"id": id, "type": "function", "function": function, **fields}


def assistant(**fields: Any) -> Body:
    return {"role": "assistant", **fields}


def result(id: Any = "call_1", content: Any = "sunny") -> Body:
    return {"role": "tool", "tool_call_id": id, "content": content}


def parse(**fields: Any) -> ChatRequest:
    return ChatRequest.parse(BODY | fields)


def chat(*messages: Any) -> Body:
    return {"messages": list(messages)}


def offered(*tools: Any, **fields: Any) -> Body:
    return {"tools": list(tools), **fields}


def chosen(choice: Any) -> Body:
    return offered(tool(), tool_choice=choice)


def parameters(schema: Any) -> Body:
    return offered(tool(), tool("other", schema))


def named(name: str) -> Body:
    return {"type": "function", "function": {"name": name}}


# --- what is accepted -------------------------------------------------------------------


def test_defaults_of_the_shortest_request() -> None:
    assert parse() == ChatRequest(
        model="m",
        messages=[USER],
        tools=[],
        tool_choice="auto",
        parallel_tool_calls=True,
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
        ({"tool_choice": "none"}, "tool_choice", "none"),
        (chosen("none"), "tool_choice", "none"),
        (chosen("auto"), "tool_choice", "auto"),
        (chosen(None), "tool_choice", "auto"),
    ],
    ids=str,
)
def test_what_is_honoured(fields: Body, name: str, expected: object) -> None:
    assert getattr(parse(**fields), name) == expected


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": role, "content": "x"} for role in ("system", "developer", "user", "system")],
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": []}],
        [{"role": "user", "content": [{"text": "a", "type": "text"}], "name": "Ann Lee"}],
        [assistant()],
        [assistant(content=None, refusal="no", reasoning_content="hm")],
        [assistant(content=[{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}])],
        [assistant(content=None, tool_calls=None, function_call=None, audio=None)],
        [assistant(content="", tool_calls=[call(), call("call_2")]), result("call_2"), result()],
        [assistant(tool_calls=[call(index=0, arguments="")]), result(), USER, result()],
        [assistant(tool_calls=[call(arguments={"city": "Oslo"}, type=None)]), result()],
        [assistant(tool_calls=[call()]), result(content=[{"type": "text", "text": "a"}])],
        [
            assistant(function_call={"name": "f", "arguments": "{}"}),
            {"role": "function", "name": "f", "content": None},
        ],
        [{"role": "user", "content": "a", "unknown": {"kept": True}}],
    ],
    ids=shown,
)
def test_messages_are_kept_as_they_were_sent(messages: list[Body]) -> None:
    assert parse(messages=messages).messages is messages


@pytest.mark.parametrize(
    "tools",
    [
        [tool()],
        [tool(strict=True), tool("mcp:files.read-all_1", {})],
        [{"type": "function", "function": {"name": "now"}}],
        [{"type": "function", "function": {"name": "n", "parameters": None, "description": "d"}}],
        [tool(parameters={"type": ["object", "null"]})],
        [tool(parameters={"$defs": {"a": {}}, "properties": {"x": {"$ref": "#/$defs/a"}}})],
        [tool(parameters={"properties": {"$ref": {"type": "string"}, "enum": {"enum": [1]}}})],
        [tool(parameters={"properties": {"a": {"const": {"$ref": "#/nowhere"}}}})],
        [tool(parameters={"properties": {"next": {"$ref": "#"}}})],
        [tool(parameters={"$schema": "https://unknown.example/dialect", "type": "object"})],
        [
            tool(
                parameters={
                    "$schema": "http://json-schema.org/draft-07/schema#",
                    "properties": {"pair": {"items": [{"type": "string"}, {"type": "number"}]}},
                }
            )
        ],
        [tool(f"f{number}") for number in range(128)],
    ],
    ids=shown,
)
def test_tools_are_kept_as_they_were_sent(tools: list[Body]) -> None:
    assert parse(tools=tools).tools is tools


# --- sampling ---------------------------------------------------------------------------


def test_sampling_without_a_word_from_anyone_is_openais() -> None:
    assert parse().sampling({}) == Sampling(temperature=1.0, top_p=1.0)


def test_the_request_beats_the_model_beats_openai() -> None:
    request = parse(temperature=0, top_k=3, seed=-(2**63), presence_penalty=-2)
    assert request.sampling({"temperature": 0.6, "top_p": 0.95, "top_k": 20.0}) == Sampling(
        temperature=0, top_p=0.95, top_k=3, seed=-(2**63), presence_penalty=-2
    )


def test_all_sampling_fields_reach_the_engine() -> None:
    fields: Body = {
        "temperature": 2,
        "top_p": 0,
        "top_k": 5,
        "min_p": 0.1,
        "repetition_penalty": 1.1,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "logit_bias": {"50256": -100, "7": 1.5},
        "seed": 2**63 - 1,
    }
    sampling = parse(**fields, logprobs=True, top_logprobs=2).sampling({"temperature": 0.1})
    assert msgspec.to_builtins(sampling) == fields | {
        "logit_bias": {50256: -100, 7: 1.5},
        "top_logprobs": 2,
    }


def test_the_engine_can_decode_defaults_that_came_from_json_numbers() -> None:
    sent = msgspec.msgpack.encode(parse().sampling({"top_k": 20.0, "temperature": 1}))
    assert msgspec.msgpack.decode(sent, type=Sampling).top_k == 20


# --- what is refused --------------------------------------------------------------------

BAD_SCHEMAS: list[Body] = [
    {"type": "strin"},
    {"type": "string"},
    {"type": ["array", "null"]},
    {"properties": []},
    {"properties": {"a": {"type": "strin"}}},
    {"properties": {"a": {"pattern": "("}}},
    {"properties": {"pair": {"items": [{}]}}},
    {"properties": {"a": {"$ref": "#/$defs/nowhere"}}},
    {"properties": {"a": {"$ref": "https://example.com/schema.json"}}},
    {"$dynamicRef": "#nowhere"},
    {"$schema": 5},
    {"$schema": "http://["},
    {"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMaximum": True},
    {"description": "x" * 300_000},
]

REFUSED: list[tuple[Body, str, str]] = [
    # the model and the messages
    ({"model": ""}, "model", "invalid_value"),
    ({"model": None}, "model", "invalid_type"),
    ({"model": 5}, "model", "invalid_type"),
    ({"messages": None}, "messages", "invalid_type"),
    ({"messages": "hi"}, "messages", "invalid_type"),
    ({"messages": {}}, "messages", "invalid_type"),
    (chat(), "messages", "empty_array"),
    (chat(123), "messages[0]", "invalid_type"),
    (chat(None), "messages[0]", "invalid_type"),
    (chat({}), "messages[0].role", "missing_required_parameter"),
    (chat(USER, {"content": "x"}), "messages[1].role", "missing_required_parameter"),
    (chat({"role": 123, "content": "x"}), "messages[0].role", "invalid_type"),
    (chat({"role": None, "content": "x"}), "messages[0].role", "invalid_type"),
    (chat({"role": ["user"], "content": "x"}), "messages[0].role", "invalid_type"),
    (chat({"role": "bot", "content": "x"}), "messages[0].role", "invalid_value"),
    (chat(USER | {"name": 5}), "messages[0].name", "invalid_type"),
    # content
    *(
        (chat({"role": role}), "messages[0].content", "missing_required_parameter")
        for role in ("system", "developer", "user")
    ),
    (
        chat({"role": "function", "name": "f"}),
        "messages[0].content",
        "missing_required_parameter",
    ),
    (chat({"role": "user", "content": None}), "messages[0].content", "invalid_type"),
    (chat({"role": "user", "content": 123}), "messages[0].content", "invalid_type"),
    (chat({"role": "user", "content": {}}), "messages[0].content", "invalid_type"),
    (chat(assistant(content=123)), "messages[0].content", "invalid_type"),
    (chat({"role": "user", "content": ["x"]}), "messages[0].content[0]", "invalid_type"),
    (
        chat({"role": "user", "content": [{}]}),
        "messages[0].content[0].type",
        "missing_required_parameter",
    ),
    (
        chat({"role": "user", "content": [{"type": "text"}]}),
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    (
        chat({"role": "user", "content": [{"type": "text", "text": 5}]}),
        "messages[0].content[0].text",
        "invalid_type",
    ),
    (
        chat({"role": "user", "content": [{"type": "poem"}]}),
        "messages[0].content[0].type",
        "invalid_value",
    ),
    (
        chat({"role": "user", "content": [{"type": "refusal", "refusal": "no"}]}),
        "messages[0].content[0].type",
        "invalid_value",
    ),
    *(
        (
            chat(USER, {"role": "user", "content": [{"type": "text", "text": "a"}, part]}),
            "messages[1].content[1].type",
            "unsupported_value",
        )
        for part in (
            IMAGE,
            {"type": "input_audio", "input_audio": {}},
            {"type": "file", "file": {}},
        )
    ),
    (
        chat(assistant(tool_calls=[call()]), result(content=[IMAGE])),
        "messages[1].content[0].type",
        "unsupported_value",
    ),
    (chat(assistant(content=[IMAGE])), "messages[0].content[0].type", "unsupported_value"),
    (chat(assistant(audio={"id": "a"})), "messages[0].audio", "unsupported_parameter"),
    (chat(assistant(refusal=5)), "messages[0].refusal", "invalid_type"),
    (chat(assistant(reasoning_content=[])), "messages[0].reasoning_content", "invalid_type"),
    # calls and results
    (chat(assistant(tool_calls="x")), "messages[0].tool_calls", "invalid_type"),
    (chat(assistant(tool_calls=["x"])), "messages[0].tool_calls[0]", "invalid_type"),
    (
        chat(assistant(tool_calls=[{"function": {}}])),
        "messages[0].tool_calls[0].id",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call(), call("")])),
        "messages[0].tool_calls[1].id",
        "invalid_value",
    ),
    (chat(assistant(tool_calls=[call(5)])), "messages[0].tool_calls[0].id", "invalid_type"),
    (
        chat(assistant(tool_calls=[call(type="custom")])),
        "messages[0].tool_calls[0].type",
        "unsupported_value",
    ),
    (
        chat(assistant(tool_calls=[{"id": "a"}])),
        "messages[0].tool_calls[0].function",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call(function={"name": 5, "arguments": ""})])),
        "messages[0].tool_calls[0].function.name",
        "invalid_type",
    ),
    (
        chat(assistant(tool_calls=[call(function={"name": "f"})])),
        "messages[0].tool_calls[0].function.arguments",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call(arguments=[1])])),
        "messages[0].tool_calls[0].function.arguments",
        "invalid_type",
    ),
    (
        chat(assistant(function_call={"name": "f"})),
        "messages[0].function_call.arguments",
        "missing_required_parameter",
    ),
    (
        chat({"role": "function", "content": "x"}),
        "messages[0].name",
        "missing_required_parameter",
    ),
    (
        chat({"role": "tool", "content": "x"}),
        "messages[0].tool_call_id",
        "missing_required_parameter",
    ),
    (
        chat(assistant(tool_calls=[call()]), {"role": "tool", "tool_call_id": "call_1"}),
        "messages[1].content",
        "missing_required_parameter",
    ),
    (chat(result(5)), "messages[0].tool_call_id", "invalid_type"),
    (chat(USER, result("call_9")), "messages[1].tool_call_id", "invalid_value"),
    (chat(result(), assistant(tool_calls=[call()])), "messages[0].tool_call_id", "invalid_value"),
    # tools
    ({"tools": "x"}, "tools", "invalid_type"),
    ({"tools": {}}, "tools", "invalid_type"),
    (offered(5), "tools[0]", "invalid_type"),
    (offered({}), "tools[0].type", "missing_required_parameter"),
    (offered({"type": 5}), "tools[0].type", "invalid_type"),
    *(
        (offered(tool(), {"type": kind}), "tools[1].type", "unsupported_value")
        for kind in ("custom", "web_search", "mcp", "poem")
    ),
    (offered({"type": "function"}), "tools[0].function", "missing_required_parameter"),
    (
        offered({"type": "function", "name": "flat"}),
        "tools[0].function",
        "missing_required_parameter",
    ),
    (
        offered({"type": "function", "function": {}}),
        "tools[0].function.name",
        "missing_required_parameter",
    ),
    *(
        (offered(tool(), tool(name)), "tools[1].function.name", "invalid_value")
        for name in ("", "a b", "a\n", "é", "x" * 129, "get_weather")
    ),
    (offered(tool(5)), "tools[0].function.name", "invalid_type"),
    (
        offered({"type": "function", "function": {"name": "f", "description": 5}}),
        "tools[0].function.description",
        "invalid_type",
    ),
    (
        offered(*(tool(f"f{number}") for number in range(129))),
        "tools",
        "array_above_max_length",
    ),
    (parameters("x"), "tools[1].function.parameters", "invalid_type"),
    *(
        (parameters(schema), "tools[1].function.parameters", "invalid_function_parameters")
        for schema in BAD_SCHEMAS
    ),
    # the choice between tools
    ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
    ({"tool_choice": named("get_weather")}, "tool_choice", "invalid_value"),
    (chosen({}), "tool_choice", "invalid_value"),
    (chosen("any"), "tool_choice", "invalid_value"),
    (chosen(5), "tool_choice", "invalid_value"),
    (chosen({"type": "function"}), "tool_choice", "invalid_value"),
    (chosen({"type": "function", "name": "get_weather"}), "tool_choice", "invalid_value"),
    (chosen({"type": "function", "function": {"name": 5}}), "tool_choice", "invalid_value"),
    (chosen(named("unknown")), "tool_choice", "invalid_value"),
    (chosen({"type": "allowed_tools"}), "tool_choice", "invalid_value"),
    (chosen("required"), "tool_choice", "unsupported_parameter"),
    (chosen(named("get_weather")), "tool_choice", "unsupported_parameter"),
    (
        chosen(
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [named("get_weather")]},
            }
        ),
        "tool_choice",
        "unsupported_parameter",
    ),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls", "invalid_type"),
    # numbers
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
    ({"temperature": "1"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"temperature": 10**30}, "temperature", "decimal_above_max_value"),
    ({"temperature": 10**400}, "temperature", "invalid_type"),
    ({"top_p": 1.1}, "top_p", "decimal_above_max_value"),
    ({"top_p": -1}, "top_p", "decimal_below_min_value"),
    ({"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value"),
    ({"frequency_penalty": -3}, "frequency_penalty", "decimal_below_min_value"),
    ({"min_p": 1.5}, "min_p", "decimal_above_max_value"),
    ({"repetition_penalty": 0}, "repetition_penalty", "decimal_below_min_value"),
    ({"repetition_penalty": 2.5}, "repetition_penalty", "decimal_above_max_value"),
    ({"top_k": -1}, "top_k", "integer_below_min_value"),
    ({"top_k": 1.5}, "top_k", "invalid_type"),
    ({"seed": 2**63}, "seed", "integer_above_max_value"),
    ({"seed": -(2**63) - 1}, "seed", "integer_below_min_value"),
    ({"seed": 1.5}, "seed", "invalid_type"),
    ({"seed": True}, "seed", "invalid_type"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 9}, "n", "integer_above_max_value"),
    ({"n": 10**400}, "n", "integer_above_max_value"),
    ({"n": "2"}, "n", "invalid_type"),
    ({"n": True}, "n", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": "5"}, "max_tokens", "invalid_type"),
    ({"max_tokens": 10**30}, "max_tokens", "integer_above_max_value"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "integer_below_min_value"),
    ({"logprobs": 1}, "logprobs", "invalid_type"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
    ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
    ({"logprobs": False, "top_logprobs": 0}, "top_logprobs", "invalid_value"),
    ({"logit_bias": [1]}, "logit_bias", "invalid_type"),
    ({"logit_bias": {"a": 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"-1": 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"9" * 5000: 1}}, "logit_bias", "invalid_value"),
    ({"logit_bias": {"7": 101}}, "logit_bias.7", "decimal_above_max_value"),
    ({"logit_bias": {"7": "x"}}, "logit_bias.7", "invalid_type"),
    # the rest
    ({"stop": ""}, "stop", "invalid_value"),
    ({"stop": 5}, "stop", "invalid_type"),
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
    ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
        "response_format",
        "unsupported_parameter",
    ),
    ({"modalities": "text"}, "modalities", "invalid_type"),
    ({"modalities": []}, "modalities", "unsupported_value"),
    ({"modalities": ["text", "audio"]}, "modalities", "unsupported_value"),
    ({"functions": []}, "functions", "unsupported_parameter"),
    ({"function_call": "auto"}, "function_call", "unsupported_parameter"),
    ({"audio": {"voice": "a", "format": "wav"}}, "audio", "unsupported_parameter"),
    ({"prediction": {"type": "content"}}, "prediction", "unsupported_parameter"),
    ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=shown)
def test_a_wrong_field_is_named(fields: Body, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(**fields)
    error = caught.value
    assert (error.param, error.code) == (param, code)
    if param == "max_tokens":
        assert "the token limit" in error.message
    else:
        assert f"'{param}'" in error.message
    assert not [word for word in CONTEXT_WORDS if word in error.message]
    assert len(error.message) < 400


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
            chosen("required"),
            "Unsupported parameter 'tool_choice': "
            'calls cannot be forced or narrowed down yet; use "auto".',
        ),
        ({"max_tokens": 0}, "Invalid value for the token limit: expected at least 1, but got 0."),
    ],
    ids=["range", "choice", "schema", "unsupported", "token limit"],
)
def test_a_message_says_what_was_expected_and_what_came(fields: Body, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(**fields)
    assert caught.value.message == message


def test_a_schema_nested_beyond_the_checkers_reach_is_refused() -> None:
    schema: Body = {}
    for _ in range(150):
        schema = {"properties": {"a": schema}}
    with pytest.raises(BadRequest, match="nested too deeply") as caught:
        parse(tools=[tool(parameters=schema)])
    assert caught.value.code == "invalid_function_parameters"


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


def test_tools_seen_before_are_not_checked_again() -> None:
    parse(tools=[tool(), tool("other", {"type": "object"})])
    checked = jsonschemas.fault.cache_info().misses
    parse(tools=[tool("renamed"), tool("other", {"type": "object"})])
    assert jsonschemas.fault.cache_info().misses == checked


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
    error = refusal_of(fields)
    assert error is None or re.split(r"[.\[]", error.param or "")[0] in fields


def refusal_of(fields: Body) -> BadRequest | None:
    try:
        parse(**fields)
    except BadRequest as error:
        return error
    return None
