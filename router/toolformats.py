"""How each model family writes its tool calls: one parser for each format name.

The parsers are mlx-lm's own (``mlx_lm.tool_parsers``), so a format it learns is known here
too. They are plain text code, but ``import mlx_lm.tool_parsers`` runs ``mlx_lm/__init__``
and with it imports mlx, which the HTTP process must never do: Metal belongs to the model
processes. ``find_spec`` says where the package lies without running it, and its
``tool_parsers`` folder is loaded from there as a package of its own.

``json_tools``, the format of most small models, is read here, with more patience; it is
also what the other formats fall back on, because models do mix them up.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from router.jsonrepair import repair
from router.toolschema import hints, pure_json

_PACKAGE = "router_mlx_lm_tool_parsers"


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call as the model wrote it: the arguments are JSON, but no schema has seen them."""

    name: str
    arguments: dict[str, Any]


class Malformed(Exception):
    """The text is no call of its format."""


Parser = Callable[[str, list[dict[str, Any]]], list[RawCall]]
"""(text between the markers, tools of the chat API) -> at least one call, or ``Malformed``."""


@cache
def parser(name: str) -> Parser:
    """Raises ``ModuleNotFoundError`` for a format that the installed mlx-lm does not have."""
    if name == "json_tools":
        return _parse_json
    module = _module(name)

    def read(text: str, tools: list[dict[str, Any]]) -> list[Any]:
        found = []
        for part in _single_calls(name, text.strip()):
            calls = module.parse_tool_call(part, tools)
            found += calls if isinstance(calls, list) else [calls]
        return found

    def parse(text: str, tools: list[dict[str, Any]]) -> list[RawCall]:
        # First, because a format's parser may find "calls" in the strings of a call in JSON.
        ways = (lambda: _strictly_json(text), lambda: read(text, hints(tools)))
        for way in ways:
            with contextlib.suppress(Malformed):
                return _calls(way)
        return _parse_json(text, tools)

    return parse


def inside_value(name: str, text: str) -> bool:
    """Does a section break off inside a value, so that an end marker there is data?"""
    values = _VALUES.get(name)
    return values is not None and any(value["end"] is None for value in values.finditer(text))


def _module(name: str) -> ModuleType:
    if _PACKAGE not in sys.modules:
        found = find_spec("mlx_lm")
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError("mlx-lm is not installed, and its tool parsers are needed")
        folder = Path(found.submodule_search_locations[0]) / "tool_parsers"
        spec = spec_from_file_location(
            _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec
        # Found but not run: whatever its __init__ may import one day, the parsers need none.
        sys.modules[_PACKAGE] = module_from_spec(spec)
    return importlib.import_module(f"{_PACKAGE}.{name}")


def _calls(read: Callable[[], list[Any]]) -> list[RawCall]:
    try:
        with warnings.catch_warnings():
            # A "\d" in a model's text warns of a bad escape when it is read as Python.
            warnings.simplefilter("ignore")
            calls = [_raw_call(found) for found in read()]
    except Exception as error:
        # The parsers fail in any way there is, from AttributeError to RecursionError.
        raise Malformed(str(error)) from None
    if not calls:
        raise Malformed("no call in the text")
    return calls


def _raw_call(found: Any) -> RawCall:
    """The shapes in use: the name beside its arguments, or both inside ``function``."""
    if isinstance(inner := found.get("function"), dict):
        return _raw_call(inner)
    name = found.get("name", inner)
    arguments = found.get("arguments", found.get("parameters")) or {}
    if isinstance(arguments, str):
        [arguments] = json_values(arguments)
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Malformed("a call needs a name and an object of arguments")
    return RawCall(name.strip(), pure_json(arguments))


# --- JSON ---------------------------------------------------------------------------

_DECODER = json.JSONDecoder(strict=False)
_BETWEEN_VALUES = re.compile(r"[\s,;]*")


def _parse_json(text: str, _: list[dict[str, Any]]) -> list[RawCall]:
    return _calls(lambda: json_values(text))


def _strictly_json(text: str) -> list[Any]:
    value = json.loads(text)
    return value if isinstance(value, list) else [value]


def json_values(text: str) -> list[Any]:
    """The JSON values in a text one after the other, mended if need be; a list counts as
    what it holds. Raises ``ValueError`` or ``RecursionError``.
    """
    try:
        return list(_values(text))
    except ValueError:
        return list(_values(repair(text)))


def _values(text: str) -> Iterator[Any]:
    at = 0
    while gap := _BETWEEN_VALUES.match(text, at):
        if gap.end() == len(text):
            return
        value, at = _DECODER.raw_decode(text, gap.end())
        yield from value if isinstance(value, list) else [value]


# --- what the other formats need -----------------------------------------------------

_CALL_ID = re.compile(r"\[CALL_ID\]\w*")
_LONGCAT_KEY = "<longcat_arg_key>"
_BETWEEN_CALLS = {
    "qwen3_coder": re.compile(r"(?<=</function>)\s*(?=<function=)"),
    "kimi_k3": re.compile(r"(?<=<\|close\|>call<\|sep\|>)\s*(?=<\|open\|>call)"),
}


def _single_calls(name: str, text: str) -> list[str]:
    """The section as its parser can take it.

    Some merge the calls of a section or silently skip one, one takes a call's id for its
    name, one fails on a call without arguments.
    """
    if name == "mistral":
        return [_CALL_ID.sub("", text)]
    if name == "longcat" and _LONGCAT_KEY not in text and not text.startswith("{"):
        return [text + _LONGCAT_KEY]
    between = _BETWEEN_CALLS.get(name)
    return between.split(text) if between else [text]


def _tagged(opening: str, closing: str) -> re.Pattern[str]:
    start, end = re.escape(opening), re.escape(closing)
    return re.compile(rf"{start}.*?(?:(?P<end>{end})|\Z)", re.DOTALL)


_JSON_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?P<end>")?', re.DOTALL)
_PYTHON_STRING = re.compile(
    r"""(?P<quote>["'])(?:(?!(?P=quote))[^\\]|\\.)*(?P<end>(?P=quote))?""", re.DOTALL
)
# The texts whose content is free, for each format; the group ``end`` is set when one is over.
_VALUES = {
    "function_gemma": _tagged("<escape>", "<escape>"),
    "gemma4": _tagged('<|"|>', '<|"|>'),
    "glm47": _tagged("<arg_value>", "</arg_value>"),
    "json_tools": _JSON_STRING,
    "kimi_k2": _JSON_STRING,
    "kimi_k3": _tagged("<|open|>argument", "<|close|>argument"),
    "laguna": _tagged("<arg_value>", "</arg_value>"),
    "longcat": _tagged("<longcat_arg_value>", "</longcat_arg_value>"),
    "minicpm5": _tagged("<param ", "</param>"),
    "minimax_m2": _tagged("<parameter name=", "</parameter>"),
    "muse_spark": _tagged("<atem:parameter", "</atem:parameter>"),
    "pythonic": _PYTHON_STRING,
    "qwen3_coder": _tagged("<parameter=", "</parameter>"),
}
