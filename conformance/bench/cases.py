"""What is timed. Each case gives ratios of two things done in turns, so that both meet the same
moods of the machine; the first round warms up and is not counted."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from conformance.session import Session

Json = dict[str, Any]

ROUNDS = 5
MANY_ROUNDS = 12
"""For a difference of a few hundredths."""

STORY_TOKENS = 64

WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer"},
            },
            "required": ["city", "unit", "days"],
        },
    },
}
CALL: Json = {
    "tools": [WEATHER],
    "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    "max_tokens": 200,
}
ONE_STRING: Json = {"type": "object", "properties": {"story": {"type": "string"}}}
HELD: Json = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "story", "schema": {**ONE_STRING, "required": ["story"]}},
    }
}


@dataclass(frozen=True)
class Ratio:
    """``goal`` is a bound for the median: at most (``<=``) or at least (``>=``)."""

    name: str
    meaning: str
    values: list[float]
    goal: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool:
        relation, _, bound = self.goal.partition(" ")
        return not self.goal or (
            self.median <= float(bound) if relation == "<=" else self.median >= float(bound)
        )


@dataclass(frozen=True)
class Servers:
    """The router and mlx-lm's own server, with the same model."""

    router: Session
    peer: Session


Case = Callable[[Servers], Awaitable[list[Ratio]]]


async def tool_call(servers: Servers) -> list[Ratio]:
    """A call whose arguments are held to a schema. The peer, which holds nothing to anything,
    writes as many tokens of text."""
    question = "What is the weather in Paris in celsius for 3 days?"
    skipping, stepping, peer = [], [], []
    for _ in range(ROUNDS + 1):
        seconds, tokens = await _timed(servers.router, question, **CALL)
        skipping.append(seconds)
        # With log probabilities every token must be sampled, forced or not.
        stepping.append((await _timed(servers.router, question, **CALL, logprobs=True))[0])
        seconds, written = await _timed(servers.peer, _story(1), max_tokens=tokens)
        if written != tokens:
            raise RuntimeError(f"the peer wrote {written} tokens instead of {tokens}")
        peer.append(seconds)
    return [
        Ratio(
            "tool_call.skipping",
            "time of a call with forced tokens skipped, to one with every token sampled",
            _ratios(skipping, stepping),
        ),
        Ratio(
            "tool_call.peer",
            "time of a call, to mlx_lm.server writing as many tokens",
            _ratios(skipping, peer),
            goal="<= 0.6",
        ),
    ]


async def neighbours(servers: Servers) -> list[Ratio]:
    """Eight plain streams beside a ninth, which is held to a schema or is as plain as they."""
    beside_plain, beside_held = [], []
    for _ in range(MANY_ROUNDS + 1):
        beside_plain.append(await _eight_beside(servers.router, {}))
        beside_held.append(await _eight_beside(servers.router, HELD))
    return [
        Ratio(
            "neighbours.held",
            "tokens a second of eight streams beside one held to a schema, to beside a plain one",
            _ratios(beside_held, beside_plain),
            goal=">= 0.9",
        )
    ]


async def batching(servers: Servers) -> list[Ratio]:
    """Sixteen streams at once, and one alone, here and there."""
    alone, together, peer_alone, peer_together = [], [], [], []
    for _ in range(ROUNDS + 1):
        alone.append(await _speed(servers.router, 1))
        together.append(await _speed(servers.router, 16))
        peer_alone.append(await _speed(servers.peer, 1))
        peer_together.append(await _speed(servers.peer, 16))
    return [
        Ratio(
            "batching.sixteen",
            "tokens a second of sixteen streams, to one alone",
            _ratios(together, alone),
            goal=">= 4",
        ),
        Ratio(
            "batching.peer_alone",
            "tokens a second of one stream, to mlx_lm.server's",
            _ratios(alone, peer_alone),
        ),
        Ratio(
            "batching.peer_sixteen",
            "tokens a second of sixteen streams, to mlx_lm.server's",
            _ratios(together, peer_together),
        ),
    ]


CASES: dict[str, Case] = {
    "tool_call": tool_call,
    "neighbours": neighbours,
    "batching": batching,
}


def _story(number: int) -> str:
    return f"Write a long story about the number {number} and its friends."


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [a / b for a, b in zip(ours[1:], theirs[1:], strict=True)]


async def _timed(session: Session, prompt: str, **fields: Any) -> tuple[float, int]:
    """Seconds and completion tokens of an answer."""
    started = time.monotonic()
    answer = await session.answer(prompt, fresh=True, **fields)
    return time.monotonic() - started, answer["usage"]["completion_tokens"]


async def _speed(session: Session, streams: int) -> float:
    """Tokens a second of all streams together."""
    asked = [_timed(session, _story(i), max_tokens=STORY_TOKENS) for i in range(streams)]
    started = time.monotonic()
    tokens = sum(tokens for _, tokens in await asyncio.gather(*asked))
    return tokens / (time.monotonic() - started)


async def _eight_beside(session: Session, fields: Json) -> float:
    """Tokens a second of eight plain streams while a ninth, with ``fields``, runs as long."""
    ninth = asyncio.create_task(_timed(session, _story(9), max_tokens=STORY_TOKENS, **fields))
    speed = await _speed(session, 8)
    await ninth
    return speed
