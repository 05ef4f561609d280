"""Agent frameworks end to end: the common scenarios of ``agents/``, with a model that can act.

What counts is what a framework's user gets, so most is read in what its program tells. How often
it asked, and what it was told of the cost, comes from a proxy between the two.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from conformance import accounts
from conformance.check import MUST, SHOULD, trial
from conformance.failure import NotApplicable, expect
from conformance.frameworks import Program
from conformance.programs import LIMIT, Ran, Told, ran
from conformance.session import Session
from conformance.streams import streams_of

ABLE = ("agents",)
"""A model that answers questions, remembers, and calls a tool where it helps."""

RUN = LIMIT + 30
"""Seconds for a check of one run, which notices itself that the program does not end."""

WEATHER = {"Paris": "21", "London": "14"}
"""What the tool says of each city, and nobody could guess."""

UNKNOWN = "no-such-model"
COUNTED = ("text", "stream", "memory", "tool", "parallel", "structured")
"""The scenarios that cost tokens."""

PIECES = 3


@dataclass(frozen=True)
class Run:
    ran: Ran
    told: Told


async def run(session: Session, program: Program, scenario: str) -> Run:
    """A scenario as the program carries it out, once in a round of the suite. Raises Failed when
    it does not end well."""
    await accounts.begin(session)
    runs, key = session.round.runs, (program.name, scenario)
    if key not in runs:
        runs[key] = await session.round.carry_out(program, scenario, session.target)
        session.streams += streams_of(runs[key].exchanges)
    one = runs[key]
    _show(session, one)
    one.succeeded()
    expect(one.told is not None, "one line of JSON, as agents/scenarios.py has it", one.said)
    assert one.told
    return Run(one, one.told)


def _show(session: Session, one: Ran) -> None:
    session.ran, session.last = one, next(reversed(one.exchanges), None)


@trial("fw.text", level=MUST, cite=["FW"], needs=ABLE, timeout=RUN)
async def text(session: Session, program: Program) -> None:
    """An agent answers a question."""
    told = (await run(session, program, "text")).told
    expect("Paris" in told.answer, "the capital of France", told.answer)


@trial("fw.stream", level=MUST, cite=["FW"], needs=ABLE, timeout=RUN)
async def stream(session: Session, program: Program) -> None:
    """A framework's stream comes in several pieces, which together are its final answer."""
    told = (await run(session, program, "stream")).told
    pieces = [piece for piece in told.streamed if piece]
    expect(len(pieces) >= PIECES, f"at least {PIECES} pieces of text", told.streamed)
    whole = "".join(told.streamed)
    expect(whole == told.answer, f"pieces of the answer {told.answer!r}", whole)


@trial("fw.memory", level=MUST, cite=["FW"], needs=ABLE, timeout=RUN)
async def memory(session: Session, program: Program) -> None:
    """An agent remembers what its user told it a turn before."""
    told = (await run(session, program, "memory")).told
    expect("Alice" in told.answer, "the user's name", told.answer)


@trial("fw.tool", level=MUST, cite=["FW"], needs=ABLE, timeout=RUN)
async def tool(session: Session, program: Program) -> None:
    """The tool runs exactly once, with the right arguments, and the answer has its result."""
    _answered_with(["Paris"], (await run(session, program, "tool")).told)


@trial("fw.parallel", level=SHOULD, cite=["FW"], needs=ABLE, timeout=RUN)
async def parallel(session: Session, program: Program) -> None:
    """For a question about two cities the tool runs once for each, and the answer has both
    results."""
    _answered_with(["Paris", "London"], (await run(session, program, "parallel")).told)


def _answered_with(cities: list[str], told: Told) -> None:
    wanted = [{"name": "get_weather", "arguments": {"city": city}} for city in cities]
    order = sorted(told.tool_calls, key=json.dumps)
    expect(order == sorted(wanted, key=json.dumps), f"the calls {wanted}", told.tool_calls)
    for city in cities:
        result = WEATHER[city]
        expect(
            result in told.answer, f"{result}, the result for {city}, in the answer", told.answer
        )


@trial("fw.structured", level=SHOULD, cite=["FW"], needs=ABLE, timeout=RUN)
async def structured(session: Session, program: Program) -> None:
    """A framework's structured output is an object of the class that was asked for."""
    told = (await run(session, program, "structured")).told
    try:
        found = json.loads(told.answer)
    except ValueError:
        found = told.answer
    expect(found == {"name": "Anna", "age": 31}, "Anna, who is 31", found)


@trial("fw.errors", level=MUST, cite=["FW:langchain", "FW:strands"], needs=ABLE, timeout=RUN)
async def errors(session: Session, program: Program) -> None:
    """An unknown model is the framework's own typed error, which names it, and is not asked for
    again and again."""
    found = await run(session, program, "errors")
    error = found.told.error or {"type": "no error", "message": found.told.answer}
    kind, framework = program.framework.error[program.variant], program.framework
    hint = "answer 404 with the code model_not_found, and say in the message which model"
    expect(error["type"] == kind, kind, f"{error['type']}: {error['message']}", hint)
    expect(UNKNOWN in error["message"], "a message that names the model", error["message"], hint)
    expect(
        found.ran.asked <= framework.attempts,
        f"at most {framework.attempts} requests",
        found.ran.asked,
        "clients repeat a 408, 409, 429 or 5xx",
    )


@trial("fw.usage", level=MUST, cite=["FW"], needs=(*ABLE, "metrics"), timeout=6 * RUN, alone=True)
async def usage(session: Session, program: Program) -> None:
    """The usage that a framework tells is what the server told it, and all that was told in the
    round is what the server counted."""
    for scenario in COUNTED:
        found = await run(session, program, scenario)
        told = accounts.told(found.ran.exchanges)
        if scenario not in program.framework.silent:
            expect(found.told.usage == told, f"usage {told} of {scenario}", found.told.usage)
    runs = session.round.runs.values()
    if all(one.told for one in runs):  # one that broke off was not told what it cost
        # Whose tokens they are cannot be seen in counters, so they are compared with everybody's.
        told = accounts.told(exchange for one in runs for exchange in one.exchanges)
        counted = await accounts.counted(session)
        expect(told == counted, f"usage {counted} of this round, as counted", told)


@trial("fw.examples", level=MUST, cite=["OURS"], needs=ABLE, timeout=10 * RUN, once=True)
async def examples(session: Session, program: Program) -> None:
    """Every example runs as the framework's README says."""
    scripts = program.examples()
    if not scripts:
        raise NotApplicable("its README shows no example but main.py")
    for script in scripts:
        one = await ran(program, script, session.target)
        _show(session, one)
        one.succeeded()
