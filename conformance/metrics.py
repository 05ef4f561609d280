"""What a server says of itself at ``GET /metrics``, in Prometheus' text format.

Servers put their own name before a metric's (``vllm:num_requests_running``); here it counts
for nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable

from conformance.expect import status
from conformance.failure import Failed, expect
from conformance.session import Session

SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)(\s+-?\d+)?")
RUNNING = "num_requests_running"
WAITING = "num_requests_waiting"
TOKENS = "generation_tokens_total"
PROMPT_TOKENS = "prompt_tokens_total"
COMPLETION_TOKENS = "request_generation_tokens_sum"
"""Unlike ``TOKENS`` without what only ends an answer, which is in no usage."""

POLL = 0.02


def parse(text: str) -> dict[str, float]:
    """The sum of each metric over its labels. Raises ValueError for a line that is no sample."""
    sums: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"not a sample: {line[:80]!r}")
        sums[match[1].rpartition(":")[2]] += float(match[3])
    return dict(sums)


async def read(session: Session) -> dict[str, float]:
    exchange = await session.request("GET", "//metrics")
    status(exchange, 200)
    try:
        return parse(exchange.received.text)
    except ValueError as error:
        raise Failed("Prometheus' text format", str(error)) from None


async def value(session: Session, *names: str) -> float:
    """The sum of these metrics at one moment."""
    metrics = await read(session)
    for name in names:
        expect(name in metrics, f"a metric {name}", sorted(metrics), "name metrics as vLLM does")
    return sum(metrics[name] for name in names)


async def load(session: Session) -> float:
    """How many sequences the engine has, decoding or before their first token. Read one after
    the other, the two would miss a sequence that goes from waiting to running in between."""
    return await value(session, RUNNING, WAITING)


async def reaches(
    session: Session, condition: Callable[[float], bool], seconds: float
) -> tuple[bool, float]:
    """Whether the load meets a condition within so many seconds, and the last load seen."""
    end = time.monotonic() + seconds
    while True:
        now = await load(session)
        if condition(now) or time.monotonic() >= end:
            return condition(now), now
        await asyncio.sleep(POLL)


async def busy(session: Session, seconds: float = 5) -> None:
    """Wait until the engine has something to do."""
    met, _ = await reaches(session, lambda now: now > 0, seconds)
    expect(met, "a request in the engine", f"none within {seconds:g} s")


async def idle(session: Session, seconds: float, hint: str = "") -> None:
    """Fail unless the engine has nothing to do within so many seconds."""
    met, now = await reaches(session, lambda now: now == 0, seconds)
    expect(met, f"no sequence in the engine within {seconds:g} s", f"{now:g}", hint)


async def still(session: Session, seconds: float = 0.3) -> None:
    """Fail if the engine generates a token in this time."""
    before = await value(session, TOKENS)
    await asyncio.sleep(seconds)
    after = await value(session, TOKENS)
    expect(after == before, "no more tokens", f"{after - before:g} tokens in {seconds:g} s")
