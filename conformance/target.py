"""Where requests go: a server that runs already, or the router, spawned for the run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.client import Sent, exchange

PROFILES = Path(__file__).parent / "targets"
START_TIMEOUT = 180
"""Seconds until a spawned router must be ready; the first conversion is part of it."""


@dataclass(frozen=True)
class Profile:
    """What a server claims, and which checks it is known to fail, each with the reason.

    Capabilities are what checks name as their needs: ``tool_calls``, for one, is a model that
    calls tools when they fit. What every server has needs no name. ``context`` is the length
    of the model's in tokens, where it is known.
    """

    name: str
    capabilities: frozenset[str]
    expected: dict[str, str] = field(default_factory=dict)
    context: int | None = None

    def at(self, base_url: str, model: str, api_key: str) -> Target:
        root = base_url.rstrip("/")
        return Target(root, model, self.capabilities, api_key, context=self.context)


def load_profile(name: str) -> Profile:
    """A profile of ``conformance/targets``. Raises FileNotFoundError with the known names."""
    path = PROFILES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.toml")))
        raise FileNotFoundError(f"there is no target profile {name!r}; known are {known}")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    capabilities = frozenset(data["capabilities"])
    return Profile(name, capabilities, data.get("expected", {}), data.get("context"))


@dataclass(frozen=True)
class Target:
    """``base_url`` ends in the API's prefix, usually /v1; ``pid`` and ``log`` where the
    run owns the process; ``context`` in tokens, where it is known."""

    base_url: str
    model: str
    capabilities: frozenset[str]
    api_key: str = "unused"
    pid: int | None = None
    log: Path | None = None
    context: int | None = None

    @property
    def root(self) -> str:
        return self.base_url.removesuffix("/v1")


SCRIPTED = frozenset(
    {
        *("scripted", "completions", "forced_tools", "health", "json_output"),
        *("kept_responses", "metrics", "ready", "responses", "tool_calls"),
    }
)
"""What the router's scripted engine can be asked."""


@contextlib.asynccontextmanager
async def spawned(
    engine: str, capabilities: frozenset[str], *, port: int = 0, **settings: Any
) -> AsyncIterator[Target]:
    """A router of its own for the run, ready to answer; without a port on a free one. Whoever
    ends this program with SIGTERM ends it, too. On the main thread only.

    ``settings`` are its whole config.json, and what it keeps goes with it: neither the user's
    configuration nor the responses that the user's own router keeps have a part in the run.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _leave)
    with socket.create_server(("127.0.0.1", port)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as scratch:
        config, log = Path(scratch, "config.json"), Path(scratch, "log")
        kept = {"path": str(Path(scratch, "responses.sqlite3"))}
        config.write_text(json.dumps({"responses": kept, **settings}), encoding="utf-8")
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "router", "serve", "--engine", engine),
                *("--port", str(port), "--config", str(config)),
                stdout=output,
                stderr=output,
                env={k: v for k, v in os.environ.items() if not _speaks_of_another(k)},
            )
        base_url = f"http://127.0.0.1:{port}/v1"
        model = "smollm2-135m-instruct-tools"
        target = Target(base_url, model, capabilities, pid=process.pid, log=log)
        try:
            await _ready(port, process)
            yield target
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{log.read_text('utf-8', 'replace')}") from error
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await process.wait()


def _leave() -> None:
    """As an exception, which runs what ``finally`` says; the signal alone would not."""
    raise SystemExit(128 + signal.SIGTERM)


def _speaks_of_another(variable: str) -> bool:
    """Does it configure another server, or a user's own router? Its home has the models."""
    return variable.startswith(("OPENAI_", "MLX_ROUTER_")) and variable != "MLX_ROUTER_HOME"


async def _ready(port: int, process: asyncio.subprocess.Process) -> None:
    for _ in range(START_TIMEOUT * 10):
        if process.returncode is not None:
            raise RuntimeError("the router ended before it was ready")
        with contextlib.suppress(OSError):
            sent = Sent("GET", f"http://127.0.0.1:{port}/ready", {}, None)
            if (await exchange(sent)).received.status == 200:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the router was not ready within {START_TIMEOUT} seconds")
