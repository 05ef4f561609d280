import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.frames import OutputFormat, TokenLogprob
from router.splitter import Segment, Splitter, Verdict

FORMAT = OutputFormat(
    transitions={
        "content": [("<think>", "reasoning"), ("<tool_call>", "tool")],
        "reasoning": [("</think>", "content"), ("<tool_call>", "tool")],
        "tool": [("</tool_call>", "content")],
    },
    control=["<|im_end|>", "<|im_start|>", "<|im|>"],
    tool_parser="json_tools",
)
MARKERS = ["<think>", "</think>", "<tool_call>", "</tool_call>", *FORMAT.control]


def merged(segments: Iterable[Segment]) -> list[tuple[str, str, bool]]:
    """One entry for each run of a kind, whatever the pieces were."""
    runs: list[tuple[str, str, bool]] = []
    for segment in segments:
        if runs and runs[-1][0] == segment.kind and not runs[-1][2]:
            text = runs.pop()[1] + segment.text
        else:
            text = segment.text
        runs.append((segment.kind, text, segment.closes))
    return runs


def split(splitter: Splitter, pieces: Iterable[str]) -> list[tuple[str, str, bool]]:
    fed = [segment for piece in pieces for segment in splitter.feed(piece)]
    return merged([*fed, *splitter.finish()])


def cut(text: str, at: Iterable[int]) -> list[str]:
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in at)})
    return [text[a:b] for a, b in itertools.pairwise(places)]


def judge(section: str) -> Verdict:
    if section.count('"') % 2:
        return "open"
    return "whole" if section.endswith("}") else "broken"


CASES = {
    "plain": ("Hello", [("content", "Hello", False)]),
    "tail_kept": ("is 3 <", [("content", "is 3 <", False)]),
    "near_miss": ("a <tool_cat> b", [("content", "a <tool_cat> b", False)]),
    "restart_in_near_miss": (
        "<tool_<tool_call>x",
        [("content", "<tool_", False), ("tool", "x", False)],
    ),
    "thought": (
        "<think>hm</think>yes",
        [("reasoning", "hm", True), ("content", "yes", False)],
    ),
    "empty_thought": ("<think></think>yes", [("reasoning", "", True), ("content", "yes", False)]),
    "two_calls": (
        "a<tool_call>1</tool_call><tool_call>2</tool_call>",
        [("content", "a", False), ("tool", "1", True), ("tool", "2", True)],
    ),
    "unclosed_call": ("<tool_call>{</tool_cal", [("tool", "{</tool_cal", False)]),
    "call_out_of_a_thought": (
        "<think>hm<tool_call>1</tool_call>",
        [("reasoning", "hm", True), ("tool", "1", True)],
    ),
    "stray_markers": ("a</think>b</tool_call>c", [("content", "abc", False)]),
    "control": ("a<|im_start|>b<|im|>c<|im_end|>", [("content", "abc", False)]),
    "control_in_a_call": ("<tool_call><|im|></tool_call>", [("tool", "<|im|>", True)]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_segments(text: str, expected: list[tuple[str, str, bool]], step: int) -> None:
    pieces = [text[i : i + step] for i in range(0, len(text), step)]
    assert split(Splitter(FORMAT), pieces) == expected


def test_reasoning_open_begins_inside_the_thought() -> None:
    splitter = Splitter(FORMAT, reasoning_open=True)
    assert split(splitter, ["hm", "</think>", "yes"]) == [
        ("reasoning", "hm", True),
        ("content", "yes", False),
    ]


def test_text_flows_and_only_the_possible_marker_waits() -> None:
    splitter = Splitter(FORMAT, stop=("END",))
    assert splitter.feed("is 3 <") == [Segment("content", "is 3 ")]
    assert splitter.feed("4 and E") == [Segment("content", "<4 and ")]
    assert splitter.feed("N") == []
    assert splitter.feed("V") == [Segment("content", "ENV")]
    assert splitter.finish() == []


@pytest.mark.parametrize(
    ("text", "stop", "shown", "stopped"),
    [
        ("one STOP two", ("STOP",), "one ", True),
        ("one STO", ("STOP",), "one STO", False),
        ("one STOSTOP", ("STOP",), "one STO", True),
        ("xabcx", ("b", "abc"), "x", True),
        ("xabx", ("b", "abc"), "xa", True),
        ("a\n\nb", ("\n\n", "\n"), "a", True),
        ("ab<|im|>", ("",), "ab", False),
        ("a<think>b", ("<think>",), "a", True),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 100])
def test_stop_strings(
    text: str, stop: tuple[str, ...], shown: str, stopped: bool, step: int
) -> None:
    splitter = Splitter(FORMAT, stop=stop)
    pieces = [text[i : i + step] for i in range(0, len(text), step)]
    assert split(splitter, pieces) == [("content", shown, False)]
    assert splitter.stopped is stopped
    if stopped:
        assert splitter.feed("more") == []
        assert splitter.finish() == []


def test_stop_strings_count_in_visible_content_only() -> None:
    splitter = Splitter(FORMAT, stop=("STOP",))
    text = "<think>STOP</think><tool_call>STOP</tool_call>STOP!"
    assert split(splitter, [text]) == [("reasoning", "STOP", True), ("tool", "STOP", True)]
    assert splitter.stopped


def test_a_format_without_an_end_marker_runs_to_the_end() -> None:
    mistral = OutputFormat(
        transitions={"content": [("[TOOL_CALLS]", "tool")], "tool": [("", "content")]},
        control=["[ARGS]", ""],
    )
    assert split(Splitter(mistral), "hi[TOOL_CALLS]f[ARGS]{}") == [
        ("content", "hi", False),
        ("tool", "f[ARGS]{}", False),
    ]


def test_text_of_other_states_is_dropped() -> None:
    headed = OutputFormat(
        transitions={
            "content": [("<|eom|>", "header")],
            "header": [("to=self<|msg|>", "reasoning"), ("to=user<|msg|>", "content")],
            "reasoning": [("<|eom|>", "header")],
        },
    )
    text = "a<|eom|>assistant to=self<|msg|>b<|eom|>assistant to=user<|msg|>c"
    assert split(Splitter(headed), text) == [
        ("content", "a", False),
        ("reasoning", "b", True),
        ("content", "c", False),
    ]


SECTIONS = {
    "marker_in_a_string": (
        '<tool_call>{"a</tool_call>b"}</tool_call>c',
        [("tool", '{"a</tool_call>b"}', True), ("content", "c", False)],
    ),
    "twice": (
        '<tool_call>{"a</tool_call></tool_call>"}</tool_call>',
        [("tool", '{"a</tool_call></tool_call>"}', True)],
    ),
    "whole_without_its_own_end": (
        '<tool_call>{"a</tool_call>b"}',
        [("tool", '{"a</tool_call>b"}', False)],
    ),
    "never_closed": (
        '<tool_call>{"a</tool_call>b<tool_call>{}</tool_call>',
        [("tool", '{"a', True), ("content", "b", False), ("tool", "{}", True)],
    ),
    "junk_after_all": (
        '<tool_call>{"a</tool_call>b"<think>c</think><tool_call>"x"</tool_call>',
        [
            ("tool", '{"a', True),
            ("content", 'b"', False),
            ("reasoning", "c", True),
            ("tool", '"x"', True),
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), SECTIONS.values(), ids=SECTIONS)
@pytest.mark.parametrize("step", [1, 5, 100])
def test_judged_sections(text: str, expected: list[tuple[str, str, bool]], step: int) -> None:
    pieces = [text[i : i + step] for i in range(0, len(text), step)]
    assert split(Splitter(FORMAT, judge=judge), pieces) == expected


def test_reasoning_tokens() -> None:
    splitter = Splitter(FORMAT)
    for text, tokens in [("a", 1), ("<think>", 1), ("b", 2), ("c", 3), ("</think>", 1), ("d", 1)]:
        splitter.feed(text, tokens)
    assert splitter.reasoning_tokens == 6


def entry(text: str) -> TokenLogprob:
    return TokenLogprob(text, -0.5, text.encode())


def shown_tokens(splitter: Splitter, pieces: list[str]) -> list[tuple[str, str]]:
    segments = [s for piece in pieces for s in splitter.feed(piece, 1, [entry(piece)])]
    return [
        (segment.text, "|".join(logprob.token for logprob in segment.logprobs))
        for segment in [*segments, *splitter.finish()]
    ]


def test_logprobs_leave_with_the_end_of_their_text() -> None:
    assert shown_tokens(Splitter(FORMAT), ["a", " <", "b"]) == [
        ("a", "a"),
        (" ", ""),
        ("<b", " <|b"),
    ]


def test_logprobs_of_markers_thoughts_and_calls_are_not_shown() -> None:
    pieces = ["a", "b<th", "ink>", "c", "</think>d", "e", "<tool_call>", "f", "</tool_call>", "g"]
    tokens = [token for text, token in shown_tokens(Splitter(FORMAT), pieces) if token]
    assert tokens == ["a", "e", "g"]


def test_logprobs_without_text_wait_for_the_next_text() -> None:
    splitter = Splitter(FORMAT)
    assert splitter.feed("", 1, [entry("\ufffd")]) == []
    assert splitter.feed("é", 1, [entry("é")]) == [
        Segment("content", "é", (entry("\ufffd"), entry("é")))
    ]


def test_logprobs_keep_their_place_after_going_back() -> None:
    splitter = Splitter(FORMAT, judge=judge)
    pieces = ["<tool_call>", '{"', "</tool_call>", "b", '"', "</tool_call>", "c", "d"]
    assert [pair for pair in shown_tokens(splitter, pieces) if pair[1]] == [("c", "c"), ("d", "d")]


soup = st.lists(
    st.sampled_from([*MARKERS, "<", "</", "<tool_", "STOP", "ST", "OP", 'a"b', "é ", "\n", "{}"]),
    max_size=14,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(soup, st.lists(st.integers(0, 500), max_size=40), st.booleans(), st.booleans())
def test_the_cut_of_the_pieces_does_not_matter(
    text: str, at: list[int], reasoning_open: bool, judged: bool
) -> None:
    def fresh() -> Splitter:
        return Splitter(
            FORMAT,
            stop=("STOP", "OPST"),
            reasoning_open=reasoning_open,
            judge=judge if judged else None,
        )

    whole, pieces = fresh(), fresh()
    assert split(whole, [text]) == split(pieces, cut(text, at))
    assert whole.stopped == pieces.stopped


safe = st.text(alphabet="ab <>/|_\n{}", max_size=8).filter(lambda t: "<" not in t)
parts = st.lists(
    st.tuples(st.sampled_from(["content", "reasoning", "tool"]), safe.filter(bool)), max_size=6
)
WRAPPERS = {
    "content": ("", ""),
    "reasoning": ("<think>", "</think>"),
    "tool": ("<tool_call>", "</tool_call>"),
}


@settings(max_examples=100, deadline=None)
@given(parts, st.lists(st.integers(0, 200), max_size=20))
def test_what_was_written_is_what_comes_out(parts: list[tuple[str, str]], at: list[int]) -> None:
    text = "".join(WRAPPERS[kind][0] + inner + WRAPPERS[kind][1] for kind, inner in parts)
    written = merged(
        Segment(kind, inner, closes=kind != "content")  # type: ignore[arg-type]
        for kind, inner in parts
    )
    assert split(Splitter(FORMAT), cut(text, at)) == written


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="<thinkSTOP>/", max_size=40), st.integers(1, 5))
def test_never_more_is_held_back_than_the_longest_marker(text: str, step: int) -> None:
    splitter = Splitter(FORMAT, stop=("STOP",))
    longest = max(map(len, MARKERS))
    shown = 0
    for start in range(0, len(text), step):
        piece = text[start : start + step]
        shown += sum(len(segment.text) for segment in splitter.feed(piece))
    rest = sum(len(segment.text) for segment in splitter.finish())
    assert rest < longest


def test_many_bad_sections_take_linear_time() -> None:
    splitter = Splitter(FORMAT, judge=judge)
    asked = 0

    def counting(section: str) -> Verdict:
        nonlocal asked
        asked += 1
        return judge(section)

    splitter = Splitter(FORMAT, judge=counting)
    section = '<tool_call>"</tool_call><tool_call>""</tool_call>'
    split(splitter, [section] * 200)
    assert asked <= 402
