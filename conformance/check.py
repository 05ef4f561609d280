"""What a check is, and the registry of all of them.

A check is an async function of a ``Session``. Its docstring is the requirement, in one
sentence; it returns when the requirement holds and raises ``Failed`` when it does not::

    @check("chat.id_unique", level=MUST, cite=["SPEC:33507"])
    async def id_unique(session):
        '''Every completion has an id of its own.'''

An invariant is a check of every stream of the run that is of one kind: a pure function of it::

    @invariant("stream.role_once", level=MUST, cite=["SDK"], of=Transcript)
    def role_once(transcript):
        '''The role comes in the first delta of a choice and never again.'''

A trial is a check of the server by way of a framework's program, and becomes a check of its own
with each program that is given: ``fw.tool`` is then ``fw.tool[langchain]``.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from conformance.eventstream import EventStream

if TYPE_CHECKING:
    from conformance.frameworks import Program
    from conformance.session import Session

Outcome = Literal["pass", "fail", "warn", "n/a"]

AUTHORITIES = {
    "SPEC": "a line of OpenAI's openapi.yaml, at commit f85dbe2 of openai/openai-openapi",
    "SDK": "what OpenAI's own client reads, or does without",
    "FW": "what a framework sends or needs",
    "PEER": "what another server is tested for, or its users suffered from",
    "OR": "the Open Responses specification",
    "RFC": "HTTP, RFC 9110 and 9112",
    "SSE": "the WHATWG's event streams",
    "OURS": "what we hold a server to that agents depend on",
}
"""What a check may cite; after a colon stands where."""


class Level(StrEnum):
    """As in RFC 2119. A SHOULD that does not hold is a warning; INFO is only reported."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"


MUST, SHOULD, INFO = Level.MUST, Level.SHOULD, Level.INFO

Run = Callable[["Session"], Awaitable[None]]
Judge = Callable[[Any], None]
Trial = Callable[["Session", "Program"], Awaitable[None]]

Kind = TypeVar("Kind", bound=EventStream)


@dataclass(frozen=True)
class Check:
    """``needs`` names capabilities of a target profile; ``scripted`` checks need the scripted
    engine, because they play a text, a clock or a crash. ``timeout`` is in seconds. A
    ``taxing`` check may leave the server at work, or worse: it runs after the others, and the
    next one waits until the server answers again. One that is not ``alone`` may be carried out
    while others are. An invariant judges streams ``of`` one kind, subclasses included. A ``trial``
    is no check before it is ``by`` a program; ``once`` if it is the same in all variants of that,
    and however often a run is repeated."""

    id: str
    level: Level
    cite: tuple[str, ...]
    requirement: str
    run: Run | None
    judge: Judge | None
    needs: tuple[str, ...] = ()
    scripted: bool = False
    timeout: float = 60
    taxing: bool = False
    alone: bool = True
    trial: Trial | None = None
    once: bool = False
    of: type[EventStream] = EventStream

    @property
    def section(self) -> str:
        return self.id.partition(".")[0]

    def by(self, program: Program) -> Check:
        """The check that this trial is with a program."""
        trial = self.trial
        assert trial

        async def run(session: Session) -> None:
            await trial(session, program)

        return replace(self, id=f"{self.id}[{program.name}]", run=run, trial=None)


REGISTRY: dict[str, Check] = {}


def check(
    id: str,
    *,
    level: Level,
    cite: Sequence[str],
    needs: Sequence[str] = (),
    scripted: bool = False,
    timeout: float = 60,
    taxing: bool = False,
) -> Callable[[Run], Run]:
    def register(run: Run) -> Run:
        new = Check(id, level, tuple(cite), _requirement(run), run, None)
        new = replace(new, needs=tuple(needs), scripted=scripted)
        _add(replace(new, timeout=timeout, taxing=taxing))
        return run

    return register


def invariant(
    id: str, *, level: Level, cite: Sequence[str], of: type[Kind]
) -> Callable[[Callable[[Kind], None]], Callable[[Kind], None]]:
    def register(judge: Callable[[Kind], None]) -> Callable[[Kind], None]:
        _add(Check(id, level, tuple(cite), _requirement(judge), None, judge, of=of))
        return judge

    return register


def trial(
    id: str,
    *,
    level: Level,
    cite: Sequence[str],
    needs: Sequence[str],
    timeout: float,
    alone: bool = False,
    once: bool = False,
) -> Callable[[Trial], Trial]:
    def register(trial: Trial) -> Trial:
        new = Check(id, level, tuple(cite), _requirement(trial), None, None)
        new = replace(new, needs=tuple(needs), timeout=timeout)
        _add(replace(new, alone=alone, trial=trial, once=once))
        return trial

    return register


def carried_out(programs: Sequence[Program] = ()) -> list[Check]:
    """All checks, each trial once for every program: without one, there are no trials."""
    checks = [check for check in REGISTRY.values() if not check.trial]
    trials = [check for check in REGISTRY.values() if check.trial]
    return checks + [
        trial.by(program)
        for trial in trials
        for program in programs
        if program.usual or not trial.once
    ]


def _requirement(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function)
    assert text, f"{function.__name__} has no requirement"
    return " ".join(text.split())


def _add(new: Check) -> None:
    assert new.id not in REGISTRY, f"two checks are called {new.id}"
    REGISTRY[new.id] = new
