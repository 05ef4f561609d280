"""How many of the recorded answers that are text and calls the router gives as OpenAI gave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.replay.outcome import Outcome

LEAST = 0.95
"""Share of them that must be the same."""

ANSWERED_WITH = "answered with"
"""How the excuse begins where the recorded answer is not text and calls alone."""

SENSES = ("vision", "audio")
"""Excuses of answers about what no model of text sees or hears, however it is served."""


@dataclass(frozen=True)
class Total:
    """``told``: answers that are text and calls. ``sensed``: those of them that are about pictures
    or sounds. ``same``: those that the router gave, too. The others count against it, whatever
    excuses them."""

    told: int
    sensed: int
    same: int

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Total:
        told = [one for one in outcomes if not (one.excuse or "").startswith(ANSWERED_WITH)]
        sensed = sum(one.excuse in SENSES for one in told)
        return cls(len(told), sensed, sum(one.passed for one in told))

    @property
    def share(self) -> float:
        asked = self.told - self.sensed
        return self.same / asked if asked else 1.0

    def __str__(self) -> str:
        return (
            f"{self.told} recorded answers are text and calls, {self.sensed} of them about pictures"
            f" or sounds. Of the other {self.told - self.sensed}, {self.same} are given as OpenAI"
            f" gave them: {self.share:.1%}. What else is n/a is counted as if it had failed."
        )
