"""Slow servers, each in its own way."""

from __future__ import annotations

import asyncio
import time

from starlette.responses import Response

from conformance.tests.mutation import Json, Mutant, spoils
from conformance.tests.prefix_cache import PrefixCache


def is_sample(request: Json) -> bool:
    """Is it one of the short streams that most checks judge?"""
    return "token token" in request["messages"][-1]["content"] if "messages" in request else False


def is_token(event: bytes) -> bool:
    """Neither the first delta, which names the role, nor the end."""
    return b'"content":' in event and b'"role":' not in event


class SleepsPerToken(Mutant):
    mark = "token token"
    seconds = 0.0

    def delay(self, event: bytes, request: Json) -> float:
        marked = self.mark in request["messages"][-1]["content"]
        return self.seconds if marked and is_token(event) else 0


@spoils("lat.overhead_ttft")
class ThinksFirst(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        if is_sample(request):
            await asyncio.sleep(0.06)
        return None


@spoils("lat.ttft")
class StartsLate(Mutant):
    also = ("lat.overhead_ttft", "lat.goodput", "lat.e2e")
    asked = 0

    async def before(self, request: Json, path: str) -> Response | None:
        """One in eight has to wait: the median does not show it."""
        if is_sample(request):
            self.asked += 1
            await asyncio.sleep(0.6 if self.asked % 8 == 0 else 0)
        return None


@spoils("lat.itl_p99")
class Stalls(Mutant):
    also = ("lat.goodput", "lat.e2e")
    tokens = 0

    def delay(self, event: bytes, request: Json) -> float:
        if not (is_sample(request) and is_token(event)):
            return 0
        self.tokens += 1
        return 0.35 if self.tokens % 65 == 0 else 0


@spoils("lat.tpot")
class DecodesSlowly(SleepsPerToken):
    also = ("lat.efficiency",)
    seconds = 0.015


@spoils("lat.efficiency")
class WastesAThird(SleepsPerToken):
    seconds = 0.007


@spoils("lat.overhead_token")
class SerializesSlowly(SleepsPerToken):
    mark = "fast fast"
    seconds = 0.006


@spoils("lat.e2e")
class EndsLate(Mutant):
    ended = 0

    def delay(self, event: bytes, request: Json) -> float:
        if not (is_sample(request) and event == b"data: [DONE]"):
            return 0
        self.ended += 1
        return 0.6 if self.ended % 8 == 0 else 0


@spoils("lat.goodput")
class QueuesAll(Mutant):
    in_flight = 0

    async def before(self, request: Json, path: str) -> Response | None:
        if is_sample(request):
            self.in_flight += 1
            await asyncio.sleep(0.35 * (self.in_flight - 1))
        return None

    def delay(self, event: bytes, request: Json) -> float:
        self.in_flight -= is_sample(request) and event == b"data: [DONE]"
        return 0


@spoils("lat.loop_free")
class BlocksItsLoop(Mutant):
    async def before(self, request: Json, path: str) -> Response | None:
        if path == "/health":
            time.sleep(0.4)
        return None


@spoils("lat.cached_ttft")
class ForgetsPrefixes(PrefixCache):
    def known(self, messages: list[Json]) -> int:
        return 0
