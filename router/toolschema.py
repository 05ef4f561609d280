"""What the offered tools demand of a call: a known name, and arguments that validate.

Small models get the types wrong more often than the values: ``"5"`` for 5, ``5.0`` for 5,
``"[1, 2]"`` for a list, ``null`` for "not given". The validator's own errors say where the
schema demands another type, so only there is a value converted, and the result must
validate in full: a call that leaves the router parses and validates.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import regex
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend, validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

Json = Any
Path = tuple[str | int, ...]
Fix = tuple[Path, Json]

_PASSES = 4
"""A container given as a string can hold wrong types itself: a few rounds, never endless."""

_DEPTH = 8
"""How far a type is looked for through references and choices."""

_APPLICATORS = ("anyOf", "oneOf", "allOf", "$ref")
"""What applies further schemas to the same value, and so what can multiply."""

_ABSENT = object()

_STEPS = 20_000
"""Schemas applied in one validation. Nested choices that all fail cost exponential time, and
this runs where other requests wait."""

_steps_left: ContextVar[int] = ContextVar("_steps_left")

_PATTERN_SECONDS = 0.1
"""A client's pattern may need years for a text; a value that takes longer does not match."""


class Toolbox:
    """The tools of one request as the chat API has them (``{"function": {...}}``), their
    schemas checked before. Nothing that a schema refers to is ever fetched.
    """

    def __init__(self, tools: list[dict[str, Any]]) -> None:
        functions = [tool["function"] for tool in tools]
        self._schemas = {f["name"]: json.dumps(f.get("parameters") or {}) for f in functions}
        self.names = frozenset(self._schemas)

    def fit(self, name: str, arguments: dict[str, Json]) -> dict[str, Json] | None:
        """The arguments as the schema wants them, or None: not offered, or not to be fitted."""
        if name not in self._schemas:
            return None
        validator = _validator(self._schemas[name])
        try:
            arguments = copy.deepcopy(arguments)
            _steps_left.set(_STEPS)
            for _ in range(_PASSES):
                errors = list(validator.iter_errors(arguments))
                if not errors:
                    return arguments
                fixes = [fix for error in errors for fix in _fixes(error) or ()]
                if not fixes:
                    return None
                for path, value in fixes:
                    _put(arguments, path, value)
        except (ArithmeticError, RecursionError, Unresolvable, _TooCostly):
            # A number too large for multipleOf, a $ref without end: nothing is proven.
            return None
        return None


@lru_cache(maxsize=256)
def _validator(schema_text: str) -> Any:
    """Agents send the same tools with each request, so this compiles each of them once."""
    schema = json.loads(schema_text)
    dialect: Any = validator_for(schema, default=Draft202012Validator)
    # JSON Schema calls 5.0 an integer, but typed clients (C#, Go) fail to read it as one.
    strict = dialect.TYPE_CHECKER.redefine("integer", _is_integer)
    applicators = {key: _counted(dialect.VALIDATORS[key]) for key in _APPLICATORS}
    checker = extend(dialect, {**applicators, "pattern": _pattern}, type_checker=strict)
    return checker(schema, registry=Registry())


class _TooCostly(Exception):
    """The budget of one validation is spent."""


def _counted(check: Callable[..., Iterator[ValidationError] | None]) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Iterator[ValidationError]:
        if not (left := _steps_left.get()):
            raise _TooCostly
        _steps_left.set(left - 1)
        yield from check(*arguments) or ()

    return counted


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    if not isinstance(value, str):
        return
    try:
        found = regex.search(pattern, value, timeout=_PATTERN_SECONDS)
    except (regex.error, TimeoutError):
        found = None
    if not found:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fixes(error: ValidationError) -> list[Fix] | None:
    """What would mend an error, or None where no change of type can."""
    path = tuple(error.absolute_path)
    if error.validator == "type" and path:
        wanted = error.validator_value
        for kind in [wanted] if isinstance(wanted, str) else wanted:
            value = _convert(error.instance, kind)
            if value is not _ABSENT:
                return [(path, value)]
        if error.instance is None and isinstance(path[-1], str):
            return [(path, _ABSENT)]
    elif error.validator in ("anyOf", "oneOf"):
        branches: dict[str | int, list[ValidationError]] = defaultdict(list)
        for inner in error.context or ():
            branches[inner.relative_schema_path[0]].append(inner)
        for inners in branches.values():
            fixes = [_fixes(inner) for inner in inners]
            if None not in fixes:
                return [fix for found in fixes for fix in found or ()]
    return None


def _convert(value: Json, kind: str) -> Json:
    """The value as JSON type ``kind`` if it plainly means one, else ``_ABSENT``."""
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "string" or not isinstance(value, str):
        return _ABSENT
    text = value.lower() if kind in ("boolean", "null") else value
    try:
        meant = pure_json(json.loads(text))
    except (ValueError, RecursionError):
        return _ABSENT
    if kind == "integer" and isinstance(meant, float):
        return _convert(meant, kind)
    return meant if Draft202012Validator.TYPE_CHECKER.is_type(meant, kind) else _ABSENT


def pure_json(value: object) -> Json:
    """The value as any JSON reader gets it: no tuples, no keys that are not strings.

    Raises ``TypeError``, ``ValueError`` (NaN, infinity, half a surrogate pair) or
    ``RecursionError`` for what is not JSON on the wire.
    """
    return json.loads(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())


def _put(arguments: Json, path: Path, value: Json) -> None:
    *parents, last = path
    for step in parents:
        arguments = arguments[step]
    if value is _ABSENT:
        arguments.pop(last, None)
    else:
        arguments[last] = value


def hints(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tools with no more schema than a parser of untyped (XML-like) values should know.

    That is which values are text and which are containers, through ``$ref`` and ``anyOf``.
    Told that a value is an integer, some parsers of mlx-lm read it by way of a float and
    lose digits; ``Toolbox.fit`` converts numbers without loss.
    """
    return [{"type": "function", "function": _hint(tool["function"])} for tool in tools]


def _hint(function: dict[str, Any]) -> dict[str, Any]:
    schema = function.get("parameters") or {}
    root = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = Registry[Any]().resolver_with_root(root)
    properties = {}
    for name, value in schema.get("properties", {}).items():
        kind = _kind(value, resolver)
        properties[name] = {"type": kind} if kind in ("string", "array", "object") else {}
    return {
        "name": function["name"],
        "parameters": {"type": "object", "properties": properties},
    }


def _kind(schema: Json, resolver: Any, depth: int = _DEPTH) -> str | None:
    """The one type, null aside, that the schema allows; None when it leaves a choice."""
    if not isinstance(schema, dict) or not depth:
        return None
    if "$ref" in schema:
        try:
            target = resolver.lookup(schema["$ref"])
        except Unresolvable:
            return None
        return _kind(target.contents, target.resolver, depth - 1)
    branches = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if branches:
        kinds = {_kind(branch, resolver, depth - 1) for branch in branches}
    else:
        declared = schema.get("type")
        kinds = set(declared) if isinstance(declared, list) else {declared}
    kinds = kinds - {"null"} or kinds
    return kinds.pop() if len(kinds) == 1 else None
