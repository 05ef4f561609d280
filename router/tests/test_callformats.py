"""Every call format of mlx-lm, from text in pieces to events."""

import itertools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.events import Finish, ReasoningDelta, TextDelta, ToolCallDelta, ToolCallStart
from router.frames import OutputFormat
from router.toolcalls import Assembler

META = {
    "type": "object",
    "properties": {"count": {"type": "integer"}, "draft": {"type": "boolean"}},
    "required": ["count"],
}
NOTE = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "body": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "meta": {"$ref": "#/$defs/meta"},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["title"],
    "additionalProperties": False,
    "$defs": {"meta": META},
}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "save_note", "parameters": NOTE}},
    {"type": "function", "function": {"name": "get_time"}},
]


@dataclass
class Answer:
    calls: list[tuple[str, Any]]
    text: str
    reasoning: str
    order: str
    finish: str
    malformed: int


def assemble(
    name: str, pieces: Iterable[str], reason: Literal["stop", "length"] = "stop"
) -> Answer:
    style = STYLES[name]
    format = OutputFormat(
        transitions={
            "content": [("<think>", "reasoning"), (style.start, "tool")],
            "reasoning": [("</think>", "content")],
            "tool": [(style.end, "content")],
        },
        tool_parser=name,
    )
    assembler = Assembler(format, TOOLS)
    events = [event for piece in pieces for event in assembler.feed(piece)]
    events += assembler.finish(reason)
    letters = {TextDelta: "T", ReasoningDelta: "R", ToolCallStart: "C", Finish: "F"}
    order = "".join(letters.get(type(event), "") for event in events)
    arguments = ["" for event in events if isinstance(event, ToolCallStart)]
    for event in events:
        if isinstance(event, ToolCallDelta):
            arguments[event.index] += event.arguments
    names = [event.name for event in events if isinstance(event, ToolCallStart)]
    return Answer(
        calls=[(name, json.loads(given)) for name, given in zip(names, arguments, strict=True)],
        text="".join(event.text for event in events if isinstance(event, TextDelta)),
        reasoning="".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        order=re.sub(r"(T|R)\1+", r"\1", order),
        finish=events[-1].reason if isinstance(events[-1], Finish) else "",
        malformed=assembler.malformed,
    )


TRICKY = 'first "quoted"\n\tit\'s {a} [b] \\n <c> & é 🦊'
NESTED = {
    "title": TRICKY,
    "body": "75001",
    "tags": ["a, b", 'c"}'],
    "meta": {"count": 2, "draft": True},
    "limit": None,
}


def typed(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tags(template: str, arguments: dict[str, Any]) -> str:
    return "".join(template.format(key=key, value=typed(value)) for key, value in arguments.items())


def gemma(value: object, quote: str) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{k}:{gemma(v, quote)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(gemma(v, quote) for v in value) + "]"
        case str():
            return f"{quote}{value}{quote}"
    return json.dumps(value)


def pythonic(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def qwen(name: str, arguments: dict[str, Any]) -> str:
    body = tags("<parameter={key}>\n{value}\n</parameter>\n", arguments)
    return f"\n<function={name}>\n{body}</function>\n"


def glm(name: str, arguments: dict[str, Any], tag: str = "arg") -> str:
    pair = f"<{tag}_key>{{key}}</{tag}_key>\n<{tag}_value>{{value}}</{tag}_value>\n"
    return f"{name}\n{tags(pair, arguments)}"


def kimi_k3(name: str, arguments: dict[str, Any]) -> str:
    body = "".join(
        f'<|open|>argument key="{key}" type="{kind}"<|sep|>{typed(value)}<|close|>argument<|sep|>'
        for key, value in arguments.items()
        for kind in ["string" if isinstance(value, str) else "json"]
    )
    return f'<|open|>call tool="{name}" index="1"<|sep|>{body}<|close|>call<|sep|>'


@dataclass
class Style:
    """How one format writes calls: the markers, one call, and whether a section holds many."""

    start: str
    end: str
    write: Callable[[str, dict[str, Any]], str]
    between: str | None = None
    nested: bool = True

    def section(self, *calls: tuple[str, dict[str, Any]]) -> str:
        written = [self.write(name, arguments) for name, arguments in calls]
        if self.between is None:
            return "\n".join(f"{self.start}{call}{self.end}" for call in written)
        brackets = ("[", "]") if self.between == ", " else ("", "")
        return f"{self.start}{brackets[0]}{self.between.join(written)}{brackets[1]}{self.end}"


def dumped(name: str, arguments: dict[str, Any]) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


STYLES = {
    "function_gemma": Style(
        "<start_function_call>",
        "<end_function_call>",
        lambda name, arguments: f"call:{name}" + gemma(arguments, "<escape>"),
        nested=False,
    ),
    "gemma4": Style(
        "<|tool_call>",
        "<tool_call|>",
        lambda name, arguments: f"call:{name}" + gemma(arguments, '<|"|>'),
    ),
    "glm47": Style("<tool_call>", "</tool_call>", glm),
    "json_tools": Style("<tool_call>", "</tool_call>", lambda *call: f"\n{dumped(*call)}\n"),
    "kimi_k2": Style(
        "<|tool_calls_section_begin|>",
        "<|tool_calls_section_end|>",
        lambda name, arguments: (
            f"<|tool_call_begin|>functions.{name}:0<|tool_call_argument_begin|>"
            f"{json.dumps(arguments)}<|tool_call_end|>"
        ),
        between="",
    ),
    "kimi_k3": Style("<|open|>tools<|sep|>", "<|close|>tools<|sep|>", kimi_k3, between="\n"),
    "laguna": Style("<tool_call>", "</tool_call>", glm),
    "longcat": Style(
        "<longcat_tool_call>",
        "</longcat_tool_call>",
        lambda name, arguments: glm(name, arguments, "longcat_arg"),
    ),
    "minicpm5": Style(
        "<function name=",
        "</function>",
        lambda name, arguments: (
            f'"{name}">' + tags('<param name="{key}"><![CDATA[{value}]]></param>', arguments)
        ),
    ),
    "minimax_m2": Style(
        "<minimax:tool_call>",
        "</minimax:tool_call>",
        lambda name, arguments: (
            f'<invoke name="{name}">\n'
            + tags('<parameter name="{key}">{value}</parameter>\n', arguments)
            + "</invoke>"
        ),
        between="\n",
    ),
    "mistral": Style(
        "[TOOL_CALLS]",
        "",
        lambda name, arguments: f"{name}[ARGS]{json.dumps(arguments)}",
        between="[TOOL_CALLS]",
    ),
    "muse_spark": Style(
        "<atem:function_calls>",
        "</atem:function_calls>",
        lambda name, arguments: (
            f'<atem:invoke name="{name}">'
            + tags('<atem:parameter name="{key}">{value}</atem:parameter>', arguments)
            + "</atem:invoke>"
        ),
        between="",
    ),
    "pythonic": Style("<|tool_call_start|>", "<|tool_call_end|>", pythonic, between=", "),
    "qwen3_coder": Style("<tool_call>", "</tool_call>", qwen),
}


def arguments_for(style: Style) -> dict[str, Any]:
    if style.nested:
        return NESTED
    return {"title": TRICKY.replace("{a}", ""), "body": "75001", "limit": 12}


def test_every_format_of_mlx_lm_is_tried_here() -> None:
    [package] = find_spec("mlx_lm").submodule_search_locations  # type: ignore[union-attr, misc]
    modules = {path.stem for path in (Path(package) / "tool_parsers").glob("*.py")}
    assert modules - {"__init__"} == STYLES.keys()


@pytest.mark.parametrize("name", STYLES)
@settings(max_examples=12, deadline=None)
@given(at=st.lists(st.integers(0, 2000), max_size=40))
def test_two_calls(name: str, at: list[int]) -> None:
    style = STYLES[name]
    arguments = arguments_for(style)
    section = style.section(("save_note", arguments), ("get_time", {}))
    text = f"<think>\nhm\n</think>\n\nOne moment.\n{section}"
    places = sorted({0, len(text), *(place % len(text) for place in at)})
    for pieces in ([text], list(text), [text[a:b] for a, b in itertools.pairwise(places)]):
        answer = assemble(name, pieces)
        assert answer.calls == [("save_note", arguments), ("get_time", {})]
        assert (answer.order, answer.text, answer.reasoning) == ("RTCCF", "One moment.", "hm")
        assert (answer.finish, answer.malformed) == ("tool_calls", 0)


# The parser of minicpm5 takes the first </function> for the end, wherever it stands.
@pytest.mark.parametrize("name", [name for name in STYLES if name != "minicpm5"])
@pytest.mark.parametrize("step", [1, 1000])
def test_the_end_marker_inside_a_string(name: str, step: int) -> None:
    style = STYLES[name]
    arguments = {"title": f"see {style.end or style.start} there"}
    text = style.section(("save_note", arguments), ("get_time", {})) + "\n"
    pieces = [text[i : i + step] for i in range(0, len(text), step)]
    answer = assemble(name, pieces)
    assert answer.calls == [("save_note", arguments), ("get_time", {})]
    assert (answer.order, answer.malformed) == ("CCF", 0)


@pytest.mark.parametrize("name", STYLES)
@settings(max_examples=12, deadline=None)
@given(share=st.floats(0, 1), reason=st.sampled_from(["stop", "length"]))
def test_a_call_that_breaks_off(name: str, share: float, reason: Literal["stop", "length"]) -> None:
    """A model may forget the end of a call, but one that was cut off is never sent."""
    style = STYLES[name]
    section = style.section(("save_note", arguments_for(style)))
    text = section[: len(style.start) + int(share * (len(section) - len(style.start)))]
    answer = assemble(name, text, reason)
    if reason == "stop":
        assert len(answer.calls) + answer.malformed <= 1
        assert answer.finish == ("tool_calls" if answer.calls else "stop")
    elif len(text) < len(section):
        assert (answer.order, answer.finish) == ("F", "length")
