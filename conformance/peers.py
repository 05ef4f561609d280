"""``python -m conformance.peers``: run the checks on another server, on the router's own model.

mlx-lm's server gets the embedded model as the router's engine would give it to MLX: in float32
on the CPU, with the fast BLAS. Without that its answers take minutes there.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

START_TIMEOUT = 120
"""Seconds until the server answers."""


def main(arguments: list[str]) -> int:
    """``arguments`` are passed on to ``python -m conformance``; returns its exit code."""
    model = _float32(_embedded_model())
    with mlx_lm_server(model) as base_url:
        command = [sys.executable, "-m", "conformance", "--base-url", base_url]
        return subprocess.run([*command, "--model", str(model), *arguments]).returncode


@contextlib.contextmanager
def mlx_lm_server(model: Path) -> Iterator[str]:
    """mlx-lm's server on a free port; gives its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlx_lm", "server", "--model", str(model), "--port", str(port)]
    with subprocess.Popen(command, env=_fast_blas(), stderr=subprocess.DEVNULL) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _embedded_model() -> Path:
    pull = [sys.executable, "-m", "router", "pull", "smollm2-135m-instruct"]
    done = subprocess.run(pull, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())


def _float32(model: Path) -> Path:
    """The model as the CPU needs it; made once, beside the original."""
    copy = model.with_name(f"{model.name}-float32")
    if sys.platform == "darwin":
        return model
    if not copy.exists():
        convert = [sys.executable, "-m", "mlx_lm", "convert", "--dtype", "float32"]
        paths = ["--hf-path", str(model), "--mlx-path", str(copy)]
        subprocess.run([*convert, *paths], check=True, env=_fast_blas())
    return copy


def _fast_blas() -> dict[str, str]:
    """What the router's engine does by loading the library itself."""
    library = next(iter(sorted(Path(sys.prefix, "lib").glob("libmkl_rt.so*"))), None)
    return os.environ | ({"LD_PRELOAD": str(library)} if library else {})


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the server did not answer within {START_TIMEOUT} seconds")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
