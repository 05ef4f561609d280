"""Servers that mix up, starve or delay requests which come together."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.responses import Response

from conformance.tests.mutation import Json, Mutant, spoils
from conformance.tests.prefix_cache import PrefixCache

WAIT = 4.0


@spoils("conc.isolation")
class SwapsTexts(Mutant):
    held: dict[str, str] | None = None

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        """Each piece of text goes to whoever comes next, in whatever stream."""
        if not request["messages"][-1]["content"].endswith('"rate": 100}}'):
            return [chunk]
        for choice in chunk["choices"]:
            if choice["delta"].get("content"):
                choice["delta"], self.held = self.held or choice["delta"], choice["delta"]
        return [chunk]


class AfterAnother(Mutant):
    """A request waits while one that holds ``mark`` is answered."""

    mark = ""
    free_at = 0.0

    async def before(self, request: Json, path: str) -> Response | None:
        if self.mark in str(request.get("messages")):
            self.free_at = time.monotonic() + WAIT
        else:
            await asyncio.sleep(max(0.0, self.free_at - time.monotonic()))
        return None


@spoils("conc.fair_start")
class OneAtATime(AfterAnother):
    mark = "long long"


@spoils("conc.slow_reader")
class WaitsForTheSlowest(AfterAnother):
    mark = "x" * 1000


@spoils("conc.batch_equal")
class LeaksInBatches(Mutant):
    in_flight = 0
    crowded = False

    async def before(self, request: Json, path: str) -> Response | None:
        self.in_flight += not request.get("stream")
        self.crowded = self.in_flight > 1
        return None

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        self.in_flight -= 1
        if self.crowded:
            body["choices"][0]["message"]["content"] += " leaked"
        return status, body


@spoils("conc.prefix_isolation")
class FindsPrefixesInTheMiddle(PrefixCache):
    def known(self, messages: list[Json]) -> int:
        """What is counted is what ends alike, whatever came before it."""
        known = super().known(messages)
        tail = str(messages[-1:])
        if tail in self.seen:
            return max(known, len(tail.split()))
        self.seen.add(tail)
        return known
