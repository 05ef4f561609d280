"""What is wrong with a field, in the words and codes of the OpenAI API.

Schemas refuse a value with ``refusal``; checks across fields raise ``bad_field``; and
``from_pydantic`` turns the first error of a validation into the same kind of answer, so
no text of a library reaches a client.

Some clients read certain words in a 400 as "the prompt does not fit" and compact their
history. "max_tokens" is one of them: no message may name that field, only ``param`` does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from router.errors import BadRequest

SHOWN_CHARACTERS = 60

_OPENINGS = {
    "missing_required_parameter": "Missing required parameter {field}",
    "invalid_type": "Invalid type for {field}",
    "invalid_value": "Invalid value for {field}",
    "unsupported_parameter": "Unsupported parameter {field}",
    "unsupported_value": "Unsupported value for {field}",
    "empty_array": "Invalid value for {field}",
    "array_above_max_length": "Invalid value for {field}",
    "string_above_max_length": "Invalid value for {field}",
    "integer_below_min_value": "Invalid value for {field}",
    "integer_above_max_value": "Invalid value for {field}",
    "decimal_below_min_value": "Invalid value for {field}",
    "decimal_above_max_value": "Invalid value for {field}",
    "invalid_function_parameters": "Invalid schema in {field}",
}
_EXPECTED_KINDS = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_BOUNDS = {
    "greater_than": ("gt", "below_min_value", "more than"),
    "greater_than_equal": ("ge", "below_min_value", "at least"),
    "less_than_equal": ("le", "above_max_value", "at most"),
}
_LISTS_OF_UNIONS = {"messages", "content", "input", "output"}


def bad_field(path: str, code: str, reason: str) -> BadRequest:
    """``reason`` ends the sentence that the code opens, so it has no capital and no stop."""
    field = "the token limit" if path == "max_tokens" else f"'{path}'"
    return BadRequest(f"{_OPENINGS[code].format(field=field)}: {reason}.", param=path, code=code)


def refusal(code: str, reason: str) -> PydanticCustomError:
    """For validators to raise: ``bad_field`` for whatever field is being validated."""
    return PydanticCustomError(code, "{reason}", {"reason": reason})


def from_pydantic(error: ValidationError) -> BadRequest:
    first = error.errors(include_url=False)[0]
    path = _path(first["loc"])
    if first["type"].startswith("union_tag_"):
        return _unknown_member(path, first)
    code, reason = _code_and_reason(first)
    return bad_field(path, code, reason)


def kind_of(value: object) -> str:
    """The JSON type of ``value``, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


def shown(value: object) -> str:
    """``value`` as JSON, cut to what a message can carry."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _code_and_reason(error: ErrorDetails) -> tuple[str, str]:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in _OPENINGS:
        return kind, context["reason"]
    if kind in _EXPECTED_KINDS:
        return "invalid_type", f"expected {_EXPECTED_KINDS[kind]}, but got {kind_of(value)}"
    if kind in _BOUNDS:
        name, suffix, words = _BOUNDS[kind]
        number = "integer" if isinstance(context[name], int) else "decimal"
        return f"{number}_{suffix}", f"expected {words} {context[name]}, but got {shown(value)}"
    if kind == "missing":
        return "missing_required_parameter", "add it to the request"
    if kind == "too_short":
        return "empty_array", "expected at least one item, but got an empty array"
    if kind == "too_long":
        most = context["max_length"]
        return "array_above_max_length", f"expected at most {most} items, but got {len(value)}"
    if kind == "string_too_short":
        return "invalid_value", "expected at least one character, but got an empty string"
    if kind == "string_too_long":
        most = context["max_length"]
        return "string_above_max_length", f"expected at most {most} characters, not {len(value)}"
    if kind == "literal_error":
        return "invalid_value", f"expected {context['expected']}, but got {shown(value)}"
    return "invalid_value", f"{shown(value)} is not accepted here"


def _unknown_member(path: str, error: ErrorDetails) -> BadRequest:
    """The field that says which member of a union this is, is missing or unknown."""
    name = error["ctx"]["discriminator"].strip("'")
    members = error["ctx"].get("expected_tags")
    path = f"{path}.{name}"
    if name not in error["input"]:
        return bad_field(path, "missing_required_parameter", "add it to the request")
    value = error["input"][name]
    if not isinstance(value, str):
        return bad_field(path, "invalid_type", f"expected a string, but got {kind_of(value)}")
    return bad_field(path, "invalid_value", f"expected one of {members}, but got {shown(value)}")


def _path(location: Sequence[str | int]) -> str:
    """``("messages", 0, "user", "content")`` -> ``messages[0].content``.

    After the index of a list of unions, pydantic adds which member it took: the value that
    tells, or the name of the model.
    """
    path = ""
    for at, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
        elif at < 2 or not (location[at - 2] in _LISTS_OF_UNIONS or step[:1].isupper()):
            path += f".{step}" if path else step
    return path
