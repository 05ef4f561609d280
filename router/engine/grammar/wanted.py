"""What a request wants of its answer, with every schema made ready for a grammar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llguidance import LLMatcher

from router.engine.grammar.lark import Lark
from router.engine.grammar.schemas import Schema, prepared
from router.engine.refusal import Refusal
from router.frames import Generate

NO_ARGUMENTS: Schema = {"type": "object", "properties": {}}
SAYING_NOTHING = {"type", "title", "description", "$schema"}
"""A tool whose parameters say no more than this takes none."""

ANY_OBJECT: Schema = {"type": "object"}


@dataclass(frozen=True)
class Wanted:
    """``functions``: name to prepared schema of each function that may be called. ``required``:
    at least one call. ``many``: more than one is allowed. ``schema``: an answer that is no call
    is JSON of this prepared schema; None: any text."""

    functions: dict[str, Schema]
    required: bool
    many: bool
    schema: Schema | None


def wanted(request: Generate) -> Wanted:
    """Raises Refusal for a schema that answers cannot be held to."""
    constraint = request.constraint
    functions = {
        tool["function"]["name"]: _arguments(index, tool["function"])
        for index, tool in enumerate(request.tools)
        if not constraint.functions or tool["function"]["name"] in constraint.functions
    }
    return Wanted(
        functions,
        required=constraint.required,
        many=constraint.parallel,
        schema=None if constraint.schema is None else _answer(constraint.schema),
    )


def _arguments(index: int, function: dict[str, Any]) -> Schema:
    """A schema that says more than a grammar can is followed as far as that goes: arguments are
    validated once more when the call is whole. ``strict`` forbids that."""
    schema = function.get("parameters") or {}
    if schema.keys() <= SAYING_NOTHING:
        schema = NO_ARGUMENTS
    exact = prepared(schema)
    fault = _fault(exact)
    if not fault:
        return exact
    if function.get("strict"):
        raise Refusal(
            f"Invalid schema for function '{function['name']}': {fault}. Change it, or leave out"
            " `strict`.",
            code="invalid_function_parameters",
            param=f"tools[{index}].function.parameters",
        )
    lenient = prepared(schema, lenient=True)
    return prepared(ANY_OBJECT) if _fault(lenient) else lenient


def _answer(schema: Schema) -> Schema:
    ready = prepared(schema)
    if fault := _fault(ready):
        raise Refusal(
            f"Invalid schema for response_format: {fault}. Answers cannot be held to that; change"
            " the schema.",
            code="invalid_json_schema",
            param="response_format.json_schema.schema",
        )
    return ready


def _fault(schema: Schema) -> str:
    lark = Lark({})
    return reason(LLMatcher.validate_grammar(lark.grammar(lark.json(schema))))


def reason(complaint: str) -> str:
    """llguidance's complaint without its position in a grammar that the user never saw."""
    if not complaint or complaint.startswith("WARNING"):
        return ""
    message = complaint.split("failed to compile JSON schema: ")[-1]
    return message.splitlines()[0].strip().rstrip(".:")
