"""The evaluation of tool calling: its judges, and the whole of it against a scripted model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router.tests.conftest import MODEL, Server
from router.tests.scripts import call, script
from router.toolmodel.evaluation import cases, judges, rates
from router.toolmodel.evaluation.__main__ import app, evaluate
from router.toolmodel.evaluation.alternatives import fits, preferred
from router.toolmodel.evaluation.cases import Cases, Extraction, Step, Talk, Task
from router.toolmodel.evaluation.rates import Outcome, Rate, Score
from router.toolmodel.evaluation.reply import Call, Reply

ALARM = Step({"set_alarm": {"time": {"any": ["7 am", "07:00"]}}}, "ok")
LENGTH = Step({"real_length": {"drawn_cm": 80, "scale": 12.5}}, "10 m")
NOWHERE = "http://127.0.0.1:9/v1"
"""Nothing listens on the discard port."""


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (450.0, 450),
        ("07:00", {"any": ["7 am", "07:00"]}),
        ({"b": [1, 2.5], "a": "x"}, {"a": "x", "b": [1, 2.5]}),
        ({"items": ["rope", "a brush"]}, {"items": {"any": [["rope"], ["rope", "a brush"]]}}),
        (False, False),
    ],
)
def test_values_that_are_right(value: Any, wanted: Any) -> None:
    assert fits(value, wanted)
    assert fits(preferred(wanted), wanted)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (451, 450),
        ("450", 450),
        (True, 1),
        (1, True),
        ("7 pm", {"any": ["7 am", "07:00"]}),
        ("berlin", "Berlin"),
        ({"a": "x", "b": 1}, {"a": "x"}),
        ({}, {"a": "x"}),
        (["b", "a"], ["a", "b"]),
        (["a"], ["a", "b"]),
        ("text", {"a": "x"}),
        ({"a": "x"}, "text"),
    ],
)
def test_values_that_are_wrong(value: Any, wanted: Any) -> None:
    assert not fits(value, wanted)


def length(**arguments: Any) -> Call:
    return Call("real_length", {"drawn_cm": 80, "scale": 12.5} | arguments)


def alarm(time: str, **more: Any) -> Call:
    return Call("set_alarm", {"time": time} | more)


def test_right_calls() -> None:
    assert judges.exact([length(drawn_cm=80.0)], [LENGTH])
    assert judges.exact([alarm("07:00")], [ALARM])
    assert judges.exact([alarm("7 am", repeat_daily=False)], [ALARM])  # what it is by default
    assert judges.exact([length(), alarm("7 am")], [LENGTH, ALARM])
    assert judges.exact_set([alarm("7 am"), length()], [LENGTH, ALARM])
    assert judges.right_function([length(scale=99)], LENGTH)
    assert judges.begins([], [LENGTH, ALARM])
    assert judges.begins([length()], [LENGTH, ALARM])


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [length(scale=15)],
        [length(drawn_cm="80")],
        [length(currency="USD")],
        [Call("real_length", {"drawn_cm": 80})],
        [Call("real_length", '{"drawn_cm": 80, "scale"')],
        [Call("real_lengths", {"drawn_cm": 80, "scale": 12.5})],
        [length(), length()],
        [length(), alarm("7 am")],
    ],
)
def test_wrong_calls(calls: list[Call]) -> None:
    assert not judges.exact(calls, [LENGTH])
    assert not judges.exact_set(calls, [LENGTH])


def test_wrong_functions() -> None:
    assert not judges.right_function([], LENGTH)
    assert not judges.right_function([alarm("7 am")], LENGTH)
    assert not judges.right_function([length(), length()], LENGTH)


def test_calls_off_the_path() -> None:
    assert not judges.exact([alarm("7 am"), length()], [LENGTH, ALARM])
    assert not judges.exact([alarm("7 am", repeat_daily=True)], [ALARM])
    assert not judges.exact_set([length(), length()], [LENGTH, ALARM])
    assert not judges.exact_set([length()], [LENGTH, ALARM])
    assert not judges.begins([alarm("7 am")], [LENGTH, ALARM])
    assert not judges.begins([length(), alarm("7 am"), length()], [LENGTH, ALARM])


RESULT = '{"population": 3388000, "trend": "+0.3"} at 19:30'


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("It has 3,388,000 inhabitants.", ["3388000"]),
        ("It has 3388000 inhabitants at 19:30.", ["3388000", "19:30"]),
        ("It is GROWING by 0.3.", [["rising", "growing"]]),
        ("1. 3388000\n2. growing", ["3388000"]),
    ],
)
def test_grounded_answers(text: str, facts: list[cases.Fact]) -> None:
    assert judges.grounded(Reply(text), facts, RESULT)


@pytest.mark.parametrize(
    ("reply", "facts"),
    [
        (Reply("I looked it up."), ["3388000"]),
        (Reply("It has 13388000 inhabitants."), ["3388000"]),
        (Reply("It has 3388000.5 inhabitants."), ["3388000"]),
        (Reply("It has 3388000 inhabitants, 5 percent of them farmers."), ["3388000"]),
        (Reply("It has 3388000 inhabitants."), ["3388000", "19:30"]),
        (Reply("It is outgrowing the others."), [["rising", "growing"]]),
        (Reply("It has 3388000.", (length(),)), ["3388000"]),
        (Reply('<tool_call>\n{"name": "x"} 3388000'), ["3388000"]),
    ],
)
def test_answers_that_are_not_grounded(reply: Reply, facts: list[cases.Fact]) -> None:
    assert not judges.grounded(reply, facts, RESULT)


@pytest.mark.parametrize(
    "reply",
    [
        Reply("", (length(),)),
        Reply("Let me see.", (length(),)),
        Reply("<tool_call>\nreal_length"),
        Reply('{"name": "real_length", "arguments": {"drawn_cm": 80}}'),
        Reply(" \n"),
    ],
)
def test_what_is_not_quiet(reply: Reply) -> None:
    assert judges.in_words(Reply("Hello! A tool calls a function with arguments."))
    assert not judges.in_words(reply)


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


@pytest.mark.parametrize(
    ("text", "valid", "right"),
    [
        ('{"name": "Anna", "age": 34}', True, True),
        ('{"name": "Anna", "age": 43}', True, False),
        ('{"name": "Anna"}', False, False),
        ('{"name": "Anna", "age": 3', False, False),
        ('Sure: {"name": "Anna", "age": 34}', False, False),
    ],
)
def test_extracted_values(text: str, valid: bool, right: bool) -> None:
    assert judges.valid(Reply(text), PERSON) == valid
    assert judges.right_values(Reply(text), PERSON, {"name": "Anna", "age": 34}) == right


@pytest.mark.parametrize(("right", "met"), [(97, True), (96, False)])
def test_a_goal_is_met_from_its_percentage_on(right: int, met: bool) -> None:
    assert Score(Rate("some", 97), right, 100).met is met
    assert Score(Rate("some"), right, 100).met is None


def test_scores_count_each_rate_by_its_own_cases() -> None:
    both = Outcome({rates.FUNCTION: True, rates.ARGUMENTS: False}, "", "", "")
    one = Outcome({rates.FUNCTION: True}, "", "", "")
    assert rates.scores([both, one]) == [
        Score(rates.FUNCTION, 2, 2),
        Score(rates.ARGUMENTS, 0, 1),
    ]
    assert both.missed == [rates.ARGUMENTS]


def only(**groups: Any) -> Cases:
    none: dict[str, Any] = {name: [] for name in Cases.__dataclass_fields__}
    return Cases(**none | groups)


def asked(server: Server, **groups: Any) -> dict[str, tuple[int, int]]:
    """What comes of these cases: right and all, by rate."""
    outcomes = asyncio.run(evaluate(f"{server.url}/v1", "unused", MODEL, only(**groups)))
    return {score.rate.name: (score.right, score.of) for score in rates.scores(outcomes)}


def task(text: str, *steps: Step, facts: list[cases.Fact] | None = None) -> Task:
    """A task for which the scripted model says ``text`` first."""
    return Task(script(text), ["real_length", "set_alarm"], list(steps), facts or [])


RIGHT = call("real_length", drawn_cm=80, scale=12.5)


def test_single_calls_are_asked_for_in_three_ways(scripted: Server) -> None:
    texts = [RIGHT, call("real_length", drawn_cm=8, scale=12.5), call("set_alarm", time="7 am")]
    told = asked(scripted, single=[task(text, LENGTH, facts=["10 m"]) for text in texts])
    assert told == {
        rates.FUNCTION.name: (2, 3),
        rates.ARGUMENTS.name: (1, 3),
        rates.REQUIRED.name: (1, 1),
        rates.NAMED.name: (0, 1),
        rates.ANSWER.name: (3, 3),
    }


def test_parallel_calls_and_the_answer_after_them(scripted: Server) -> None:
    other = call("set_alarm", time="07:00")
    tasks = [task(text, LENGTH, ALARM, facts=["10 m"]) for text in (other + RIGHT, RIGHT)]
    told = asked(scripted, parallel=tasks)
    assert told == {rates.PARALLEL.name: (1, 2), rates.PARALLEL_ANSWER.name: (2, 2)}


def chained(first: str, second: str, answer: str) -> Task:
    """The scripted model's next answer is in what its call returns."""
    steps = [
        Step(LENGTH.call, script(second)),
        Step(ALARM.call, script(answer)),
    ]
    return task(first, *steps, facts=["seven"])


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ((RIGHT, call("set_alarm", time="07:00"), "It rings at seven."), 1),
        ((RIGHT, call("set_alarm", time="07:00"), "It rings."), 0),
        ((RIGHT, call("set_alarm", time="07:00"), RIGHT), 0),
        ((RIGHT, call("set_alarm", time="8 pm"), "It rings at seven."), 0),
        ((RIGHT, "I did all that, at seven.", ""), 0),
        ((call("set_alarm", time="07:00"), "", "seven"), 0),
        ((RIGHT + RIGHT, "", "seven"), 0),
        (("It rings at seven.", "", ""), 0),
    ],
)
def test_chains_run_free(scripted: Server, said: tuple[str, str, str], right: int) -> None:
    assert asked(scripted, chains=[chained(*said)]) == {rates.CHAIN.name: (right, 1)}


def test_talks(scripted: Server) -> None:
    turns: list[str | Step] = ["I am Ada.", "Hello!", LENGTH, "It is 10 m.", script("You are Ada.")]
    recalled = Talk(turns, tools=["real_length"], facts=["Ada"])
    forgotten = Talk([*turns[:-1], script("Who knows?")], facts=["Ada"])
    told = asked(
        scripted,
        memory=[recalled, forgotten],
        small_talk=[Talk([script("Hi!")], ["set_alarm"]), Talk([script(RIGHT)], ["real_length"])],
        no_fitting_tool=[Talk([script("I cannot do that.")], ["set_alarm"])],
        no_tools=[Talk([script("Hi!")]), Talk([script(RIGHT)])],
    )
    assert told == {
        rates.MEMORY.name: (1, 2),
        rates.QUIET.name: (3, 5),
        rates.SMALL_TALK.name: (1, 2),
        rates.NO_FITTING_TOOL.name: (1, 1),
        rates.NO_TOOLS.name: (1, 2),
    }


ADA = {"name": "Ada", "age": 36}


def test_failures_and_extraction(scripted: Server) -> None:
    refused = Step(LENGTH.call, "Error: no such scale")
    again = Step(LENGTH.call, script(RIGHT))
    told = asked(
        scripted,
        failures=[task("", step, facts=["no such scale"]) for step in (refused, again)],
        extraction=[
            Extraction(script(json.dumps({"name": name, "age": 36})), PERSON, ADA)
            for name in ("Ada", "Eve")
        ],
    )
    assert told == {
        rates.FAILURE.name: (1, 2),
        rates.VALID.name: (2, 2),
        rates.VALUES.name: (1, 2),
    }


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "120", "OPENAI_API_KEY": None})


def test_the_command_on_all_cases(scripted: Server, tmp_path: Path) -> None:
    """A model that calls the first function it is offered, and repeats what it is told."""
    file = tmp_path / "rates.json"
    done = run("--base-url", f"{scripted.url}/v1", "--model", MODEL, "--json", str(file), "--show")
    assert done.exit_code == 0, done.output
    written = json.loads(file.read_text())
    shares = {row["rate"]: row["percent"] for row in written["rates"]}
    assert list(shares) == [rate.name for rate in rates.RATES]
    single = cases.load().single
    first = sum(case.tools[0] == case.steps[0].name for case in single)
    assert shares[rates.FUNCTION.name] == pytest.approx(100 * first / len(single))
    assert shares[rates.SMALL_TALK.name] == shares[rates.NO_FITTING_TOOL.name] == 0
    perfect = (rates.ANSWER, rates.PARALLEL_ANSWER, rates.FAILURE, rates.NO_TOOLS, rates.VALID)
    assert {shares[rate.name] for rate in perfect} == {100}
    assert shares[rates.MEMORY.name] == 0
    assert "not met" in done.output
    missed = written["misses"][0]
    assert f"request   {missed['request']}" in done.output
    assert f"expected  {missed['expected']}" in done.output
    assert f"got       {missed['got']}" in done.output


@pytest.mark.parametrize(("said", "exit_code"), [("You are Ada.", 0), ("Who knows?", 1)])
def test_goals_can_be_required(
    scripted: Server, monkeypatch: pytest.MonkeyPatch, said: str, exit_code: int
) -> None:
    talk = Talk(["I am Ada.", "Hello!", script(said)], facts=["Ada"])
    monkeypatch.setattr("router.toolmodel.evaluation.__main__.load", lambda: only(memory=[talk]))
    flags = ("--base-url", f"{scripted.url}/v1", "--model", MODEL)
    assert run(*flags).exit_code == 0
    assert run(*flags, "--require-goals").exit_code == exit_code


def test_what_cannot_be_evaluated(scripted: Server) -> None:
    nobody = run("--base-url", NOWHERE)
    assert nobody.exit_code == 2
    assert "check --base-url" in nobody.output
    unknown = run("--base-url", f"{scripted.url}/v1", "--model", "no-such-model")
    assert unknown.exit_code == 2
    assert "no-such-model" in unknown.output
