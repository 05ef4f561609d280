"""Recordings, sent to a server: those of a cassette one after another, cassettes side by side."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import h11

from conformance import expect
from conformance.client import Exchange, exchange
from conformance.failure import Failed
from conformance.replay import sending
from conformance.replay.answers import objects
from conformance.replay.endpoints import endpoint, family
from conformance.replay.excuses import excuse
from conformance.replay.outcome import Fault, Outcome
from conformance.replay.recording import Recording
from conformance.target import Target

AT_ONCE = 8
"""Cassettes in flight."""

PATIENCE = 900
"""Seconds for one answer: a model on a CPU reads a long prompt for minutes."""


class Judged(Protocol):
    """What judges say of an answer."""

    @property
    def kind(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def message(self) -> str: ...


Judge = Callable[[Recording, Exchange], Iterable[Judged]]
Cassette = Sequence[Recording]


def cassettes(recordings: Iterable[Recording]) -> list[Cassette]:
    by_cassette = itertools.groupby(recordings, key=lambda one: (one.source, one.cassette))
    return [list(told) for _, told in by_cassette]


def sample(of: Iterable[Cassette], size: int) -> list[Cassette]:
    """At least ``size`` recordings that a model of text may answer, if there are so many. Whole
    cassettes, chosen by a hash: they are the same each time, and most still are when others join.
    """
    chosen: list[Cassette] = []
    useful = 0
    for told in sorted(of, key=_lot):
        if useful >= size:
            break
        if count := sum(family(recording.path) is None for recording in told):
            useful += count
            chosen.append(told)
    return chosen


def _lot(told: Cassette) -> bytes:
    return hashlib.sha256(told[0].id.encode()).digest()


class Replay:
    """Carries out cassettes against one server; ``on_outcome`` hears of each request at once."""

    def __init__(
        self,
        target: Target,
        judge: Judge,
        on_outcome: Callable[[Outcome], None],
        *,
        at_once: int = AT_ONCE,
        patience: float = PATIENCE,
    ) -> None:
        self._target = target
        self._judge = judge
        self._on_outcome = on_outcome
        self._patience = patience
        self._room = asyncio.Semaphore(at_once)

    async def run(self, told: Iterable[Cassette]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for cassette in told:
                tasks.create_task(self._cassette(cassette))

    async def _cassette(self, recordings: Cassette) -> None:
        names = sending.Names()
        async with self._room:
            for recording in recordings:
                self._on_outcome(await self._one(recording, names))

    async def _one(self, recording: Recording, names: sending.Names) -> Outcome:
        sent = sending.request(recording, self._target, names)
        started = time.monotonic()
        told = recording.exchange
        where = endpoint(told.sent.method, recording.path)
        expected = told.received.status
        try:
            async with asyncio.timeout(self._patience):
                answer = await exchange(sent)
        except (OSError, h11.ProtocolError, TimeoutError) as error:
            fault = Fault("status", "no answer", f"{type(error).__name__}: {error}")
            seconds = time.monotonic() - started
            return Outcome(
                recording.id, recording.source, where, expected, 0, (fault,), seconds=seconds
            )
        reason = excuse(recording, answer, set(names.ours)) if _differs(told, answer) else None
        faults = tuple(self._faults(recording, answer, reason))
        names.learn(recording, answer)
        prompt, said = _tokens(answer)
        return Outcome(
            recording.id,
            recording.source,
            where,
            expected,
            answer.received.status,
            faults,
            None if faults else reason,
            round(time.monotonic() - started, 2),
            prompt,
            said,
        )

    def _faults(self, recording: Recording, answer: Exchange, reason: str | None) -> list[Fault]:
        """What is refused for a good reason must still be refused in OpenAI's words."""
        if reason:
            return _malformed(answer)
        if _differs(recording.exchange, answer):
            wanted = f"{recording.exchange.received.status // 100}xx"
            got = f"{answer.received.status}: {answer.received.text[:300]}"
            return [Fault("status", f"expected {wanted}", got)]
        if not answer.received.complete:
            return [Fault("status", "body", "the connection ended before the answer did")]
        judged = self._judge(recording, answer)
        return [Fault(one.kind, one.where, one.message) for one in judged]


def _differs(told: Exchange, answer: Exchange) -> bool:
    return told.received.status // 100 != answer.received.status // 100


def _malformed(answer: Exchange) -> list[Fault]:
    if answer.received.status < 400:
        return []
    try:
        expect.error(answer, answer.received.status)
    except Failed as failure:
        return [Fault("schema", "error", f"expected {failure.expected}, got {failure.actual}")]
    return []


def _tokens(answer: Exchange) -> tuple[int, int]:
    """Of the prompt and of what was said, as the answer counts them."""
    for one in reversed(list(objects(answer.received.body))):
        inner = one.get("response", one)
        usage = inner.get("usage") if isinstance(inner, dict) else None
        if isinstance(usage, dict):
            prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
            said = usage.get("completion_tokens", usage.get("output_tokens"))
            return int(prompt or 0), int(said or 0)
    return 0, 0
