"""Answers that are well made and not what was asked for: the rule that each breaks is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.replay.judges import judge
from conformance.tests.genuine_answers import (
    ARGUMENTS,
    ASKED,
    CALL,
    CALL_ITEM,
    FLAT_TOOLS,
    GENUINE,
    SCHEMA,
    TOLD,
    TOOLS,
    Given,
    Json,
    changed,
    chat,
    chunks,
    completion,
    in_base64,
    message_item,
    response,
    tails,
    text_choice,
    vectors,
)


def rules(given: Given) -> set[str]:
    """Whatever else is wrong, a rule of another kind is not what these tests are for."""
    recording = given.recording()
    problems = judge(recording, replace(recording.exchange))
    assert {problem.kind for problem in problems} <= {"meaning"}, problems
    return {problem.where for problem in problems}


def said(text: str, finish: str = "stop") -> Given:
    return replace(GENUINE["chat"], answer=chat({"content": text}, finish))


def called(*arguments: str, name: str = "weather", finish: str = "tool_calls") -> Given:
    """A chat that was offered ``weather``, answered with calls."""
    made = [{**CALL, "function": {"name": name, "arguments": text}} for text in arguments]
    return replace(GENUINE["chat call"], answer=chat({"tool_calls": made}, finish)).asking(
        tool_choice="auto"
    )


def responded(*output: Json, **asked: Any) -> Given:
    request = {**TOLD, "tools": FLAT_TOOLS, **asked}
    return Given("/responses", request, response(request, *output))


# --- calls --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", ["{", "[]", "{}", '{"city": 7}', '{"city": "Oslo", "days": 3}', '"Oslo"']
)
def test_arguments_that_the_schema_refuses_are_seen(arguments: str) -> None:
    assert rules(called(arguments)) == {"calls"}
    assert rules(responded({**CALL_ITEM, "arguments": arguments})) == {"calls"}
    streamed = GENUINE["chat stream call"]
    first = streamed.documents[0]
    assert isinstance(first, dict)
    head = first["choices"][0]["delta"]
    answer = chunks(head, *tails(arguments), finish="tool_calls")
    assert rules(replace(streamed, answer=answer)) == {"calls"}


def test_a_function_that_was_not_offered_is_seen() -> None:
    assert rules(called(ARGUMENTS, name="climate")) == {"calls"}
    assert rules(responded({**CALL_ITEM, "name": "climate"})) == {"calls"}
    assert rules(called(ARGUMENTS).asking(tools=[])) == {"calls"}


def test_functions_in_namespaces_and_input_items_are_offered() -> None:
    given = responded(CALL_ITEM)
    inner = [{"type": "namespace", "name": "sky", "tools": FLAT_TOOLS}]
    added = [{"type": "additional_tools", "role": "developer", "tools": FLAT_TOOLS}]
    for asked in ({"tools": inner}, {"tools": [], "input": added}):
        request: Json = {**TOLD, **asked}
        assert rules(replace(given, request=request, answer=response(request, CALL_ITEM))) == set()


NAMED = {"type": "function", "function": {"name": "weather"}}
ALLOWED = {
    "type": "allowed_tools",
    "allowed_tools": {"mode": "required", "tools": [{"type": "function", "name": "weather"}]},
}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {}}}


@pytest.mark.parametrize("choice", ["required", NAMED, ALLOWED])
def test_an_answer_without_a_call_that_was_forced_is_seen(choice: Any) -> None:
    offered = said("No.").asking(tools=TOOLS, tool_choice=choice)
    assert rules(offered) == {"forced"}
    cut = replace(offered, answer=chat({"content": "No"}, "length"))
    assert rules(cut) == set()
    assert rules(replace(offered, answer=chat({"refusal": "No."}))) == set()
    assert rules(called(ARGUMENTS).asking(tool_choice=choice)) == set()


@pytest.mark.parametrize("choice", [NAMED, ALLOWED])
def test_a_call_of_another_function_than_was_forced_is_seen(choice: Any) -> None:
    given = called("{}", name="clock").asking(tools=[*TOOLS, CLOCK])
    assert rules(given) == set()
    assert rules(given.asking(tool_choice=choice)) == {"calls"}


def test_a_response_must_call_too() -> None:
    flat = {"type": "function", "name": "weather"}
    for choice in (
        "required",
        flat,
        {"type": "allowed_tools", "mode": "required", "tools": [flat]},
    ):
        assert rules(responded(message_item("No."), tool_choice=choice)) == {"forced"}
        assert rules(responded(CALL_ITEM, tool_choice=choice)) == set()


def test_a_call_that_was_forbidden_is_seen() -> None:
    assert rules(called(ARGUMENTS).asking(tool_choice="none")) == {"forced"}
    assert rules(responded(CALL_ITEM, tool_choice="none")) == {"forced"}


def test_two_calls_where_one_was_asked_for_are_seen() -> None:
    twice = called(ARGUMENTS, ARGUMENTS)
    assert rules(twice) == set()
    assert rules(twice.asking(parallel_tool_calls=False)) == {"one_call"}
    items = (CALL_ITEM, {**CALL_ITEM, "id": "fc_2", "call_id": "call_2"})
    assert rules(responded(*items, parallel_tool_calls=False)) == {"one_call"}


def test_an_end_with_calls_without_one_is_seen() -> None:
    assert rules(said("Hi.", "tool_calls")) == {"finish"}


def test_an_answer_of_nothing_is_seen() -> None:
    assert rules(replace(GENUINE["chat"], answer=chat({}))) == {"something"}


# --- text ---------------------------------------------------------------------------

BY_SCHEMA = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
FLAT_SCHEMA = {
    **{"type": "json_schema", "name": "place", "description": None},
    **{"schema": SCHEMA, "strict": True},
}


@pytest.mark.parametrize(
    ("text", "of_object", "of_schema"),
    [
        (ARGUMENTS, set(), set()),
        ('{"days": 3}', set(), {"document"}),
        ("[]", {"document"}, {"document"}),
        ("Oslo.", {"document"}, {"document"}),
        (f"{ARGUMENTS} {ARGUMENTS}", {"one_document"}, {"one_document"}),
        ("{} Well.", {"document"}, {"document"}),
        ("", {"document"}, {"document"}),
    ],
)
def test_text_that_is_not_the_document_is_seen(
    text: str, of_object: set[str], of_schema: set[str]
) -> None:
    assert rules(said(text).asking(response_format={"type": "json_object"})) == of_object
    assert rules(said(text).asking(response_format=BY_SCHEMA)) == of_schema
    form = {"format": FLAT_SCHEMA, "verbosity": "medium"}
    assert rules(responded(message_item(text), text=form)) == of_schema
    assert rules(said(text, "length").asking(response_format=BY_SCHEMA)) == set()


def test_a_call_is_no_document_and_need_not_be() -> None:
    assert rules(called(ARGUMENTS).asking(response_format=BY_SCHEMA)) == set()


@pytest.mark.parametrize("stop", ["sat", ["mat", "sat"]])
def test_text_that_goes_on_after_a_stop_is_seen(stop: Any) -> None:
    assert rules(said("The cat sat.").asking(stop=stop)) == {"stopped"}
    assert rules(said("The cat ").asking(stop=stop)) == set()
    streamed = GENUINE["chat stream"].asking(stop=stop)
    answer = chunks(
        {"role": "assistant", "content": "", "refusal": None}, *map(_piece, ["s", "at"])
    )
    assert rules(replace(streamed, answer=answer)) == {"stopped"}
    told = replace(GENUINE["completion"], answer=completion(text_choice("It sat", "stop")))
    assert rules(told.asking(stop=stop)) == {"stopped"}


def _piece(text: str) -> Json:
    return {"content": text}


def test_logprobs_that_are_not_there_are_seen() -> None:
    assert rules(said("Hi").asking(logprobs=True)) == {"logprobs"}
    assert rules(GENUINE["chat stream"].asking(logprobs=True)) == {"logprobs"}
    assert rules(GENUINE["completion"].asking(logprobs=0)) == {"logprobs"}
    assert rules(GENUINE["completion"].asking(logprobs=None)) == set()
    given = responded(message_item("Hi."), include=["message.output_text.logprobs"])
    assert rules(given) == {"logprobs"}


# --- counts -------------------------------------------------------------------------


def test_more_or_fewer_choices_than_asked_for_are_seen() -> None:
    assert rules(said("Hi.").asking(n=2)) == {"choices"}
    assert rules(GENUINE["chat stream"].asking(n=2)) == {"choices"}
    assert rules(GENUINE["completion"].asking(prompt=["Once", "Twice"])) == {"choices"}
    assert rules(GENUINE["completion"].asking(prompt=[7, 8])) == set()
    two = completion(text_choice(" upon", "stop"), text_choice(" more", "stop", 1))
    given = replace(GENUINE["completion"], answer=two)
    assert rules(given) == {"choices"}
    assert rules(given.asking(prompt=["Once", "Twice"])) == set()


@pytest.mark.parametrize("name", ["chat", "chat stream usage", "completion", "response"])
@pytest.mark.parametrize(
    ("first", "then"), [("prompt", "input"), ("completion", "output"), ("total", "total")]
)
def test_usage_that_does_not_add_up_is_seen(name: str, first: str, then: str) -> None:
    def more(answer: Any) -> None:
        whole = answer[-2] if isinstance(answer, list) else answer
        counted = then if name == "response" else first
        whole["usage"][f"{counted}_tokens"] += 1

    assert rules(changed(GENUINE[name], more)) == {"counted"}


@pytest.mark.parametrize(
    "details",
    [{"completion_tokens_details": "reasoning_tokens"}, {"prompt_tokens_details": "cached_tokens"}],
)
def test_a_part_of_the_usage_that_is_more_than_the_whole_is_seen(details: dict[str, str]) -> None:
    ((name, part),) = details.items()
    given = changed(GENUINE["chat"], lambda a: a["usage"][name].update({part: 99}))
    assert rules(given) == {"counted"}


def test_more_tokens_than_asked_for_are_seen() -> None:
    for name, member in (
        ("chat", "max_tokens"),
        ("chat", "max_completion_tokens"),
        ("chat stream usage", "max_tokens"),
        ("completion", "max_tokens"),
    ):
        given = GENUINE[name]
        assert rules(given.asking(**{member: 2})) == {"limited"}
        assert rules(given.asking(**{member: 4})) == set()
    assert rules(responded(message_item("Hi."), max_output_tokens=2)) == {"limited"}


def test_an_answer_of_all_the_tokens_was_cut() -> None:
    assert rules(said("Hi.").asking(max_tokens=3)) == {"limited"}
    assert rules(said("Hi.", "length").asking(max_tokens=3)) == set()
    assert rules(said("Hi.").asking(max_tokens=3, stop="!")) == set()
    assert rules(called(ARGUMENTS).asking(max_tokens=3)) == set()
    request = {**TOLD, "max_output_tokens": 3}
    whole = Given("/responses", request, response(request, message_item("Hi.")))
    assert rules(whole) == {"limited"}
    reason = {"reason": "max_output_tokens"}
    cut = response(
        request,
        message_item("Hi."),
        status="incomplete",
        completed_at=None,
        incomplete_details=reason,
    )
    # What is null in a response that was cut is null in no other.
    recording = replace(whole, answer=cut).recording()
    found = {problem.where for problem in judge(recording, replace(recording.exchange))}
    assert "limited" not in found


# --- what a response says of itself -----------------------------------------------------


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        ("temperature", 0.5, 1.0),
        ("top_p", 0.5, 1.0),
        ("store", False, True),
        ("instructions", "Be kind.", None),
        ("max_output_tokens", 99, None),
        ("metadata", {"a": "b"}, {}),
        ("parallel_tool_calls", False, True),
        ("previous_response_id", "resp_0", None),
        ("truncation", "auto", "disabled"),
        ("top_logprobs", 2, 0),
        ("user", "ada", None),
        ("background", True, False),
        ("max_tool_calls", 3, None),
        ("text", {"format": FLAT_SCHEMA}, {"format": {"type": "text"}, "verbosity": "medium"}),
        ("tools", FLAT_TOOLS, []),
    ],
)
def test_a_response_that_says_something_else_than_was_asked_for_is_seen(
    name: str, asked: Any, told: Any
) -> None:
    request = {**TOLD, name: asked}
    answer = response(request, message_item(ARGUMENTS), **{name: told})
    assert rules(Given("/responses", request, answer)) == {"echo"}


@pytest.mark.parametrize("name", ["instructions", "max_output_tokens", "previous_response_id"])
def test_a_response_that_says_what_nobody_asked_for_is_seen(name: str) -> None:
    value = 99 if name == "max_output_tokens" else "resp_0"
    answer = response(TOLD, message_item("Hi."), **{name: value})
    assert rules(Given("/responses", TOLD, answer)) == {"echo"}


def test_every_response_of_a_stream_says_it() -> None:
    given = changed(GENUINE["response stream"], lambda a: a[0]["response"].update(user="ada"))
    assert rules(given) == {"echo"}


# --- embeddings ---------------------------------------------------------------------


def embedded(answer: Json, **asked: Any) -> set[str]:
    return rules(replace(GENUINE["embeddings"], answer=answer).asking(**asked))


def test_more_or_fewer_embeddings_than_inputs_are_seen() -> None:
    one, two = vectors([0.5, 1.5]), vectors([0.5, 1.5], [2.5, 3.5])
    assert embedded(two) == {"one_each"}
    assert embedded(one, input=["Hi", "Ho"]) == {"one_each"}
    assert embedded(two, input=["Hi", "Ho"]) == set()
    assert embedded(one, input=[7, 8, 9]) == set()
    assert embedded(two, input=[[7], [8]]) == set()


def test_embeddings_in_another_encoding_are_seen() -> None:
    assert embedded(vectors(in_base64(0.5))) == {"encoded"}
    assert embedded(vectors([0.5]), encoding_format="base64") == {"encoded"}
    for broken in ("no base64!", "AAA=", ""):
        assert "encoded" in embedded(vectors(broken), encoding_format="base64")
    assert embedded(vectors(in_base64(0.5)), encoding_format="base64") == set()
    assert embedded(vectors([0.5]), encoding_format="float") == set()


def test_embeddings_of_another_size_are_seen() -> None:
    assert embedded(vectors([0.5, 1.5]), dimensions=3) == {"sized"}
    assert embedded(vectors(in_base64(0.5)), encoding_format="base64", dimensions=2) == {"sized"}
    assert embedded(vectors([0.5, 1.5]), dimensions=2) == set()
    assert embedded(vectors([0.5, 1.5], [0.5]), input=["Hi", "Ho"]) == {"sized"}


def test_usage_of_embeddings_that_does_not_add_up_is_seen() -> None:
    given = changed(GENUINE["embeddings"], lambda a: a["usage"].update(total_tokens=3))
    assert rules(given) == {"counted"}


# --- answers without an end -----------------------------------------------------------


def test_an_answer_that_failed_or_goes_on_is_not_asked_for_more() -> None:
    request = {**ASKED, "tools": TOOLS, "tool_choice": "required"}
    assert rules(replace(GENUINE["refused"], request=request)) == set()
    for status in ("failed", "in_progress", "queued"):
        answer = response({**TOLD, "tools": FLAT_TOOLS, "tool_choice": "required"}, status=status)
        given = replace(responded(tool_choice="required"), answer=answer)
        recording = given.recording()
        problems = judge(recording, replace(recording.exchange))
        assert not any(problem.where == "forced" for problem in problems)
