"""The router that the evaluation starts for itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import openai
import pytest

from router.tests.conftest import MODEL
from router.toolmodel.evaluation.ownrouter import StartError, started


def test_a_router_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLX_ROUTER_HOME", str(tmp_path))
    with (
        started("--engine", "scripted") as url,
        openai.OpenAI(base_url=url, api_key="unused") as client,
    ):
        assert MODEL in [model.id for model in client.models.list()]
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


WAITS_ON_A_ROUTER = """
import signal
from router.toolmodel.evaluation.ownrouter import started
with started("--engine", "scripted") as url:
    print(url, flush=True)
    signal.pause()
"""


def test_the_router_ends_with_a_program_that_is_terminated() -> None:
    command = [sys.executable, "-c", WAITS_ON_A_ROUTER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        url = program.stdout.readline().strip()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(url)
        program.terminate()
    assert program.returncode == 128 + signal.SIGTERM
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


def test_a_router_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLX_ROUTER_HOME", str(tmp_path))
    with pytest.raises(StartError, match="no-such-model"), started("--model", "no-such-model"):
        pass
