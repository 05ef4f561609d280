"""How a server starts, says how it is, and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from conformance import metrics
from conformance.check import MUST, SHOULD, check
from conformance.client import Connection, Exchange, Sent
from conformance.expect import json_object, status
from conformance.failure import Failed, expect
from conformance.session import Session, script
from conformance.target import START_TIMEOUT, Target
from conformance.transcript import Transcript

MODEL = "smollm2-135m-instruct-tools"
GRACE = 10.0
"""Seconds a server has to end after Ctrl-C; nox kills what it runs after as many."""

AT_ONCE = 1.0
"""Seconds for what must not wait for a model."""

HISTOGRAMS = ("time_to_first_token_seconds", "request_generation_tokens")
COUNTERS = ("generation_tokens_total", "prompt_tokens_total", "request_success_total")


@check("life.health_ready", level=MUST, cite=["OURS"], needs=("health", "ready"))
async def health_ready(session: Session) -> None:
    """`/health` and `/ready` are 200 in JSON, at once, while the server answers."""
    status(await session.chat(), 200)
    for path in ("//health", "//ready"):
        exchange = await session.request("GET", path)
        status(exchange, 200)
        json_object(exchange)
        seconds = exchange.received.seconds
        expect(seconds < AT_ONCE, f"{path} within {AT_ONCE:g} s", f"{seconds:.2f} s")


@check("life.cold_start", level=MUST, cite=["PEER:llama-swap"], scripted=True)
async def cold_start(session: Session) -> None:
    """While the model is loaded `/health` is 200, `/ready` 503, and a request waits."""
    async with started() as own, session.front(own.root) as root:
        fresh = Session(Target(f"{root}/v1", MODEL, session.target.capabilities))
        await own.listens()
        ready, health, answer = await asyncio.gather(
            fresh.request("GET", "//ready"),
            fresh.request("GET", "//health"),
            fresh.chat(script("Good morning."), fresh=True),
        )
        session.last = answer
        status(health, 200)
        status(ready, 503)
        retry = ready.received.header("retry-after")
        expect(retry is not None, "a Retry-After with the 503", ready.received.headers)
        status(answer, 200)
        text = answer.received.json()["choices"][0]["message"]["content"]
        expect(text == "Good morning.", "the answer", text)
        status(await fresh.request("GET", "//ready"), 200)


@check("life.shutdown", level=MUST, cite=["PEER:llama-swap"], scripted=True)
async def shutdown(session: Session) -> None:
    """After Ctrl-C a stream in flight ends properly, and the server with exit code 0."""
    async with started() as own, session.front(own.root) as root:
        await own.listens()
        fresh = Session(Target(f"{root}/v1", MODEL, session.target.capabilities))
        body = fresh.body(script(" ".join(["tick"] * 15), rate=15), stream=True)
        sent = fresh.sent("POST", "/chat/completions", json_body=body)
        stream = Transcript.of(await _interrupted(sent, own.process))
        session.last = stream.exchange
        reasons = stream.choice.finish_reasons
        expect(
            bool(reasons) or stream.error is not None,
            "a finish_reason or an error event",
            stream.data[-1:],
            "let streams finish, or end them with an error, before you close",
        )
        try:
            async with asyncio.timeout(GRACE):
                code = await own.process.wait()
        except TimeoutError:
            raise Failed(f"an end within {GRACE:g} s", "it runs on") from None
        expect(code == 0, "exit code 0", code)
        with socket.create_server(("127.0.0.1", own.port)):
            pass


async def _interrupted(sent: Sent, process: asyncio.subprocess.Process) -> Exchange:
    """A stream, and Ctrl-C as soon as it has begun."""
    connection = await Connection.open(sent.url)
    try:
        received, reads = await connection.start(sent)
        expect(received.status == 200, "status 200", received.status)
        await anext(reads)
        process.send_signal(signal.SIGINT)
        async for _ in reads:
            pass
        return Exchange(sent, received)
    finally:
        await connection.close()


@check("life.metrics", level=SHOULD, cite=["PEER:vllm"], needs=("metrics",))
async def metrics_endpoint(session: Session) -> None:
    """`/metrics` has vLLM's histograms of latency and tokens, and counters that count."""
    before = await metrics.read(session)
    status(await session.chat(max_tokens=4, fresh=True), 200)
    # Streaming servers count a request when its last byte is out.
    await asyncio.sleep(0.1)
    after = await metrics.read(session)
    for name in HISTOGRAMS:
        expect(f"{name}_bucket" in after, f"a histogram {name}", sorted(after))
    for name in COUNTERS:
        grown = after.get(name, 0.0) - before.get(name, 0.0)
        expect(grown >= 1, f"{name} to grow with a request", f"by {grown:g}")
    counts = [name for name in before if re.search(r"_(total|count|bucket)$", name)]
    shrunk = [name for name in counts if after.get(name, 0.0) < before[name]]
    expect(not shrunk, "counters that only grow", shrunk)


# --- a router of the check's own ----------------------------------------------------


@dataclass(frozen=True)
class Own:
    process: asyncio.subprocess.Process
    port: int

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def listens(self) -> None:
        """Wait until the port is open, which is before the model is loaded."""
        for _ in range(START_TIMEOUT * 100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                await writer.wait_closed()
                return
            expect(self.process.returncode is None, "a server that starts", "it ended")
            await asyncio.sleep(0.01)
        raise Failed(f"an open port within {START_TIMEOUT} s", "none")


@contextlib.asynccontextmanager
async def started() -> AsyncIterator[Own]:
    """A scripted router that may not even listen yet; it is killed at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "router", "serve", "--engine", "scripted", "--port", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")},
    )
    try:
        yield Own(process, port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
