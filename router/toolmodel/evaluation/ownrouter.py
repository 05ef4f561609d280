"""A router of the evaluation's own, as a user starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from types import FrameType

from router.toolmodel.evaluation.model import PATIENCE

START_TIMEOUT = 180
"""Seconds until it must be ready; the first conversion of a model is part of it."""


class StartError(Exception):
    """It did not get ready; the message ends with what it printed."""


@contextlib.contextmanager
def started(*flags: str) -> Iterator[str]:
    """Runs it on a free port, with these flags of ``mlx-router serve``, and gives its base URL.
    Whoever ends this program with SIGTERM ends it too. On the main thread only. Raises
    StartError."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "router", "serve", "--port", str(port), *flags]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
    environment["MLX_ROUTER_DEFAULTS__TIMEOUT"] = str(PATIENCE)
    with _leaving_on_sigterm(), tempfile.TemporaryFile() as log:
        with subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
            try:
                ready = _becomes_ready(port, process)
                if ready:
                    yield f"http://127.0.0.1:{port}/v1"
            finally:
                process.terminate()
        if not ready:
            log.seek(0)
            printed = log.read().decode("utf-8", "replace").strip()
            raise StartError(f"the router did not get ready; it printed:\n{printed}")


@contextlib.contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """As an exception, which runs what ``finally`` says; the signal alone would not."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _becomes_ready(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready") as response,
        ):
            return bool(response.status == 200)
        time.sleep(0.1)
    return False
