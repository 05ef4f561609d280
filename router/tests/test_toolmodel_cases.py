"""The evaluation's cases are fair: each says all that is expected of its answer."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from router.toolmodel.conversations.tools import written
from router.toolmodel.evaluation import cases, held_out, judges
from router.toolmodel.evaluation.alternatives import preferred
from router.toolmodel.evaluation.cases import Extraction, Step, Talk, Task
from router.toolmodel.evaluation.history import carried_out, opening, words
from router.toolmodel.evaluation.reply import Reply

CASES = cases.load()
TASKS = [*CASES.single, *CASES.parallel, *CASES.chains, *CASES.failures]
QUIET = [*CASES.small_talk, *CASES.no_fitting_tool, *CASES.no_tools]
TALKS = [*CASES.memory, *QUIET]
NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight")


def request(case: Task | Extraction) -> str:
    return case.request


def last(talk: Talk) -> str:
    return str(talk.turns[-1])


def steps_of(talk: Talk) -> list[Step]:
    return [turn for turn in talk.turns if isinstance(turn, Step)]


def ways(value: Any) -> Iterator[Any]:
    """All values that the alternatives allow."""
    match value:
        case {"any": [*alternatives]}:
            yield from itertools.chain.from_iterable(map(ways, alternatives))
        case dict():
            for parts in itertools.product(*map(ways, value.values())):
                yield dict(zip(value, parts, strict=True))
        case _:
            yield value


def leaves(value: Any) -> Iterator[Any]:
    match value:
        case dict():
            yield from itertools.chain.from_iterable(map(leaves, value.values()))
        case list():
            yield from itertools.chain.from_iterable(map(leaves, value))
        case _:
            yield value


def unsaid(value: Any, text: str) -> list[Any]:
    """The texts and numbers in a value that a text does not give."""
    numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)}
    spoken = re.findall(r"\w+", text.casefold())
    numbers |= {n for n, word in enumerate(NUMBER_WORDS, start=1) if word in spoken}
    return [
        leaf
        for leaf in leaves(preferred(value))
        if (isinstance(leaf, str) and leaf.casefold() not in text.casefold())
        or (isinstance(leaf, int | float) and not isinstance(leaf, bool) and leaf not in numbers)
    ]


def test_there_are_enough_for_percentages() -> None:
    assert len(held_out.TOOLS) >= 40
    assert len(CASES.single) >= 100
    assert len(CASES.parallel) >= 30
    assert len(CASES.chains) >= 24
    assert len(CASES.memory) >= 40
    assert len(QUIET) >= 80


def test_none_is_asked_twice() -> None:
    groups = vars(CASES).values()
    for group in groups:
        assert [text for text, times in Counter(map(str, group)).items() if times > 1] == []
    requests = Counter(map(request, TASKS))
    assert [text for text, times in requests.items() if times > 1] == []


def letters(text: str) -> str:
    """What a name or a sentence is apart from its spelling."""
    return re.sub("[^a-z]", "", text.lower())


def test_no_held_out_tool_is_trained_on() -> None:
    names = {letters(name) for name in held_out.TOOLS}
    purposes = {letters(str(tool["function"]["description"])) for tool in held_out.TOOLS.values()}
    for template in written():
        assert not names & set(map(letters, template.names))
        assert not purposes & set(map(letters, template.about))


@pytest.mark.parametrize("name", held_out.TOOLS)
def test_a_held_out_tool_is_well_formed_and_used(name: str) -> None:
    schema = held_out.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["required"]) <= set(schema["properties"])
    assert name in {step.name for task in TASKS for step in task.steps}


@pytest.mark.parametrize("task", TASKS, ids=request)
def test_expected_calls_are_possible(task: Task) -> None:
    assert len(set(task.tools)) == len(task.tools)
    assert set(task.tools) <= set(held_out.TOOLS)
    for step in task.steps:
        assert step.name in task.tools
        for arguments in ways(step.arguments):
            jsonschema.validate(arguments, held_out.schema(step.name))
            assert set(arguments) <= set(held_out.schema(step.name)["properties"])


@pytest.mark.parametrize("task", TASKS, ids=request)
def test_the_request_determines_its_calls(task: Task) -> None:
    said = task.request
    for step in task.steps:
        assert unsaid(step.arguments, said) == []
        if task in CASES.chains:
            said += f"\n{step.result}"


@pytest.mark.parametrize("task", TASKS, ids=request)
def test_the_results_ground_an_answer_and_nothing_else_does(task: Task) -> None:
    conversation = words([*opening("", task.request), *carried_out(task.steps)])
    results = "; ".join(step.result for step in task.steps)
    assert judges.grounded(Reply(f"The result is: {results}"), task.facts, conversation)
    assert not judges.grounded(Reply("That is done."), task.facts, conversation)


def test_how_many_steps_a_task_has() -> None:
    assert {len(task.steps) for task in CASES.single + CASES.failures} == {1}
    assert {len(task.steps) for task in CASES.chains} == {2}
    assert {len(task.steps) for task in CASES.parallel} == {2, 3, 4}


@pytest.mark.parametrize("talk", TALKS, ids=last)
def test_talks_take_turns(talk: Talk) -> None:
    assert isinstance(talk.turns[0], str)
    assert isinstance(talk.turns[-1], str)
    assert len([turn for turn in talk.turns if isinstance(turn, str)]) % 2 == 1
    assert set(talk.tools) <= set(held_out.TOOLS)
    for step in steps_of(talk):
        jsonschema.validate(preferred(step.arguments), held_out.schema(step.name))
        assert step.name in talk.tools


@pytest.mark.parametrize("talk", CASES.memory, ids=last)
def test_what_is_remembered_was_said_before_and_not_just_now(talk: Talk) -> None:
    *before, question = [
        turn if isinstance(turn, str) else json.dumps(turn.call) for turn in talk.turns
    ]
    assert judges.says(Reply("\n".join(before)), talk.facts)
    assert not judges.says(Reply(question), talk.facts)


def test_tools_are_offered_where_they_should_be() -> None:
    assert all(talk.tools for talk in CASES.small_talk + CASES.no_fitting_tool)
    assert not any(talk.tools for talk in CASES.no_tools)
    assert {bool(talk.tools) for talk in CASES.memory} == {True, False}


@pytest.mark.parametrize("case", CASES.extraction, ids=request)
def test_a_text_says_what_is_extracted(case: Extraction) -> None:
    for values in ways(case.values):
        jsonschema.validate(values, case.schema)
    assert unsaid(case.values, case.request) == []
