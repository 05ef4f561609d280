"""Routers that a check starts itself, because it is about a setting."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from conformance.session import Session
from conformance.target import SCRIPTED, Target, spawned


@contextlib.asynccontextmanager
async def configured(
    session: Session, *, api_key: str = "unused", **settings: Any
) -> AsyncIterator[Session]:
    """A session with a scripted router of its own, whose config.json holds ``settings``."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(settings), encoding="utf-8")
        async with (
            spawned("scripted", SCRIPTED, "--config", str(file)) as server,
            session.front(server.root) as root,
        ):
            yield Session(Target(f"{root}/v1", server.model, SCRIPTED, api_key))
