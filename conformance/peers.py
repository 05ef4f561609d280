"""``python -m conformance.peers``: run the checks on another server, on the router's own model.

mlx-lm's server gets the embedded model as the router's engine would give it to MLX: in float32
on the CPU, with the fast BLAS. Without that its answers take minutes there. It also gets an empty
cache of Hugging Face's, without which it lists no models, and no hub to ask for unknown ones. For
the checks it reads prompts in small steps: it sees only between two of them that a client left.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

PROFILE = "mlx-lm-server"
SMALL_STEPS = ("--prefill-step-size", "256")
"""Tokens: a few seconds on two cores."""

START_TIMEOUT = 120
"""Seconds until the server answers."""


def main(arguments: list[str]) -> int:
    """``arguments`` are passed on to ``python -m conformance``, and may name another profile;
    returns its exit code."""
    model = peer_model()
    with mlx_lm_server(model, *SMALL_STEPS) as base_url:
        command = [sys.executable, "-m", "conformance", "--base-url", base_url]
        command += ["--model", str(model), "--target", PROFILE]
        return subprocess.run([*command, *arguments]).returncode


@contextlib.contextmanager
def mlx_lm_server(model: Path, *flags: str) -> Iterator[str]:
    """mlx-lm's server on a free port; gives its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlx_lm", "server", "--model", str(model)]
    command += ["--port", str(port), *flags]
    with (
        tempfile.TemporaryDirectory() as cache,
        subprocess.Popen(
            command, env=_fast_blas() | _empty_cache(cache), stderr=subprocess.DEVNULL
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def peer_model() -> Path:
    """The folder of the embedded model, as the server needs it on this machine."""
    return _float32(_embedded_model())


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


def _empty_cache(folder: str) -> dict[str, str]:
    return {"HF_HUB_CACHE": folder, "HF_HUB_OFFLINE": "1"}


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
