"""The prefix cache that the scripted engine does not have, in front of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.responses import Response

from conformance.tests.mutation import Json, Mutant

WORDS_A_SECOND = 5_000
"""How fast this layer reads a prompt that it has not seen."""


class PrefixCache(Mutant):
    """Messages it has seen, in the same order from the first on, cost no time and count as
    cached tokens; a token is a word."""

    features = frozenset({"prefix_cache"})

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.cached: dict[str, int] = {}

    async def before(self, request: Json, path: str) -> Response | None:
        messages = request.get("messages") or []
        known = self.known(messages)
        self.cached[json.dumps(messages)] = known
        for end in range(1, len(messages) + 1):
            self.seen.add(json.dumps(messages[:end]))
        await asyncio.sleep((_words(messages) - known) / WORDS_A_SECOND)
        return None

    def known(self, messages: list[Json]) -> int:
        """How many words of these messages need not be read again."""
        ends = [e for e in range(len(messages) + 1) if json.dumps(messages[:e]) in self.seen]
        return _words(messages[: max(ends, default=0)])

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        if status == 200 and request.get("messages"):
            usage = body["usage"]
            known = self.cached[json.dumps(request["messages"])]
            usage["prompt_tokens_details"]["cached_tokens"] = min(known, usage["prompt_tokens"])
        return status, body


def _words(messages: list[Json]) -> int:
    return len(json.dumps(messages).split())
