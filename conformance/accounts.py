"""What a server tells its clients of the tokens that they used, and what it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from conformance import metrics
from conformance.client import Exchange
from conformance.eventstream import EventStream
from conformance.session import Session

Tokens = dict[str, int]
"""``prompt_tokens`` and ``completion_tokens``, also where an API has other names for them."""

NAMES = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}
"""What they are called in chat completions, and in responses."""

COUNTERS = {
    "prompt_tokens": metrics.PROMPT_TOKENS,
    "completion_tokens": metrics.COMPLETION_TOKENS,
}
QUIET = 30.0
"""Seconds for the server to finish what it was asked, before its counters are read."""


def told(exchanges: Iterable[Exchange]) -> Tokens:
    """The sum of what answers say of their usage."""
    total = Counter(dict.fromkeys(NAMES, 0))
    for exchange in exchanges:
        if exchange.sent.method == "POST":
            total.update(_usage(exchange))
    return dict(total)


def _usage(exchange: Exchange) -> Tokens:
    """The last that an answer says, nothing where it says none."""
    usages = [found for part in _parts(exchange) if (found := _in(part))]
    if not usages:
        return {}
    return {name: usages[-1].get(name, usages[-1].get(NAMES[name], 0)) for name in NAMES}


def _in(part: Any) -> dict[str, int] | None:
    """The usage of an answer, or of an event that has a whole response in it."""
    if not isinstance(part, dict):
        return None
    return part.get("usage") or (part.get("response") or {}).get("usage")


def _parts(exchange: Exchange) -> list[Any]:
    """An answer as JSON, a stream as that of its events."""
    if exchange.received.streams:
        return EventStream.of(exchange).data
    try:
        return [exchange.received.json()]
    except ValueError:
        return []


async def begin(session: Session) -> None:
    """Read the server's counters before the first program of a round asks it."""
    async with session.round.beginning:
        if session.round.before is None:
            session.round.before = await _counted(session)


async def counted(session: Session) -> Tokens:
    """What the server counted since the round began."""
    assert session.round.before is not None
    after = await _counted(session)
    return {name: after[name] - session.round.before[name] for name in after}


async def _counted(session: Session) -> Tokens:
    """The server's counters; none where it has no metrics."""
    if "metrics" not in session.target.capabilities:
        return {}
    await metrics.idle(session, QUIET)
    now = await metrics.read(session)
    # Counters appear with the first request.
    return {name: int(now.get(metric, 0)) for name, metric in COUNTERS.items()}
