"""What a check is, and the registry of all of them.

A check is an async function of a ``Session``. Its docstring is the requirement, in one
sentence; it returns when the requirement holds and raises ``Failed`` when it does not::

    @check("chat.id_unique", level=MUST, cite=["SPEC:33507"])
    async def id_unique(session):
        '''Every completion has an id of its own.'''

An invariant is a check of every stream of the run: a pure function of one ``Transcript``.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from conformance.session import Session
    from conformance.transcript import Transcript

Outcome = Literal["pass", "fail", "warn", "n/a"]


class Level(StrEnum):
    """As in RFC 2119. A SHOULD that does not hold is a warning; INFO is only reported."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"


MUST, SHOULD, INFO = Level.MUST, Level.SHOULD, Level.INFO

Run = Callable[["Session"], Awaitable[None]]
Judge = Callable[["Transcript"], None]


@dataclass(frozen=True)
class Check:
    """``needs`` names capabilities of a target profile; ``scripted`` checks need the scripted
    engine, because they play a text, a clock or a crash. ``timeout`` is in seconds. A
    ``taxing`` check may leave the server at work, or worse: it runs after the others, and the
    next one waits until the server answers again."""

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

    @property
    def section(self) -> str:
        return self.id.partition(".")[0]


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


def invariant(id: str, *, level: Level, cite: Sequence[str]) -> Callable[[Judge], Judge]:
    def register(judge: Judge) -> Judge:
        _add(Check(id, level, tuple(cite), _requirement(judge), None, judge))
        return judge

    return register


def _requirement(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function)
    assert text, f"{function.__name__} has no requirement"
    return " ".join(text.split())


def _add(new: Check) -> None:
    assert new.id not in REGISTRY, f"two checks are called {new.id}"
    REGISTRY[new.id] = new
