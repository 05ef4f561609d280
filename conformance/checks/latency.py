"""How long things take, against the budgets of this kind of machine.

Times are the client's: from the moment a request is written to the read that completes an
event. Only events that a user would see count as tokens.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from conformance.budgets import budget
from conformance.check import MUST, SHOULD, check
from conformance.expect import status
from conformance.failure import Failed, expect
from conformance.session import Json, Session, script, user
from conformance.stats import percentile
from conformance.transcript import Transcript

ATTEMPTS = 3
WARM_UPS = 3
REQUESTS = 30
TOKENS = 10
PREFILL = 0.020
RATE = 200
FAST = 1000
FAST_TOKENS = 200
PREFIX_WORDS = 1300
CACHED_SHARE = 0.35
EFFICIENT = 0.9

Measure = Callable[[int], Awaitable[float]]
"""Measures once; it is given the number of the attempt."""


async def within(
    measure: Measure, limit: float, what: str, unit: str = " ms", *, least: bool = False
) -> None:
    """Fail if all of three measurements are beyond the limit."""
    measured: list[float] = []
    for attempt in range(ATTEMPTS):
        measured.append(await measure(attempt))
        if measured[-1] >= limit if least else measured[-1] <= limit:
            return
    bound = "at least" if least else "at most"
    values = ", ".join(f"{value:.2f}{unit}" for value in measured)
    raise Failed(f"{what} of {bound} {limit:g}{unit}", f"in {ATTEMPTS} measurements {values}")


# --- the sample that most checks judge ----------------------------------------------


_samples: WeakKeyDictionary[Session, list[list[Transcript]]] = WeakKeyDictionary()


async def sample(session: Session, attempt: int) -> list[Transcript]:
    """Thirty short streams, one after the other. Checks share each attempt's."""
    taken = _samples.setdefault(session, [])
    while len(taken) <= attempt:
        streams = [stream for _ in range(WARM_UPS + REQUESTS) for stream in await short(session)]
        taken.append(streams[WARM_UPS:])
    return taken[attempt]


async def short(session: Session, count: int = 1) -> list[Transcript]:
    """So many short streams at once."""
    prompt = "Count from one to ten in words."
    if "scripted" in session.target.capabilities:
        text = " ".join(["token"] * TOKENS)
        prompt = script(text, rate=RATE, prefill_ms=PREFILL * 1000)
    return await together(session, prompt, TOKENS, count)


async def together(session: Session, prompt: str, tokens: int, count: int) -> list[Transcript]:
    """So many equal streams at once. They are read strictly only when all of them have ended:
    the time it takes would count as the server's."""
    exchanges = await asyncio.gather(
        *[
            session.chat(
                prompt,
                fresh=True,
                stream=True,
                max_tokens=tokens,
                stream_options={"include_usage": True},
            )
            for _ in range(count)
        ]
    )
    streams = []
    for each in exchanges:
        status(each, 200)
        stream = Transcript.of(each)
        expect(len(stream.payload_times()) > 1, "tokens, one by one", stream.choice.content)
        streams.append(stream)
    session.streams += streams
    return streams


def ttft(stream: Transcript) -> float:
    return stream.payload_times()[0]


def gaps(stream: Transcript) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(stream.payload_times())]


def tpot(stream: Transcript) -> float:
    """Seconds of a token after the first, by the server's own count of them."""
    times = stream.payload_times()
    tokens = int((stream.usage or {}).get("completion_tokens") or len(times))
    return (times[-1] - times[0]) / max(tokens - 1, 1)


def percentile_of(
    session: Session, value: Callable[[Transcript], float], percent: float
) -> Measure:
    """Measures a percentile over the streams of a sample, in milliseconds."""

    async def measure(attempt: int) -> float:
        streams = await sample(session, attempt)
        return 1000 * percentile([value(stream) for stream in streams], percent)

    return measure


@check("lat.overhead_ttft", level=MUST, cite=["OURS"], scripted=True)
async def overhead_ttft(session: Session) -> None:
    """The server adds little to the time that the engine takes for its first token."""
    for percent in (50, 95):
        limit = budget(session, f"overhead_ttft_p{percent}")
        measure = percentile_of(session, lambda stream: ttft(stream) - PREFILL, percent)
        await within(measure, limit, f"p{percent} of TTFT beyond the script's")


@check("lat.ttft", level=MUST, cite=["OURS"])
async def ttft_budget(session: Session) -> None:
    """The first token comes within its budget for 95 of 100 short prompts."""
    limit = budget(session, "ttft_p95")
    await within(percentile_of(session, ttft, 95), limit, "p95 of TTFT")


@check("lat.itl_p99", level=MUST, cite=["PEER:vllm"])
async def itl_p99(session: Session) -> None:
    """99 of 100 gaps between tokens are within their budget, and no stream stalls."""
    limit = budget(session, "itl_p99")
    stall = budget(session, "stall")

    async def all_gaps(attempt: int) -> list[float]:
        return [gap for stream in await sample(session, attempt) for gap in gaps(stream)]

    async def p99(attempt: int) -> float:
        return 1000 * percentile(await all_gaps(attempt), 99)

    async def longest(attempt: int) -> float:
        """The longest gap; one of up to four medians is none."""
        found = await all_gaps(attempt)
        return 1000 * max(found) if max(found) > 4 * percentile(found, 50) else 0.0

    await within(p99, limit, "p99 of the gaps")
    await within(longest, stall, "the longest gap")


@check("lat.tpot", level=SHOULD, cite=["PEER:vllm"])
async def tpot_budget(session: Session) -> None:
    """A token after the first takes no more than its budget, by the median."""
    await within(percentile_of(session, tpot, 50), budget(session, "tpot_p50"), "p50 of TPOT")


@check("lat.e2e", level=SHOULD, cite=["PEER:vllm"])
async def e2e(session: Session) -> None:
    """The last byte of ten tokens comes within its budget for 95 of 100 requests."""
    measure = percentile_of(session, lambda stream: stream.exchange.received.seconds, 95)
    await within(measure, budget(session, "e2e_p95"), "p95 of the whole request")


@check("lat.efficiency", level=SHOULD, cite=["OURS"])
async def efficiency(session: Session) -> None:
    """Decoding through the server has nine tenths of the speed of the engine alone."""
    alone = budget(session, "engine_tokens_per_second")

    async def share(attempt: int) -> float:
        streams = await sample(session, attempt)
        return 1 / percentile([tpot(stream) for stream in streams], 50) / alone

    await within(share, EFFICIENT, "a share of the engine's speed", "", least=True)


# --- under load ---------------------------------------------------------------------


@check("lat.overhead_token", level=MUST, cite=["OURS"], scripted=True)
async def overhead_token(session: Session) -> None:
    """At 1,000 tokens a second the server adds little time to each, alone and among eight
    streams."""
    prompt = script(" ".join(["fast"] * FAST_TOKENS), rate=FAST)

    async def added(streams: int) -> float:
        """p95 over the streams of what a token took beyond its millisecond."""
        transcripts = await together(session, prompt, FAST_TOKENS, streams)
        return 1000 * percentile([tpot(each) - 1 / FAST for each in transcripts], 95)

    for streams in (1, 8):
        limit = budget(session, f"overhead_token_p95_{streams}")

        async def measure(attempt: int, streams: int = streams) -> float:
            return await added(streams)

        await within(measure, limit, f"p95 of the time added to a token, {streams} at once")


@check("lat.goodput", level=MUST, cite=["PEER:vllm"])
async def goodput(session: Session) -> None:
    """Most requests meet the budgets of TTFT and of gaps, alone and four at a time."""
    first, gap = budget(session, "ttft_p95"), budget(session, "itl_p99")

    def good(stream: Transcript) -> bool:
        return 1000 * ttft(stream) <= first and 1000 * max(gaps(stream)) <= gap

    async def alone(attempt: int) -> float:
        streams = await sample(session, attempt)
        return sum(map(good, streams)) / len(streams)

    async def at_four(attempt: int) -> float:
        streams = [s for _ in range(REQUESTS // 4 + 1) for s in await short(session, 4)]
        return sum(map(good, streams)) / len(streams)

    await within(at_four, budget(session, "goodput_4"), "a share at four", "", least=True)
    await within(alone, budget(session, "goodput_1"), "a share at one", "", least=True)


@check("lat.loop_free", level=MUST, cite=["OURS"], scripted=True, needs=("health",))
async def loop_free(session: Session) -> None:
    """`/health` answers at once while four streams run."""
    prompt = script(" ".join(["load"] * 300), rate=300)

    async def measure(attempt: int) -> float:
        streams = [
            asyncio.create_task(session.chat(prompt, fresh=True, stream=True, max_tokens=...))
            for _ in range(4)
        ]
        times: list[float] = []
        while not any(stream.done() for stream in streams) or not times:
            started = time.monotonic()
            status(await session.request("GET", "//health"), 200)
            times.append(time.monotonic() - started)
            await asyncio.sleep(0.005)
        await asyncio.gather(*streams)
        return 1000 * percentile(times, 99)

    await within(measure, budget(session, "health_p99"), "p99 of GET /health")


@check("lat.cached_ttft", level=SHOULD, cite=["OURS"], needs=("prefix_cache",), timeout=300)
async def cached_ttft(session: Session) -> None:
    """A second turn after a thousand tokens starts in a third of the first one's time."""

    async def share(attempt: int) -> float:
        text = "the cat sat on a mat " * (PREFIX_WORDS // 6)
        turns: list[Json] = [user(f"{secrets.token_hex(8)} {text}. What comes next?")]
        cold = await session.stream(turns, fresh=True, max_tokens=4)
        turns += [{"role": "assistant", "content": cold.choice.content}, user("And then?")]
        warm = await session.stream(turns, fresh=True, max_tokens=4)
        return ttft(warm) / ttft(cold)

    await within(share, CACHED_SHARE, "TTFT as a share of the first turn's", "")
