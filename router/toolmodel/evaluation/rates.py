"""What is measured, what is wanted of it, and what came of a case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """A share of cases; ``goal`` in percent, None where there is none yet."""

    name: str
    goal: int | None = None


FUNCTION = Rate("single call: right function", 97)
ARGUMENTS = Rate("single call: exact arguments", 90)
PARALLEL = Rate("parallel calls: exact set", 85)
CHAIN = Rate("two-step chain: exact calls, grounded answer", 85)
MEMORY = Rate("memory", 95)
QUIET = Rate("no spurious call", 99)
SMALL_TALK = Rate("no spurious call: small talk")
NO_FITTING_TOOL = Rate("no spurious call: no fitting tool")
NO_TOOLS = Rate("no spurious call: no tools")
ANSWER = Rate("answer grounded in the result")
PARALLEL_ANSWER = Rate("answer uses all results")
FAILURE = Rate("tool error explained, not called again")
REQUIRED = Rate("tool_choice required: exact call")
NAMED = Rate("tool_choice named: exact call")
VALID = Rate("response_format: valid JSON")
VALUES = Rate("response_format: right values")

RATES = (
    *(FUNCTION, ARGUMENTS, PARALLEL, CHAIN, MEMORY, QUIET, SMALL_TALK, NO_FITTING_TOOL, NO_TOOLS),
    *(ANSWER, PARALLEL_ANSWER, FAILURE, REQUIRED, NAMED, VALID, VALUES),
)
"""In the order they are shown."""


@dataclass(frozen=True)
class Outcome:
    """What came of one case: whether the model did well by each rate that it counts for."""

    verdicts: dict[Rate, bool]
    request: str
    expected: str
    got: str

    @property
    def missed(self) -> list[Rate]:
        return [rate for rate, well in self.verdicts.items() if not well]


@dataclass(frozen=True)
class Score:
    rate: Rate
    right: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.right / self.of

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        return None if self.rate.goal is None else self.percent >= self.rate.goal


def scores(outcomes: Sequence[Outcome]) -> list[Score]:
    """One for each rate that any outcome counts for."""
    right: Counter[Rate] = Counter()
    of: Counter[Rate] = Counter()
    for outcome in outcomes:
        of.update(outcome.verdicts.keys())
        right.update(rate for rate, well in outcome.verdicts.items() if well)
    return [Score(rate, right[rate], of[rate]) for rate in RATES if of[rate]]
