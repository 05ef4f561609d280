import copy
import time
from typing import Any

import pytest

from router.toolschema import Toolbox, hints


def toolbox(schema: dict[str, Any] | None) -> Toolbox:
    return Toolbox([{"type": "function", "function": {"name": "f", "parameters": schema}}])


def an_object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


INTEGER = {"type": "integer"}
OPTIONAL = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
NESTED = an_object(
    limit={"$ref": "#/$defs/limit"},
    list={"type": "array", "items": {"$ref": "#/$defs/limit"}},
) | {"$defs": {"limit": INTEGER}}

FITTED = {
    "right": (an_object(x=INTEGER), {"x": 5}, {"x": 5}),
    "integer_in_a_string": (an_object(x=INTEGER), {"x": "5"}, {"x": 5}),
    "all_digits_kept": (an_object(x=INTEGER), {"x": "12345678901234567"}, {"x": 12345678901234567}),
    "integer_with_a_point": (an_object(x=INTEGER), {"x": 5.0}, {"x": 5}),
    "both": (an_object(x=INTEGER), {"x": "5.0"}, {"x": 5}),
    "number_in_a_string": (an_object(x={"type": "number"}), {"x": "0.5"}, {"x": 0.5}),
    "boolean": (an_object(x={"type": "boolean"}), {"x": "True"}, {"x": True}),
    "string": (an_object(x={"type": "string"}), {"x": 12345}, {"x": "12345"}),
    "list": (an_object(x={"type": "array", "items": INTEGER}), {"x": '["1", 2]'}, {"x": [1, 2]}),
    "object": (an_object(x=an_object(y=INTEGER)), {"x": '{"y": "1"}'}, {"x": {"y": 1}}),
    "null_for_absent": (an_object(x=INTEGER, y=INTEGER), {"x": None, "y": 1}, {"y": 1}),
    "null_that_is_meant": (an_object(x=OPTIONAL), {"x": None}, {"x": None}),
    "null_in_a_string": (an_object(x=OPTIONAL), {"x": "None"}, None),
    "null_word": (an_object(x=OPTIONAL), {"x": "null"}, {"x": None}),
    "any_of": (an_object(x=OPTIONAL), {"x": "5"}, {"x": 5}),
    "type_list": (an_object(x={"type": ["integer", "null"]}), {"x": "5"}, {"x": 5}),
    "ref": (NESTED, {"limit": "5", "list": ["6", 7.0]}, {"limit": 5, "list": [6, 7]}),
    "string_left_alone": (an_object(x={"type": "string"}), {"x": "5"}, {"x": "5"}),
    "either_left_alone": (an_object(x={"type": ["string", "integer"]}), {"x": "5"}, {"x": "5"}),
    "unknown_left_alone": (an_object(), {"x": "5"}, {"x": "5"}),
    "no_schema": (None, {}, {}),
    "missing": (an_object(("x",), x=INTEGER), {}, None),
    "null_where_required": (an_object(("x",), x=INTEGER), {"x": None}, None),
    "not_a_number": (an_object(x=INTEGER), {"x": "five"}, None),
    "half": (an_object(x=INTEGER), {"x": "5.5"}, None),
    "nan": (an_object(x={"type": "number"}), {"x": "NaN"}, None),
    "infinite": (an_object(x={"type": "array"}), {"x": "[1e999]"}, None),
    "half_a_character": (an_object(x={"type": "array"}), {"x": '["\\ud800"]'}, None),
    "boolean_is_no_integer": (an_object(x=INTEGER), {"x": True}, None),
    "enum": (an_object(x={"enum": ["a"]}), {"x": "b"}, None),
    "surplus": ({"type": "object", "additionalProperties": False}, {"x": 1}, None),
    "huge_number": (an_object(x={"multipleOf": 0.5}), {"x": 10**400}, None),
    "endless_reference": ({"$ref": "#"}, {}, None),
}


@pytest.mark.parametrize(("schema", "arguments", "fitted"), FITTED.values(), ids=FITTED)
def test_fit(
    schema: dict[str, Any] | None, arguments: dict[str, Any], fitted: dict[str, Any] | None
) -> None:
    before = copy.deepcopy(arguments)
    found = toolbox(schema).fit("f", arguments)
    assert found == fitted
    assert repr(found) == repr(fitted)
    assert arguments == before


def test_a_branch_is_taken_whole() -> None:
    point = an_object(("x", "y"), x=INTEGER, y=INTEGER)
    named = an_object(("name",), name={"type": "string"})
    box = toolbox(an_object(at={"anyOf": [named, point]}))
    assert box.fit("f", {"at": {"x": "1", "y": "2"}}) == {"at": {"x": 1, "y": 2}}


def test_only_offered_tools() -> None:
    box = toolbox(None)
    assert box.names == {"f"}
    assert box.fit("g", {}) is None


def test_older_dialects() -> None:
    draft7 = "http://json-schema.org/draft-07/schema#"
    pair = {"type": "array", "items": [INTEGER, {"type": "string"}]}
    box = toolbox({"$schema": draft7} | an_object(pair=pair))
    assert box.fit("f", {"pair": ["1", "a"]}) == {"pair": [1, "a"]}


def test_references_are_never_fetched() -> None:
    assert toolbox(an_object(x={"$ref": "http://127.0.0.1:9/x"})).fit("f", {"x": 1}) is None


HINTS = {
    "string": ({"type": "string"}, {"type": "string"}),
    "optional_string": ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string"}),
    "string_or_null": ({"type": ["string", "null"]}, {"type": "string"}),
    "reference": ({"$ref": "#/$defs/tags"}, {"type": "array"}),
    "nowhere": ({"$ref": "#/$defs/none"}, {}),
    "endless": ({"$ref": "#/$defs/loop"}, {}),
    "integer": (INTEGER, {}),
    "choice": ({"anyOf": [{"type": "string"}, INTEGER]}, {}),
    "anything": (True, {}),
}


@pytest.mark.parametrize(("schema", "hint"), HINTS.values(), ids=HINTS)
def test_hints(schema: Any, hint: dict[str, str]) -> None:
    definitions = {"tags": {"type": "array"}, "loop": {"$ref": "#/$defs/loop"}}
    parameters = an_object(x=schema) | {"$defs": definitions}
    [tool] = hints([{"type": "function", "function": {"name": "f", "parameters": parameters}}])
    assert tool["function"]["parameters"]["properties"] == {"x": hint}


def test_hints_for_a_function_without_parameters() -> None:
    [tool] = hints([{"type": "function", "function": {"name": "f"}}])
    assert tool["function"] == {"name": "f", "parameters": {"type": "object", "properties": {}}}


def test_a_pattern_that_would_take_years_does_not_match() -> None:
    pattern = r"^([a-zA-Z0-9]+\.?)+@x$"
    parameters = {"type": "object", "properties": {"mail": {"type": "string", "pattern": pattern}}}
    tools = toolbox(parameters)
    started = time.monotonic()
    assert tools.fit("f", {"mail": "a" * 40 + " at x"}) is None
    assert time.monotonic() - started < 5
    assert tools.fit("f", {"mail": "ada@x"}) == {"mail": "ada@x"}


def test_choices_that_multiply_are_given_up() -> None:
    doubled = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(28)}
    schema = an_object(n={"$ref": "#/$defs/d0"}) | {"$defs": doubled | {"d28": INTEGER}}
    assert toolbox(schema).fit("f", {"n": 5}) == {"n": 5}
    assert toolbox(schema).fit("f", {"n": [5]}) is None
