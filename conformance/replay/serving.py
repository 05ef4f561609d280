"""The server that is asked: one that runs already, or a router for this replay."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from conformance.replay.replaying import PATIENCE
from conformance.target import Target, spawned

KEY = "the-key-of-the-replay"


@contextlib.asynccontextmanager
async def opened(running: Target | None, engine: str, max_tokens: int) -> AsyncIterator[Target]:
    """The server, or a router that asks for a key and bounds what it says: a small model that is
    not told when to stop fills its context."""
    if running:
        yield running
        return
    defaults = {"max_tokens": max_tokens, "timeout": PATIENCE}
    async with spawned(
        engine, frozenset(), defaults=defaults, server={"api_keys": [KEY]}
    ) as target:
        yield Target(target.base_url, target.model, frozenset(), KEY)
