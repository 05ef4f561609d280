"""How each kind of case is put to the model, and what is made of its answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from router.toolmodel.evaluation import judges, rates
from router.toolmodel.evaluation.alternatives import preferred
from router.toolmodel.evaluation.cases import Cases, Extraction, Fact, Step, Talk, Task
from router.toolmodel.evaluation.history import called, carried_out, opening, spoken, words
from router.toolmodel.evaluation.model import Model
from router.toolmodel.evaluation.rates import Outcome, Rate
from router.toolmodel.evaluation.reply import Call, Reply

SYSTEMS = (
    "",
    "You are a helpful assistant.",
    "You are a travel and office agent. Use tools when appropriate and be concise.",
    "You are Joker. Tell the user what they want to know.",
)
"""Cases of a kind take turns with these."""

FORCED_EVERY = 3
"""Of the single calls, each third one is also asked for with a tool_choice of each kind."""

Case = TypeVar("Case")


def exams(model: Model, cases: Cases) -> list[Awaitable[Outcome]]:
    """All that the model is asked, each still to be awaited."""

    def each(
        exam: Callable[[Model, str, Case], Awaitable[Outcome]], group: Sequence[Case]
    ) -> list[Awaitable[Outcome]]:
        return [
            exam(model, SYSTEMS[index % len(SYSTEMS)], case) for index, case in enumerate(group)
        ]

    return [
        *each(single, cases.single),
        *each(required, cases.single[::FORCED_EVERY]),
        *each(named, cases.single[1::FORCED_EVERY]),
        *each(partial(answer, rates.ANSWER), cases.single),
        *each(partial(answer, rates.FAILURE), cases.failures),
        *each(parallel, cases.parallel),
        *each(partial(answer, rates.PARALLEL_ANSWER), cases.parallel),
        *each(chain, cases.chains),
        *each(memory, cases.memory),
        *each(partial(quiet, rates.SMALL_TALK), cases.small_talk),
        *each(partial(quiet, rates.NO_FITTING_TOOL), cases.no_fitting_tool),
        *each(partial(quiet, rates.NO_TOOLS), cases.no_tools),
        *each(extraction, cases.extraction),
    ]


async def single(model: Model, system: str, task: Task) -> Outcome:
    reply = await model.reply(opening(system, task.request), task.tools)
    verdicts = {
        rates.FUNCTION: judges.right_function(reply.calls, task.steps[0]),
        rates.ARGUMENTS: judges.exact(reply.calls, task.steps),
    }
    return Outcome(verdicts, task.request, _calls(task.steps), str(reply))


async def required(model: Model, system: str, task: Task) -> Outcome:
    return await _forced(rates.REQUIRED, "required", model, system, task)


async def named(model: Model, system: str, task: Task) -> Outcome:
    choice = {"type": "function", "function": {"name": task.steps[0].name}}
    return await _forced(rates.NAMED, choice, model, system, task)


async def _forced(rate: Rate, choice: Any, model: Model, system: str, task: Task) -> Outcome:
    reply = await model.reply(opening(system, task.request), task.tools, tool_choice=choice)
    verdict = judges.exact(reply.calls, task.steps)
    return Outcome({rate: verdict}, task.request, _calls(task.steps), str(reply))


async def parallel(model: Model, system: str, task: Task) -> Outcome:
    reply = await model.reply(opening(system, task.request), task.tools)
    verdict = judges.exact_set(reply.calls, task.steps)
    return Outcome({rates.PARALLEL: verdict}, task.request, _calls(task.steps), str(reply))


async def answer(rate: Rate, model: Model, system: str, task: Task) -> Outcome:
    """The calls were made as they should be; what does the model make of the results?"""
    messages = [*opening(system, task.request), *carried_out(task.steps)]
    reply = await model.reply(messages, task.tools)
    verdict = judges.grounded(reply, task.facts, words(messages))
    results = " ".join(step.result for step in task.steps)
    return Outcome({rate: verdict}, f"{task.request} -> {results}", _facts(task.facts), str(reply))


async def chain(model: Model, system: str, task: Task) -> Outcome:
    """The model runs free, with the results of its calls fed back for as long as they are those
    that are expected."""
    messages = opening(system, task.request)
    calls: list[Call] = []
    got: list[Reply] = []
    while True:
        reply = await model.reply(messages, task.tools)
        got.append(reply)
        done = len(calls)
        calls += reply.calls
        if not reply.calls or not judges.begins(calls, task.steps):
            break
        messages += called(reply, task.steps[done : len(calls)])
    answered = judges.grounded(reply, task.facts, words(messages))
    verdict = judges.exact(calls, task.steps) and answered
    expected = f"{_calls(task.steps)} {_facts(task.facts)}"
    return Outcome({rates.CHAIN: verdict}, task.request, expected, " -> ".join(map(str, got)))


async def memory(model: Model, system: str, talk: Talk) -> Outcome:
    reply = await model.reply(spoken(system, talk.turns), talk.tools)
    verdict = judges.says(reply, talk.facts)
    return Outcome({rates.MEMORY: verdict}, _told(talk), _facts(talk.facts), str(reply))


async def quiet(rate: Rate, model: Model, system: str, talk: Talk) -> Outcome:
    reply = await model.reply(spoken(system, talk.turns), talk.tools)
    verdict = judges.in_words(reply)
    verdicts = {rates.QUIET: verdict, rate: verdict}
    return Outcome(verdicts, _told(talk), "an answer in words", str(reply))


async def extraction(model: Model, system: str, case: Extraction) -> Outcome:
    response_format = {
        "type": "json_schema",
        "json_schema": {"name": "extraction", "schema": case.schema},
    }
    reply = await model.reply(opening(system, case.request), response_format=response_format)
    verdicts = {
        rates.VALID: judges.valid(reply, case.schema),
        rates.VALUES: judges.right_values(reply, case.schema, case.values),
    }
    return Outcome(verdicts, case.request, json.dumps(preferred(case.values)), str(reply))


def _calls(steps: Sequence[Step]) -> str:
    return " ".join(str(step.written) for step in steps)


def _facts(facts: Sequence[Fact]) -> str:
    return "; ".join(fact if isinstance(fact, str) else " or ".join(fact) for fact in facts)


def _told(talk: Talk) -> str:
    turns = (turn if isinstance(turn, str) else str(turn.written) for turn in talk.turns)
    return " / ".join(turns)
