"""The commands as a user runs them: output, exit code, one clear line when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from router import config, embedded
from router.tests.conftest import MODEL, Server

TOOLS = embedded.TOOLS.id


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLX_", "OPENAI_"))}
    return subprocess.run(
        [sys.executable, "-m", "router", *words],
        cwd=cwd,
        env=clean | {"HF_HOME": str(cwd / "hf"), "MLX_ROUTER_HOME": str(cwd)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def mistake(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a command that could not be carried out."""
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("mlx-router: ")
    return line


def test_models(tmp_path: Path, embedded_home: Path) -> None:
    text = run("models", cwd=tmp_path).stdout
    assert f"{TOOLS} (default)" in text
    default, base = json.loads(run("models", "--json", cwd=embedded_home).stdout)
    assert (default["id"], default["default"]) == (TOOLS, True)
    assert (base["id"], base["default"]) == (MODEL, False)
    assert base["size_bytes"] > 200_000_000


def test_doctor(embedded_home: Path) -> None:
    done = run("doctor", "--json", cwd=embedded_home)
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert list(checks) == ["python", "mlx", "blas", "home", "model", "port"]
    assert "GFLOP/s" in checks["mlx"]["detail"]
    assert checks["blas"]["ok"]
    assert str(embedded_home) in checks["model"]["detail"]
    assert "GFLOP/s" in run("doctor", cwd=embedded_home).stdout


def test_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"defaults": {"model": "smollm"}}')
    done = run("doctor", cwd=tmp_path)
    assert done.returncode == 1
    assert "defaults.model" in done.stdout


def test_config_init_and_schema(tmp_path: Path) -> None:
    assert run("config", "init", cwd=tmp_path).returncode == 0
    assert config.load(tmp_path / "config.json") == config.Config()
    assert "exists already" in mistake(run("config", "init", cwd=tmp_path))
    schema = json.loads(run("config", "schema", cwd=tmp_path).stdout)
    assert set(schema["properties"]) >= {"defaults", "server", "models"}


def test_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"server": {"prot": 1}}')
    assert "server.port" in mistake(run("models", cwd=tmp_path))


def test_pull_prepares_the_embedded_model(embedded_home: Path) -> None:
    done = run("pull", MODEL, cwd=embedded_home)
    assert Path(done.stdout.strip()) == embedded_home / "models" / MODEL


def test_pull_without_a_hub(tmp_path: Path) -> None:
    done = run("pull", "org/name", cwd=tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert "org/name" in mistake(done)


def test_chat(scripted: Server, tmp_path: Path) -> None:
    done = run("chat", "hello there", cwd=tmp_path, OPENAI_BASE_URL=f"{scripted.url}/v1")
    assert done.stdout.strip() == "You said: hello there"
    assert "4 tokens" in done.stderr


def test_chat_without_a_server(tmp_path: Path) -> None:
    done = run("chat", "hello", "--base-url", "http://127.0.0.1:9/v1", cwd=tmp_path)
    assert "mlx-router serve" in mistake(done)


def test_chat_with_an_unknown_model(scripted: Server, tmp_path: Path) -> None:
    done = run("chat", "hi", "--base-url", f"{scripted.url}/v1", "--model", "x", cwd=tmp_path)
    assert "does not exist" in mistake(done)


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--model", "smollm2-135m-instrukt"), MODEL),
        (("--config", "nowhere.json"), "nowhere.json"),
        (("--host", "192.0.2.1"), "cannot listen on 192.0.2.1: "),
        (("--host", "nowhere.invalid"), "--host"),
    ],
)
def test_serve_with_something_wrong(tmp_path: Path, flags: tuple[str, ...], word: str) -> None:
    line = mistake(run("serve", "--port", "0", *flags, cwd=tmp_path))
    assert word in line
    assert "rrno" not in line
    assert "Unknown error" not in line


def test_a_port_in_use(tmp_path: Path, scripted: Server) -> None:
    port = str(scripted.port)
    line = mistake(run("serve", "--engine", "scripted", "--port", port, cwd=tmp_path))
    assert line.endswith("is in use: another server may be running. Choose another with --port.")
    done = run("doctor", "--json", cwd=tmp_path, MLX_ROUTER_SERVER__PORT=port)
    detail = {check["name"]: check["detail"] for check in json.loads(done.stdout)}["port"]
    assert f"mlx-router: {detail}" == line
