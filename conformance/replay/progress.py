"""How far a replay is, for somebody who waits: a machine may take an hour."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from conformance.replay.outcome import Outcome
from conformance.replay.recording import Recording

INTERVAL = 15
"""Seconds between two lines."""


class Progress:
    """What is left is reckoned in bytes of requests, because it is long prompts that take
    time. What was not ``ahead`` is no progress."""

    def __init__(self, ahead: Sequence[Recording], say: Callable[[str], None]) -> None:
        self._sizes = {one.id: 1 + len(one.exchange.sent.body or b"") for one in ahead}
        self._heard: list[Outcome] = []
        self._say = say
        self._started = self._said = time.monotonic()

    def heard(self, outcome: Outcome) -> None:
        if outcome.id not in self._sizes:
            return
        self._heard.append(outcome)
        now = time.monotonic()
        if now - self._said >= INTERVAL:
            self._said = now
            self._say(self.line(now - self._started))

    def line(self, seconds: float) -> str:
        """After so many seconds."""
        failed = sum(bool(one.faults) for one in self._heard)
        read = sum(one.prompt for one in self._heard) / seconds
        written = sum(one.answer for one in self._heard) / seconds
        done = sum(self._sizes[one.id] for one in self._heard)
        left = seconds * (sum(self._sizes.values()) - done) / done
        count = f"{len(self._heard)} of {len(self._sizes)}, {failed} failed"
        speed = f"{read:.0f} and {written:.0f} tokens/s read and written"
        return f"{count}; {speed}; about {left / 60:.0f} min left"
