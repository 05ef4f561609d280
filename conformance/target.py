"""Where requests go: a server that runs already, or the router, spawned for the run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

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
    engine: str, capabilities: frozenset[str], *flags: str, port: int = 0
) -> AsyncIterator[Target]:
    """A router of its own for the run, ready to answer; without a port on a free one."""
    with socket.create_server(("127.0.0.1", port)) as free:
        port = free.getsockname()[1]
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router", "serve", "--engine", engine),
            *("--port", str(port), *flags),
            stdout=log,
            stderr=log,
            env={k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")},
        )
        base_url = f"http://127.0.0.1:{port}/v1"
        model, file = "smollm2-135m-instruct-tools", Path(log.name)
        target = Target(base_url, model, capabilities, pid=process.pid, log=file)
        try:
            await _ready(port, process)
            yield target
        except RuntimeError as error:
            log.seek(0)
            raise RuntimeError(f"{error}\n{log.read().decode('utf-8', 'replace')}") from error
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await process.wait()


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
