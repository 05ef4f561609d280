"""The sessions of a run: with one server, or with a router started twice for it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from conformance.session import Session
from conformance.target import SCRIPTED, Profile, Target, spawned


@contextlib.asynccontextmanager
async def opened(
    profile: Profile, running: Target | None
) -> AsyncIterator[tuple[Session, Session | None]]:
    """A session with the target, and one with a scripted router, which is there only without a
    running target: then a router with the embedded model is started, too."""
    if running is not None:
        yield Session(running), None
        return
    own = profile.capabilities
    async with spawned("mlx", own) as real, spawned("scripted", SCRIPTED | own) as scripted:
        yield Session(real), Session(scripted)
