"""Real servers on real sockets, shared by the tests that need one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import openai
import pytest

from router import embedded

START_TIMEOUT = 120
"""Seconds until a server must be ready, with the embedded model on a busy machine."""


@dataclass
class Server:
    """A router in a process of its own, as a user runs it."""

    process: subprocess.Popen[str]
    port: int
    log: Path
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, api_key: str = "unused") -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=api_key, max_retries=0)

    def chat(self, content: str, **fields: object) -> httpx.Response:
        messages = [{"role": "user", "content": content}]
        return self.http.post(
            "/v1/chat/completions", json={"model": MODEL, "messages": messages} | fields
        )

    @contextlib.contextmanager
    def unread(self, body: dict[str, object], path: str = "/v1/chat/completions") -> Iterator[None]:
        """A request whose client never reads, and hangs up when the block ends."""
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(content)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port)) as sock:
            sock.sendall(head.encode() + content)
            yield

    def idle(self) -> bool:
        return self.metric("num_requests_running", "num_requests_waiting") == 0

    def metric(self, *names: str) -> float:
        """The sum of metrics over their labels, at one moment."""
        text, either = self.http.get("/metrics").text, "|".join(names)
        lines = re.findall(rf"^mlx_router:(?:{either})(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in lines)

    def model_process(self) -> int:
        """The pid of the model process."""
        children = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "router.engine"],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(children.stdout.split()[0])

    def wait_ready(self, deadline: float = START_TIMEOUT) -> None:
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if self.process.poll() is not None:
                pytest.fail(f"the server ended: {self.log.read_text()}")
            try:
                if self.http.get("/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
            time.sleep(0.05)
        pytest.fail(f"the server is not ready: {self.log.read_text()}")

    def stop(self) -> int:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


MODEL = embedded.BASE.id

Start = Callable[..., Server]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """True as soon as the condition holds, False when it does not within ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--answers",
        type=int,
        default=24,
        help="answers by random schemas that the real model gives (1000: half an hour)",
    )


@pytest.fixture(scope="session")
def answers(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--answers"))


@pytest.fixture(scope="session")
def embedded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MLX_ROUTER_HOME in which both embedded models have been made."""
    home = tmp_path_factory.mktemp("home")
    embedded.ensure(home, embedded.TOOLS.id, lambda stage, fraction: None)
    return home


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a router with these flags; all of them are stopped at the end of the run."""
    servers: list[Server] = []

    def start(*flags: str, home: Path | None = None, ready: bool = True) -> Server:
        folder = tmp_path_factory.mktemp("server")
        port = free_port()
        log = folder / "log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLX_", "OPENAI_"))}
        environment |= {"MLX_ROUTER_HOME": str(home or folder), "HF_HOME": str(folder / "hf")}
        command = [sys.executable, "-m", "router", "serve", "--port", str(port), *flags]
        with log.open("w") as output:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=output, stderr=output, text=True
            )
        server = Server(process, port, log)
        servers.append(server)
        if ready:
            server.wait_ready()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def scripted(start_server: Start) -> Server:
    """A router whose engine plays scripts."""
    return start_server("--engine", "scripted")


@pytest.fixture(scope="session")
def real(start_server: Start, embedded_home: Path) -> Server:
    """A router with the embedded base model on MLX."""
    return start_server("--model", MODEL, home=embedded_home)
