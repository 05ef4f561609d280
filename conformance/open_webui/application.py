"""Open WebUI, run as integrations/open-webui says, with a new and empty folder for its data."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from conformance.client import Sent, exchange

INTEGRATION = Path(__file__).parents[2] / "integrations" / "open-webui"
START_TIMEOUT = 900
"""Seconds until it answers; the first time, it is downloaded before."""


@contextlib.asynccontextmanager
async def open_webui(base_url: str) -> AsyncIterator[str]:
    """An Open WebUI that nobody has signed up to, with the server at ``base_url`` as its models;
    gives its own address. Raises RuntimeError with its log if it does not start."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *_command(port), env=_environment(base_url, folder), cwd=folder, stdout=log, stderr=log
        )
        try:
            await _answers(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        except RuntimeError as error:
            text = Path(log.name).read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{error}\n{text}") from error
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _command(port: int) -> list[str]:
    uvx = shutil.which("uvx")
    if uvx is None:
        raise RuntimeError("Open WebUI is run by uvx, which is not here: pip install uv")
    return [
        *(uvx, "--python", ">=3.11,<3.13", "--from", "open-webui"),
        *("--with-requirements", str(INTEGRATION / "requirements.txt")),
        *("--overrides", str(INTEGRATION / "without-models.txt")),
        *("--env-file", str(INTEGRATION / "open-webui.env")),
        *("open-webui", "serve", "--host", "127.0.0.1", "--port", str(port)),
    ]


def _environment(base_url: str, folder: str) -> dict[str, str]:
    """What the machine is set up with, and over the settings of the integration where the router
    is, a folder of its own, and that the model is to answer the same each time."""
    machine = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "WEBUI_"))}
    return machine | {
        "OPENAI_API_BASE_URL": base_url,
        "DATA_DIR": folder,
        "DEFAULT_MODEL_PARAMS": '{"temperature": 0}',
    }


async def _answers(address: str, process: asyncio.subprocess.Process) -> None:
    for _ in range(START_TIMEOUT * 2):
        if process.returncode is not None:
            raise RuntimeError("Open WebUI ended before it answered")
        with contextlib.suppress(OSError):
            if (await exchange(Sent("GET", f"{address}/health", {}, None))).received.status == 200:
                return
        await asyncio.sleep(0.5)
    raise RuntimeError(f"Open WebUI did not answer within {START_TIMEOUT} seconds")
