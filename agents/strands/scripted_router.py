"""A router for the tests, whose engine plays scripts instead of running a model."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PATIENCE = 120
"""Seconds until a router must have done a thing, on a busy machine."""


@dataclass
class Router:
    """``log`` has a line for each request."""

    base_url: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.base_url.removesuffix("/v1") + path)

    def ready(self) -> bool:
        try:
            return self.get("/ready").status_code == 200
        except httpx.TransportError:
            return False

    def running(self) -> float:
        """How many requests are being answered."""
        name = "mlx_router:num_requests_running "
        [line] = [line for line in self.get("/metrics").text.splitlines() if line.startswith(name)]
        return float(line.removeprefix(name))


@contextmanager
def scripted_router(folder: Path, **settings: str) -> Iterator[Router]:
    """Needs the router in the environment of the tests. ``settings`` are environment variables."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    router = Router(f"http://127.0.0.1:{port}/v1", folder / "log")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLX_")}
    with router.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "router", "serve", "--engine", "scripted", "--port", str(port)],
            cwd=folder,
            env=environment | {"MLX_ROUTER_HOME": str(folder)} | settings,
            stdout=log,
            stderr=log,
        )
    try:
        assert wait_until(lambda: router.ready() or process.poll() is not None)
        assert process.poll() is None, router.log.read_text()
        yield router
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def wait_until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
