import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from router.barecall import BareCall, BareCalls
from router.toolformats import RawCall

NAMES = ("get", "get_weather")
PARIS = RawCall("get_weather", {"city": "Paris"})
CALL = '{"name": "get_weather", "arguments": {"city": "Paris"}}'


def sift(pieces: Iterable[str], *, cut: bool = False) -> list[str | BareCall]:
    """Everything that comes out, neighbouring texts joined."""
    bare = BareCalls(NAMES)
    found = [item for piece in pieces for item in bare.feed(piece)] + bare.finish(cut=cut)
    joined: list[str | BareCall] = []
    for item in found:
        if isinstance(item, str) and joined and isinstance(joined[-1], str):
            joined[-1] += item
        else:
            joined.append(item)
    return joined


def raw(found: Iterable[str | BareCall]) -> str:
    return "".join(item if isinstance(item, str) else item.raw for item in found)


CALLS = {
    "plain": CALL,
    "indented": f"  {CALL}",
    "parameters": CALL.replace("arguments", "parameters"),
    "function": '{"function": "get_weather", "arguments": {"city": "Paris"}}',
    "type_first": '{"type": "function", "name": "get_weather", "parameters": {"city": "Paris"}}',
    "arguments_first": '{"arguments": {"city": "Paris"}, "name": "get_weather"}',
    "nested": '{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}',
    "list": f"[{CALL}]",
    "pretty": json.dumps(json.loads(CALL), indent=2),
    "fence": f"```json\n{CALL}\n```",
    "fence_without_language": f"```\n{CALL}\n```",
    "fenced_list": f"```tool_call\n[\n{CALL}\n]```",
    "not_closed": CALL[:-2],
    "fence_not_closed": f"```json\n{CALL}\n",
}


@pytest.mark.parametrize("text", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_calls(text: str, step: int) -> None:
    pieces = [text[i : i + step] for i in range(0, len(text), step)]
    assert sift(pieces) == [BareCall(text, (PARIS,))]


def test_calls_among_text() -> None:
    assert sift(f"One moment.\n{CALL}\nDone.") == [
        "One moment.\n",
        BareCall(CALL, (PARIS,)),
        "\nDone.",
    ]


@pytest.mark.parametrize("between", ["", "\n", "  "])
def test_one_call_after_another(between: str) -> None:
    [first, *_, last] = sift(CALL + between + CALL)
    assert [first, last] == [
        BareCall(CALL, (PARIS,)),
        BareCall(between.strip("\n") + CALL, (PARIS,)),
    ]


def test_several_calls_in_a_list_or_a_fence() -> None:
    for text in (f"[{CALL}, {CALL}]", f"```json\n{CALL}\n{CALL}\n```"):
        assert sift(text) == [BareCall(text, (PARIS, PARIS))]


def test_brackets_and_quotes_inside_strings() -> None:
    arguments = {"city": 'a "}]" \\ {[ ``` \n'}
    text = json.dumps({"name": "get_weather", "arguments": arguments})
    assert sift(text) == [BareCall(text, (RawCall("get_weather", arguments),))]


NO_CALLS = {
    "prose": "Hello",
    "json_answer": '{"city": "Paris"}',
    "other_name": '{"name": "Alice", "arguments": {}}',
    "longer_name": '{"name": "get_weather_now", "arguments": {}}',
    "shorter_name": '{"name": "ge", "arguments": {}}',
    "other_keys": '{"name": "get_weather", "description": "Weather of a city"}',
    "description": '{"type": "function", "function": {"name": "get", "description": "?"}}',
    "no_name": '{"arguments": {"city": "Paris"}}',
    "one_of_two": f'[{CALL}, {{"name": "other", "arguments": {{}}}}]',
    "arguments_of_another_type": '{"name": "get_weather", "arguments": 5}',
    "inside_a_line": f"Use {CALL}",
    "code": "```python\nprint(1)\n```",
    "json_code": '```json\n{"city": "Paris"}\n```',
    "fence_with_prose": f"```json\n{CALL}\nas above\n```",
    "empty_fence": "```\n```",
    "list_of_numbers": "[1, 2]",
    "half_a_key": '{"na',
    "half_a_name": '{"name": "get_wea',
    "empty_lines": "\n\n \n",
}


@pytest.mark.parametrize("text", NO_CALLS.values(), ids=NO_CALLS)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_text_that_is_no_call(text: str, step: int) -> None:
    assert sift(text[i : i + step] for i in range(0, len(text), step)) == [text]


@pytest.mark.parametrize(
    ("text", "disproof"),
    [
        ('{"city', '{"c'),
        ('{"name": "Alice', '{"name": "A'),
        ("```python", "```p"),
        ('```json\n{"x', '```json\n{"x'),
        ("[1", "[1"),
        ("  indented", "  i"),
        ('{"type": "object', '{"type": "o'),
    ],
)
def test_text_is_let_go_as_soon_as_it_can_be_no_call(text: str, disproof: str) -> None:
    bare = BareCalls(NAMES)
    fed = list(itertools.takewhile(lambda n: not bare.feed(text[n]), range(len(text))))
    assert text[: len(fed) + 1] == disproof


def test_text_before_a_candidate_does_not_wait() -> None:
    bare = BareCalls(NAMES)
    assert bare.feed('Hello\n{"na') == ["Hello\n"]


def test_half_a_call_is_no_call_when_the_answer_was_cut_off() -> None:
    assert sift(CALL[:-2], cut=True) == [BareCall(CALL[:-2])]
    assert sift('{"name": "get_wea', cut=True) == ['{"name": "get_wea']


FRAGMENTS = [
    *(
        '{"name": "get_weather"',
        '{"name": "',
        "get",
        '"',
        ', "arguments": {',
        "}",
        "}}",
        "[",
        "]",
        ",",
        " ",
    ),
    *(
        '{"type": "function"',
        '"function": {',
        "```",
        "```json\n",
        "\n",
        "text",
        "\\",
        CALL,
        '{"a": 1}',
    ),
]
soup = st.lists(st.sampled_from(FRAGMENTS), max_size=10).map("".join)


@settings(max_examples=150, deadline=None)
@given(soup, st.lists(st.integers(0, 300), max_size=30), st.booleans())
@example(f"```json\n{CALL}", [], False)
def test_the_cut_of_the_pieces_does_not_matter_and_nothing_is_lost(
    text: str, at: list[int], cut: bool
) -> None:
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in at)})
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    found = sift(pieces, cut=cut)
    assert found == sift([text], cut=cut)
    assert raw(found) == text


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='{}[]"`:\n gname', max_size=60))
def test_text_without_a_call_comes_out_as_it_went_in(text: str) -> None:
    assert "".join(item for item in sift(text) if isinstance(item, str)) == text
