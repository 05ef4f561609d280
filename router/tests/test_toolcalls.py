import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from router.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
)
from router.frames import OutputFormat, TokenLogprob
from router.toolcalls import Assembler

NOTE = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["title"],
    "additionalProperties": False,
}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "save_note", "parameters": NOTE}},
    {"type": "function", "function": {"name": "get_time"}},
]


HERMES = OutputFormat(
    transitions={
        "content": [("<think>", "reasoning"), ("<tool_call>", "tool")],
        "reasoning": [("</think>", "content")],
        "tool": [("</tool_call>", "content")],
    },
    control=["<|im_end|>"],
    tool_parser="json_tools",
)


def dumped(name: str, arguments: dict[str, Any]) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


@dataclass
class Answer:
    """The events of one sequence, put together as a client does it."""

    events: list[Event]
    malformed: int = 0
    reasoning_tokens: int = 0

    @property
    def text(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, TextDelta))

    @property
    def reasoning(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, ReasoningDelta))

    @property
    def calls(self) -> list[tuple[str, Any]]:
        starts = [e for e in self.events if isinstance(e, ToolCallStart)]
        return [(start.name, json.loads(self.arguments(start.index))) for start in starts]

    @property
    def finish(self) -> str:
        [finish] = [e for e in self.events if isinstance(e, Finish)]
        assert self.events[-1] is finish
        return finish.reason

    @property
    def order(self) -> str:
        """T text, R reasoning, C call: each run once."""
        letters = {TextDelta: "T", ReasoningDelta: "R", ToolCallStart: "C"}
        runs = "".join(letters.get(type(event), "") for event in self.events)
        return re.sub(r"(T|R)\1+", r"\1", runs)

    def arguments(self, index: int) -> str:
        parts = [e for e in self.events if isinstance(e, ToolCallDelta) and e.index == index]
        return "".join(part.arguments for part in parts)

    @property
    def meaning(self) -> tuple[object, ...]:
        return (self.text, self.reasoning, self.calls, self.order, self.finish, self.malformed)


def assemble(
    pieces: Iterable[str],
    *,
    format: OutputFormat = HERMES,
    tools: list[dict[str, Any]] = TOOLS,
    reason: Literal["stop", "length"] = "stop",
    **options: Any,
) -> Answer:
    """What a caller does: feed until done, then finish."""
    assembler = Assembler(format, tools, **options)
    events: list[Event] = []
    for piece in pieces:
        events += assembler.feed(piece)
        if assembler.done:
            reason = "stop"
            break
    events += assembler.finish(reason)
    return Answer(events, assembler.malformed, assembler.reasoning_tokens)


# --- text, reasoning, whitespace -------------------------------------------------------

GET_TIME = '{"name": "get_time"}'
CALL = f"<tool_call>{GET_TIME}</tool_call>"
TEXTS = {
    "plain": ("Hello", "T", "Hello", ""),
    "tail_kept": ("is 3 <", "T", "is 3 <", ""),
    "trailing_space": ("Hello \n", "T", "Hello \n", ""),
    "leading_space": ("\n Hello", "T", "\n Hello", ""),
    "only_space": (" \n", "T", " \n", ""),
    "empty": ("", "", "", ""),
    "thought": ("<think>\n hm \n</think>\n\n  Yes\n", "RT", "  Yes\n", " hm"),
    "only_a_thought": ("<think>hm</think>\n\n", "R", "", "hm"),
    "empty_thought": ("<think>\n\n</think>\n\nYes", "T", "Yes", ""),
    "thought_not_closed": ("<think>hm\n", "R", "", "hm"),
    "two_thoughts": ("<think>a</think>b\n<think>c</think>\nd", "RTRT", "b\n\nd", "ac"),
    "call": (f"\n{CALL}\n", "C", "", ""),
    "text_before": (f"Let me see.\n\n{CALL}\n", "TC", "Let me see.", ""),
    "text_behind": (f"{CALL}\nDone.\n", "CT", "Done.\n", ""),
    "text_around": (f"a \n{CALL}\nb", "TCT", "a\nb", ""),
    "text_between": (f"{CALL}\na\n{CALL}", "CTC", "a", ""),
    "space_between": (f"{CALL}\n\n{CALL}", "CC", "", ""),
    "thought_and_call": (f"<think>hm</think>\n\n{CALL}", "RC", "", "hm"),
}


@pytest.mark.parametrize(("text", "order", "shown", "thought"), TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_text(text: str, order: str, shown: str, thought: str, step: int) -> None:
    answer = assemble(text[i : i + step] for i in range(0, len(text), step))
    assert (answer.order, answer.text, answer.reasoning) == (order, shown, thought)
    assert answer.finish == ("tool_calls" if "C" in order else "stop")


def test_deltas_are_never_empty() -> None:
    answer = assemble(f"<think>\n\n</think>\n\n{CALL}\n\n")
    assert [type(event) for event in answer.events] == [ToolCallStart, ToolCallDelta, Finish]


def test_reasoning_tokens() -> None:
    answer = assemble(["a", "b", "</think>", "c"], reasoning_open=True)
    assert (answer.reasoning, answer.text, answer.reasoning_tokens) == ("ab", "c", 3)


def test_stop_string_ends_the_answer() -> None:
    assembler = Assembler(HERMES, TOOLS, stop=("STOP",))
    events = assembler.feed("a S") + assembler.feed("TOP b")
    assert assembler.done
    assert assembler.feed("c") == []
    answer = Answer(events + assembler.finish("stop"))
    assert (answer.text, answer.finish) == ("a ", "stop")


# --- calls ----------------------------------------------------------------------------


def test_a_call_is_streamed_in_pieces_that_join_to_its_json() -> None:
    arguments = {"title": "é" * 400}
    answer = assemble(f"<tool_call>{dumped('save_note', arguments)}</tool_call>")
    start, *deltas, _ = answer.events
    assert isinstance(start, ToolCallStart)
    assert re.fullmatch(r"call_[0-9A-Za-z]{24}", start.id)
    assert all(
        0 < len(delta.arguments) <= 64 for delta in deltas if isinstance(delta, ToolCallDelta)
    )
    assert len(deltas) == 7
    assert answer.arguments(0) == json.dumps(arguments, ensure_ascii=False)


def test_ids_are_unique_and_indices_count_up() -> None:
    answer = assemble(CALL * 3)
    starts = [event for event in answer.events if isinstance(event, ToolCallStart)]
    assert [start.index for start in starts] == [0, 1, 2]
    assert len({start.id for start in starts}) == 3


def test_a_call_without_arguments_has_an_empty_object() -> None:
    assert assemble(CALL).arguments(0) == "{}"


def test_types_are_put_right() -> None:
    text = dumped("save_note", {"title": 5, "tags": '["a"]', "limit": "5"})
    answer = assemble(f"<tool_call>{text}</tool_call>")
    assert answer.calls == [("save_note", {"title": "5", "tags": ["a"], "limit": 5})]


REFUSED = {
    "junk": "I will call it",
    "another_name": '{"name": "other", "arguments": {}}',
    "missing": '{"name": "save_note", "arguments": {}}',
    "surplus": '{"name": "save_note", "arguments": {"title": "a", "x": 1}}',
    "string_without_end": '{"name": "save_note", "arguments": {"title": "a}}',
}


@pytest.mark.parametrize("inner", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("step", [1, 1000])
def test_a_call_that_cannot_be_used_becomes_text(inner: str, closed: bool, step: int) -> None:
    text = f"Well.\n<tool_call>{inner}" + (f"</tool_call>\n{CALL}\nok" if closed else "")
    answer = assemble(text[i : i + step] for i in range(0, len(text), step))
    assert answer.malformed == 1
    if closed:
        assert (answer.text, answer.order) == (f"Well.\n{inner}\nok", "TCT")
    else:
        assert (answer.text, answer.finish) == (f"Well.\n{inner}", "stop")


def test_good_calls_of_a_section_leave_beside_a_bad_one() -> None:
    answer = assemble('<tool_call>[{"name": "get_time"}, {"name": "other"}]</tool_call>')
    assert answer.calls == [("get_time", {})]
    assert (answer.text, answer.malformed) == ('{"name": "other", "arguments": {}}', 1)


def test_a_model_may_end_without_the_end_marker() -> None:
    assert assemble('<tool_call>{"name": "get_time"').calls == [("get_time", {})]


def test_a_call_that_was_cut_off_leaves_no_trace() -> None:
    answer = assemble(f'a {CALL}<tool_call>{{"name": "get_time"', reason="length")
    assert (answer.text, answer.calls, answer.finish) == ("a", [("get_time", {})], "length")
    assert answer.malformed == 0


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("step", [1, 1000])
def test_without_tools_markup_is_text(bare: bool, step: int) -> None:
    text = f'a {CALL} {{"name": "get_time"}}\n```json\n{{"name": "get_time"}}\n```</tool_call>'
    pieces = [text[i : i + step] for i in range(0, len(text), step)]
    listed = OutputFormat(
        HERMES.transitions, control=["<tool_call>", "<|im_end|>"], tool_parser="json_tools"
    )
    answer = assemble(
        ["<think>hm</think>", *pieces, "<|im_end|>"], format=listed, tools=[], bare=bare
    )
    assert (answer.text, answer.reasoning, answer.finish) == (text, "hm", "stop")


@pytest.mark.parametrize(
    "text",
    [
        f"a{CALL}b{CALL}",
        f"<tool_call>{GET_TIME}\n{GET_TIME}</tool_call>b",
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_without_parallel_calls_the_first_is_the_last(text: str, step: int) -> None:
    answer = assemble((text[i : i + step] for i in range(0, len(text), step)), parallel=False)
    assert answer.calls == [("get_time", {})]
    assert "b" not in answer.text
    assert answer.finish == "tool_calls"


# --- bare calls -------------------------------------------------------------------------

BARE = '{"name": "get_time", "arguments": {}}'


@pytest.mark.parametrize(
    "text", [BARE, f"\n{BARE}\n", f"```json\n{BARE}\n```\n", f"{BARE}</tool_call>"]
)
@pytest.mark.parametrize("step", [1, 1000])
def test_bare_calls(text: str, step: int) -> None:
    answer = assemble(text[i : i + step] for i in range(0, len(text), step))
    assert answer.meaning == ("", "", [("get_time", {})], "C", "tool_calls", 0)


def test_bare_calls_of_a_model_without_a_format() -> None:
    answer = assemble(f"Let me see.\n{BARE}\n", format=OutputFormat())
    assert (answer.text, answer.calls) == ("Let me see.", [("get_time", {})])


def test_bare_calls_can_be_left_alone() -> None:
    assert assemble(BARE, bare=False).text == BARE


def test_a_bare_call_that_does_not_validate_is_text() -> None:
    text = dumped("save_note", {})
    answer = assemble(f"{text}\nok")
    assert (answer.text, answer.malformed) == (f"{text}\nok", 1)


def test_a_bare_call_that_was_cut_off_leaves_no_trace() -> None:
    assert assemble(BARE[:-2], reason="length").meaning == ("", "", [], "", "length", 0)


def test_a_bare_call_is_decided_when_another_begins() -> None:
    assert assemble(f"{BARE[:-1]}{CALL}").calls == [("get_time", {}), ("get_time", {})]


def test_a_json_answer_streams_while_tools_are_offered() -> None:
    assembler = Assembler(HERMES, TOOLS)
    assert assembler.feed('{"city"') == [TextDelta('{"city"')]
    assert assembler.feed(': "Paris"') == [TextDelta(': "Paris"')]


# --- logprobs ---------------------------------------------------------------------------


def logprob(text: str) -> TokenLogprob:
    return TokenLogprob(text, -1.0, text.encode())


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["Hel", "lo", " ", "you", "\n"], "Hello you\n"),
        (["<think>", "a", "</think>", "\n\n", "Yes"], "Yes"),
        (["a", "\n", "<tool_call>", '{"name": "get_time"}', "</tool_call>", "\n"], "a"),
        (['{"na', 'me": ', "5}"], '{"name": 5}'),
        (["a", "\n", BARE, "\n", "b"], "a\nb"),
    ],
)
def test_logprobs_are_those_of_the_text(pieces: list[str], shown: str) -> None:
    assembler = Assembler(HERMES, TOOLS)
    fed = [event for piece in pieces for event in assembler.feed(piece, 1, [logprob(piece)])]
    deltas = [e for e in [*fed, *assembler.finish("stop")] if isinstance(e, TextDelta)]
    assert "".join(delta.text for delta in deltas) == shown
    assert "".join(entry.token for delta in deltas for entry in delta.logprobs) == shown


# --- whatever the model says ------------------------------------------------------------

FRAGMENTS = [
    *(
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "<|im_end|>",
        "<tool",
        "STOP",
        "ST",
        "OP",
    ),
    *(
        CALL,
        BARE,
        "```json\n",
        "```",
        "\n",
        " ",
        "text",
        '"',
        "{",
        "}",
        '{"name": "',
        "get_time",
        "é",
    ),
    dumped("save_note", {"title": "</tool_call>"}),
]
soup = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(
    text=soup,
    at=st.lists(st.integers(0, 400), max_size=30),
    reason=st.sampled_from(["stop", "length"]),
    reasoning_open=st.booleans(),
    tools=st.sampled_from([TOOLS, []]),
)
def test_the_cut_of_the_pieces_does_not_matter(
    text: str,
    at: list[int],
    reason: Literal["stop", "length"],
    reasoning_open: bool,
    tools: list[dict[str, Any]],
) -> None:
    def answer(pieces: Iterable[str]) -> Answer:
        options: Any = {"reasoning_open": reasoning_open, "tools": tools, "stop": ("STOP",)}
        return assemble(pieces, reason=reason, **options)

    places = sorted({0, len(text), *(place % (len(text) + 1) for place in at)})
    whole = answer([text])
    assert answer([text[a:b] for a, b in itertools.pairwise(places)]).meaning == whole.meaning
    assert all(
        event.text for event in whole.events if isinstance(event, TextDelta | ReasoningDelta)
    )
    schemas = {"get_time": {}, "save_note": NOTE}
    for name, arguments in whole.calls:
        assert Draft202012Validator(schemas[name]).is_valid(arguments)
