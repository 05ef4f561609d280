"""Routers that a check starts itself, because it is about a setting."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from conformance.session import Session
from conformance.target import SCRIPTED, Target, spawned


@contextlib.asynccontextmanager
async def configured(
    session: Session, *, api_key: str = "unused", **settings: Any
) -> AsyncIterator[Session]:
    """A session with a scripted router of its own, whose config.json holds ``settings``."""
    async with (
        spawned("scripted", SCRIPTED, **settings) as server,
        session.front(server.root) as root,
    ):
        yield Session(Target(f"{root}/v1", server.model, SCRIPTED, api_key))
