"""Recordings, sent to a server: those of a cassette one after another, cassettes side by side."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
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
from conformance.replay.journal import Journal
from conformance.replay.outcome import Fault, Outcome
from conformance.replay.recording import Recording
from conformance.target import Target

AT_ONCE = 8
"""Cassettes in flight."""

PATIENCE = 1800
"""Seconds for one answer: on a CPU, eight long prompts take minutes."""


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
    """Carries out cassettes against one server; ``on_outcome`` hears of each request at once.
    What the journal knows is not sent again, but is judged."""

    def __init__(
        self,
        target: Target,
        judge: Judge,
        on_outcome: Callable[[Outcome], None],
        journal: Journal,
        *,
        at_once: int = AT_ONCE,
        patience: float = PATIENCE,
    ) -> None:
        self._target = target
        self._judge = judge
        self._on_outcome = on_outcome
        self._journal = journal
        self._patience = patience
        self._room = asyncio.Semaphore(at_once)

    async def run(self, told: Iterable[Cassette]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for cassette in told:
                tasks.create_task(self._cassette(cassette))

    async def _cassette(self, recordings: Cassette) -> None:
        names = sending.Names()
        known = self._journal.recall(recordings)
        async with self._room:
            for recording in recordings:
                answer = known.get(recording.id)
                try:
                    answer = answer or await self._answer(recording, names)
                except (OSError, h11.ProtocolError, TimeoutError) as error:
                    self._on_outcome(_unanswered(recording, error))
                    continue
                self._on_outcome(self._outcome(recording, answer, set(names.ours)))
                names.learn(recording, answer)

    async def _answer(self, recording: Recording, names: sending.Names) -> Exchange:
        sent = sending.request(recording, self._target, names)
        async with asyncio.timeout(self._patience):
            answer = await exchange(sent)
        self._journal.keep(recording, answer)
        return answer

    def _outcome(self, recording: Recording, answer: Exchange, known: set[str]) -> Outcome:
        told = recording.exchange
        reason = excuse(recording, answer, known) if _differs(told, answer) else None
        faults = tuple(self._faults(recording, answer, reason))
        prompt, said = _tokens(answer)
        return Outcome(
            id=recording.id,
            source=recording.source,
            endpoint=endpoint(told.sent.method, recording.path),
            expected=told.received.status,
            status=answer.received.status,
            faults=faults,
            excuse=None if faults else reason,
            seconds=round(answer.received.seconds, 2),
            prompt=prompt,
            answer=said,
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


def _unanswered(recording: Recording, error: Exception) -> Outcome:
    told = recording.exchange
    where = endpoint(told.sent.method, recording.path)
    fault = Fault("status", "no answer", f"{type(error).__name__}: {error}")
    return Outcome(recording.id, recording.source, where, told.received.status, 0, (fault,))


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
