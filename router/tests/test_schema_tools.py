from __future__ import annotations

import pytest

from router.errors import BadRequest
from router.fielderrors import shown
from router.schema import jsonschemas
from router.tests.bodies import (
    Body,
    allowed,
    check_refused,
    chosen,
    named,
    offered,
    parameters,
    parse,
    tool,
)


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


def test_tools_seen_before_are_not_checked_again() -> None:
    parse(tools=[tool(), tool("other", {"type": "object"})])
    checked = jsonschemas.fault.cache_info().misses
    parse(tools=[tool("renamed"), tool("other", {"type": "object"})])
    assert jsonschemas.fault.cache_info().misses == checked


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
    (chosen(allowed("auto")), "tool_choice", "invalid_value"),
    (chosen(allowed("none", named("get_weather"))), "tool_choice", "invalid_value"),
    (chosen(allowed("auto", {"name": "get_weather"})), "tool_choice", "invalid_value"),
    (chosen(allowed("auto", named("unknown"))), "tool_choice", "invalid_value"),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls", "invalid_type"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED, ids=shown)
def test_a_wrong_tool_is_named(fields: Body, param: str, code: str) -> None:
    check_refused(fields, param, code)


def test_a_schema_nested_beyond_the_checkers_reach_is_refused() -> None:
    schema: Body = {}
    for _ in range(150):
        schema = {"properties": {"a": schema}}
    with pytest.raises(BadRequest, match="nested too deeply") as caught:
        parse(tools=[tool(parameters=schema)])
    assert caught.value.code == "invalid_function_parameters"
