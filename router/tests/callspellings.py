"""How each family spells its calls, where that is one of several ways that its parser reads."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from router.tests.test_callformats import STYLES, Style, tags, typed

Call = tuple[str, dict[str, Any]]


def python(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f'"{key}": {python(v)}' for key, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(python, value)) + "]"
        case str():
            return json.dumps(value, ensure_ascii=False)
    return repr(value)


def pythonic(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={python(value)}' for key, value in arguments.items())})"


def kimi_k3(name: str, arguments: dict[str, Any]) -> str:
    kinds = {str: "string", list: "array", dict: "object", bool: "boolean", type(None): "null"}
    argument = '<|open|>argument key="{key}" type="{kind}"<|sep|>{value}<|close|>argument<|sep|>'
    body = "".join(
        argument.format(key=key, kind=kinds.get(type(value), "number"), value=typed(value))
        for key, value in arguments.items()
    )
    return f'<|open|>call tool="{name}" index="0"<|sep|>{body}<|close|>call<|sep|>'


def muse_spark(name: str, arguments: dict[str, Any]) -> str:
    body = tags('<atem:parameter name="{key}">{value}</atem:parameter>\n', arguments)
    return f'<atem:invoke name="{name}">\n{body}</atem:invoke>'


def kimi_k2(name: str, arguments: dict[str, Any]) -> str:
    body = json.dumps(arguments, ensure_ascii=False)
    return (
        f"<|tool_call_begin|>functions.{name}:0<|tool_call_argument_begin|>{body}<|tool_call_end|>"
    )


def mistral(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}[ARGS]{json.dumps(arguments, ensure_ascii=False)}"


SPELT = STYLES | {
    "kimi_k2": replace(STYLES["kimi_k2"], write=kimi_k2),
    "mistral": replace(STYLES["mistral"], write=mistral),
    "kimi_k3": replace(STYLES["kimi_k3"], write=kimi_k3, between=""),
    "minimax_m2": replace(
        STYLES["minimax_m2"], start="<minimax:tool_call>\n", end="\n</minimax:tool_call>"
    ),
    "muse_spark": Style(
        "<atem:function_calls>\n", "\n</atem:function_calls>", muse_spark, between="\n"
    ),
    "pythonic": replace(STYLES["pythonic"], write=pythonic),
}


def spelt(name: str, *calls: Call) -> str:
    """What stands between the markers of a section of these calls."""
    section = SPELT[name].section(*calls)
    return section[len(STYLES[name].start) : len(section) - len(STYLES[name].end)]
