"""From kept items and those a client adds to the chat that a model is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.errors import BadRequest
from router.responses.cuts import beginning_at, cuts
from router.responses.history import messages, new_items
from router.responses.items import whole

Item = dict[str, Any]


def said(role: str, text: str, **fields: str) -> Item:
    return {"type": "message", "role": role, "content": text, **fields}


def user(text: str) -> Item:
    return said("user", text)


def assistant(text: str, **fields: str) -> Item:
    return said("assistant", text, **fields)


def thought(text: str, **fields: str) -> Item:
    summary = [{"type": "summary_text", "text": text}]
    return {"type": "reasoning", "summary": summary, **fields}


def call(id: str) -> Item:
    return {"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"}


def output(id: str, text: str = "sunny") -> Item:
    return {"type": "function_call_output", "call_id": id, "output": text}


def kept(*items: Item) -> list[Item]:
    return [whole(item) for item in items]


def sketch(chat: list[dict[str, Any]]) -> list[str]:
    """A chat in few words: roles, texts, ids of calls."""
    lines = []
    for message in chat:
        calls = [made["id"] for made in message.get("tool_calls", ())]
        thoughts = [f"({message['reasoning_content']})"] if "reasoning_content" in message else []
        words = [*thoughts, message.get("content"), *calls, message.get("tool_call_id")]
        lines.append(" ".join([message["role"], *filter(None, words)]))
    return lines


def chat(*items: Item, **options: Any) -> list[str]:
    return sketch(messages(kept(*items), None, **options))


def went_on(before: list[Item], *given: Item) -> list[str]:
    return sketch(messages([*before, *kept(*new_items(before, list(given)))], None))


# --- what clients send beside a previous response ---

CALLED = kept(user("Weather?"), thought("Hm."), call("c1"), call("c2"))
ANSWERED = ["user Weather?", "assistant (Hm.) c1 c2", "tool sunny c1", "tool rainy c2"]
OUTPUTS = (output("c1"), output("c2", "rainy"))


@pytest.mark.parametrize(
    "repeated",
    [
        pytest.param([], id="agent-framework, langchain: only what is new"),
        pytest.param([user("Weather?")], id="semantic-kernel: the user's turn"),
        pytest.param([user("Weather?"), call("c1"), call("c2")], id="strands: the calls too"),
        pytest.param(
            [user("Weather?"), thought("Hm."), call("c1"), call("c2")], id="the thought too"
        ),
        pytest.param(CALLED, id="all, as it was kept"),
        pytest.param([call("c1"), call("c2")], id="only the calls"),
    ],
)
@pytest.mark.parametrize("outputs", [OUTPUTS, OUTPUTS[::-1]], ids=["in order", "in any order"])
def test_outputs_meet_their_calls(repeated: list[Item], outputs: tuple[Item, ...]) -> None:
    assert went_on(CALLED, *repeated, *outputs) == ANSWERED


def test_parts_say_what_a_string_says() -> None:
    """Semantic Kernel and Strands send parts, and others strings."""
    parts = [{"type": "input_text", "text": "Weather?"}]
    repeated = {"type": "message", "role": "user", "content": parts}
    assert went_on(CALLED, repeated, *OUTPUTS) == ANSWERED


def test_a_second_round_of_calls() -> None:
    """Semantic Kernel repeats the outputs of the first."""
    before = kept(user("Weather?"), call("c1"), output("c1"), call("c2"))
    expected = ["user Weather?", "assistant c1", "tool sunny c1", "assistant c2", "tool rainy c2"]
    assert went_on(before, user("Weather?"), output("c1"), output("c2", "rainy")) == expected
    assert went_on(before, output("c2", "rainy")) == expected


def test_a_kept_output_is_not_replaced() -> None:
    before = kept(user("Weather?"), call("c1"), output("c1"), assistant("Nice."))
    assert new_items(before, [output("c1", "forged"), user("Thanks.")]) == [user("Thanks.")]


def test_everything_that_was_ever_said() -> None:
    before = kept(user("hi"), assistant("Hello."), user("Who?"), assistant("Me."))
    expected = [*chat(*before), "user And now?"]
    for mark in ({}, {"id": before[3]["id"]}):
        whole_story = [*before[:3], assistant("Me.", **mark), user("And now?")]
        assert went_on(before, *whole_story) == expected
    assert went_on(before, user("Who?"), assistant("Me."), user("And now?")) == expected


@pytest.mark.parametrize("text", ["yes", "Weather?"])
def test_the_same_words_can_be_a_new_turn(text: str) -> None:
    before = kept(user(text), call("c1"), output("c1"), assistant("Sunny."))
    assert went_on(before, user(text))[-2:] == ["assistant Sunny.", f"user {text}"]


def test_the_same_words_after_the_outputs_are_new() -> None:
    before = kept(user("Weather?"), call("c1"))
    expected = ["user Weather?", "assistant c1", "tool sunny c1", "user Weather?"]
    assert went_on(before, output("c1"), user("Weather?")) == expected
    assert went_on(before, user("Weather?"), output("c1"), user("Weather?")) == expected


def test_words_are_repeated_only_as_often_as_they_were_said() -> None:
    before = kept(user("go"), call("c1"))
    assert went_on(before, user("go"), user("go"), output("c1"))[2:] == ["tool sunny c1", "user go"]


def test_what_is_new_before_an_output_comes_after_it() -> None:
    before = kept(user("Weather?"), call("c1"))
    expected = ["user Weather?", "assistant c1", "tool sunny c1", "user Quick!"]
    assert went_on(before, user("Quick!"), output("c1")) == expected


def test_calls_of_the_client_itself_are_new() -> None:
    before = kept(user("hi"), assistant("Hello."))
    expected = ["user hi", "assistant Hello.", "user hi", "assistant c9", "tool sunny c9"]
    assert went_on(before, user("hi"), call("c9"), output("c9")) == expected


def test_a_reference_to_what_is_kept_adds_nothing() -> None:
    before = kept(user("hi"), assistant("Hello."))
    references = [{"type": "item_reference", "id": item["id"]} for item in before]
    assert new_items(before, [*references, user("And?")]) == [user("And?")]


items = st.one_of(
    st.builds(said, st.sampled_from(["user", "assistant", "system"]), st.sampled_from("ab")),
    st.builds(thought, st.sampled_from("ab")),
)
rounds = st.lists(st.sampled_from(["c1", "c2", "c3"]), unique=True, min_size=1, max_size=3)


@settings(deadline=None)
@given(st.lists(items, max_size=6), rounds, st.lists(items, max_size=3), st.data())
def test_whatever_is_repeated_of_a_round_of_calls(
    early: list[Item], ids: list[str], late: list[Item], data: st.DataObject
) -> None:
    """Any run of kept items that reaches to the calls may be sent again, and changes nothing."""
    before = [*early, user("go"), *map(call, ids)]
    repeated = before[data.draw(st.integers(0, len(before))) :]
    new = [*map(output, ids), *late]
    assert new_items(kept(*before), [*repeated, *new]) == new


# --- items to messages ---


def test_every_kind_of_item() -> None:
    story = [
        said("developer", "Be kind."),
        user("hi"),
        thought("Who?"),
        assistant("Hello."),
        call("c1"),
        output("c1"),
        thought("Sunny."),
        assistant("It is."),
    ]
    assert chat(*story) == [
        "developer Be kind.",
        "user hi",
        "assistant (Who?) Hello. c1",
        "tool sunny c1",
        "assistant (Sunny.) It is.",
    ]


def test_instructions_come_first() -> None:
    told = messages(kept(said("system", "b"), user("hi")), "a")
    assert sketch(told) == ["system a", "system b", "user hi"]


def test_content_of_many_parts() -> None:
    parts = [
        {"type": "input_text", "text": "a"},
        {"type": "output_text", "text": "b"},
        {"type": "refusal", "refusal": "c"},
    ]
    answer = {"type": "function_call_output", "call_id": "c1", "output": parts[:2]}
    assert chat({"type": "message", "role": "user", "content": parts}) == ["user abc"]
    assert chat(call("c1"), answer) == ["assistant c1", "tool ab c1"]


def test_what_joins_and_what_does_not() -> None:
    assert chat(assistant("a"), assistant("b")) == ["assistant a", "assistant b"]
    assert chat(call("c1"), assistant("a")) == ["assistant c1", "assistant a"]
    assert chat(call("c1"), thought("t"), call("c2")) == ["assistant c1", "assistant (t) c2"]
    apart = [call("c1"), output("c1"), call("c2"), output("c2")]
    assert chat(*apart) == ["assistant c1", "tool sunny c1", "assistant c2", "tool sunny c2"]


def test_thoughts_that_led_to_nothing_are_left_out() -> None:
    assert chat(thought("a"), thought("b"), assistant("c")) == ["assistant (b) c"]
    assert chat(user("hi"), thought("a"), user("yo"), thought("b")) == ["user hi", "user yo"]


def test_a_thought_in_full_before_its_summary() -> None:
    full = {"content": [{"type": "reasoning_text", "text": "at length"}]}
    assert chat({**thought("short"), **full}, assistant("a")) == ["assistant (at length) a"]


def test_thoughts_of_the_current_turn_only() -> None:
    story = [user("a"), thought("old"), assistant("b"), user("c"), thought("new"), call("c1")]
    assert chat(*story, old_thoughts=False) == [
        "user a",
        "assistant b",
        "user c",
        "assistant (new) c1",
    ]


def test_a_call_without_its_output_stays() -> None:
    assert chat(user("a"), call("c1"), user("b")) == ["user a", "assistant c1", "user b"]


@pytest.mark.parametrize(
    ("story", "told"),
    [
        ([user("a"), output("c9")], 'has the id "c9"'),
        ([], "nothing to answer"),
        ([thought("a")], "nothing to answer"),
    ],
)
def test_what_cannot_be_answered(story: list[Item], told: str) -> None:
    with pytest.raises(BadRequest, match=told) as refused:
        chat(*story)
    assert refused.value.param == "input"


# --- a chat that does not fit ---

LONG = [
    said("system", "s"),
    user("a"),
    assistant("b"),
    user("c"),
    call("c1"),
    output("c1"),
    user("d"),
    call("c2"),
    output("c2"),
    call("c3"),
    output("c3"),
]


def test_a_chat_loses_its_oldest_turns_then_its_oldest_calls() -> None:
    told = messages(kept(*LONG), None)
    shorter = [sketch(beginning_at(told, cut)) for cut in cuts(told)]
    last = ["user d", "assistant c2", "tool sunny c2", "assistant c3", "tool sunny c3"]
    assert shorter == [
        ["system s", "user c", "assistant c1", "tool sunny c1", *last],
        ["system s", *last],
        ["system s", "user d", "assistant c3", "tool sunny c3"],
    ]


def test_a_chat_of_one_turn_cannot_be_cut() -> None:
    assert cuts(messages(kept(user("a")), "s")) == []
    assert cuts(messages(kept(assistant("a")), None)) == []
