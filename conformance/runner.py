"""Runs checks in order and turns what happens into results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import h11

from conformance.check import Check, Level, Outcome
from conformance.client import Exchange
from conformance.failure import Failed, NotApplicable
from conformance.programs import Ran
from conformance.session import Session
from conformance.target import Profile

RECOVERY = 120
"""Seconds a server may go on with what a client has given up."""


@dataclass(frozen=True)
class Result:
    """``stale``: it passed although the profile expects it to fail. ``expectation``: the
    profile's reason for a failure that it expects. ``unanswered``: a request of it has had no
    answer. ``ran``: the program that it judged last. ``rounds``: of a check that was repeated,
    how each time came out."""

    check: Check
    outcome: Outcome
    seconds: float
    expected: str = ""
    actual: str = ""
    hint: str = ""
    exchange: Exchange | None = None
    expectation: str | None = None
    unanswered: bool = False
    ran: Ran | None = None
    rounds: tuple[Outcome, ...] = ()

    @property
    def stale(self) -> bool:
        return self.expectation is not None and self.outcome == "pass"

    @property
    def unexpected(self) -> bool:
        """Does it fail the run?"""
        return self.stale or (self.outcome == "fail" and self.expectation is None)


def in_order(checks: Sequence[Check]) -> list[Check]:
    """Those last that leave the server at work, and after them the invariants, which judge the
    streams of all others."""
    return sorted(checks, key=lambda check: (check.judge is not None, check.taxing))


class Runner:
    """``primary`` is the target under test, ``scripted`` a router that plays scripts, if any.

    A check goes to the first of them that has what it needs. Up to ``jobs`` of those that need
    not be alone are carried out at a time.
    """

    def __init__(
        self,
        primary: Session,
        scripted: Session | None,
        profile: Profile,
        *,
        strict: bool = False,
        jobs: int = 1,
        patience: float = RECOVERY,
    ) -> None:
        self._sessions = [session for session in (primary, scripted) if session]
        self._silent: dict[Session, str] = {}
        self._profile = profile
        self._strict = strict
        self._jobs = jobs
        self._patience = patience

    async def run(
        self, checks: Sequence[Check], on_result: Callable[[Result], None]
    ) -> list[Result]:
        results: list[Result] = []
        for alone, neighbours in groupby(in_order(checks), key=lambda check: check.alone):
            free = asyncio.Semaphore(1 if alone else self._jobs)

            async def one(check: Check, free: asyncio.Semaphore = free) -> Result:
                async with free:
                    result = await self.result(check)
                on_result(result)
                return result

            results += await asyncio.gather(*map(one, neighbours))
        return results

    async def result(self, check: Check) -> Result:
        """The result of one check, when the server is ready for the next."""
        result = await self._result(check)
        if result.outcome != "n/a" and (check.taxing or result.unanswered):
            return await self._recovered(result)
        return result

    async def _result(self, check: Check) -> Result:
        started = time.monotonic()
        expectation = self._profile.expected.get(check.id)

        session = self._session_for(check)

        def result(outcome: Outcome, **details: object) -> Result:
            seconds = time.monotonic() - started
            ran = session and session.ran
            return Result(check, outcome, seconds, expectation=expectation, ran=ran, **details)  # type: ignore[arg-type]

        if session is None:
            return result("n/a", actual=f"needs {', '.join(_needs(check))}")
        if check.run and session in self._silent:
            return result("n/a", actual=f"no answer any more since {self._silent[session]}")
        session = session if check.alone else session.beside()
        session.last = session.ran = None
        try:
            async with asyncio.timeout(check.timeout):
                exchange = await self._carry_out(check, session)
            return result("pass", exchange=exchange)
        except NotApplicable as why:
            return result("n/a", actual=str(why))
        except Failed as failure:
            return result(
                self._severity(check),
                expected=failure.expected,
                actual=failure.actual,
                hint=failure.hint,
                exchange=getattr(failure, "exchange", None) or session.last,
            )
        except TimeoutError:
            return result(
                self._severity(check),
                expected=f"an end within {check.timeout:g} seconds",
                actual="no end",
                exchange=session.last,
                unanswered=True,
            )
        except Exception as error:
            return result(
                self._severity(check),
                expected="an answer that can be judged",
                actual=f"{type(error).__name__}: {error}",
                exchange=session.last,
                unanswered=isinstance(error, (OSError, h11.ProtocolError)),
            )

    async def _carry_out(self, check: Check, session: Session) -> Exchange | None:
        if check.run:
            await check.run(session)
            return session.last
        assert check.judge
        streams = [t for s in self._sessions for t in s.streams if isinstance(t, check.of)]
        if not streams:
            raise NotApplicable("no such stream was seen in this run")
        for stream in streams:
            try:
                check.judge(stream)
            except Failed as failure:
                failure.exchange = stream.exchange  # type: ignore[attr-defined]
                raise
        return None

    async def _recovered(self, result: Result) -> Result:
        """The result, when the server answers again: no later check may fail in its place.

        A server that does not has failed, whatever its profile expects of this check.
        """
        session = self._session_for(result.check)
        if session is None or await session.answers_again(self._patience):
            return result
        self._silent[session] = result.check.id
        expected = result.expected or "a server that answers afterwards, too"
        actual = f"{result.actual or 'the answer'}; then none within {self._patience:g} s"
        return replace(result, outcome="fail", expected=expected, actual=actual, expectation=None)

    def _session_for(self, check: Check) -> Session | None:
        needs = set(_needs(check))
        return next((s for s in self._sessions if needs <= s.target.capabilities), None)

    def _severity(self, check: Check) -> Outcome:
        return "fail" if check.level is Level.MUST or self._strict else "warn"


def _needs(check: Check) -> tuple[str, ...]:
    return (*check.needs, "scripted") if check.scripted else check.needs
