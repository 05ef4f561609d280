"""Clients that leave: nothing goes on for them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from conformance import metrics
from conformance.check import MUST, check
from conformance.client import Connection, Sent
from conformance.expect import status
from conformance.failure import expect
from conformance.session import Session, script

SOON = 1.0
"""Seconds within which the sequence of a client that has left must be gone."""

RATE = 20
WORDS = 80
"""Together the four seconds that an answer would go on when nobody cancels it."""

BURST = 50
SPARE_FILES = 5
SPARE_BYTES = 48 << 20
ERROR = re.compile(r"\[(?:error|critical)\]|\b(?:ERROR|CRITICAL)\b|Traceback")
NOT_CANCELLED = "cancel the sequence when the client's connection closes"


def endless(name: str, **fields: object) -> str:
    return script(" ".join([name] * WORDS), rate=RATE, **fields)


def request(session: Session, prompt: str, *, stream: bool) -> Sent:
    body = session.body(prompt, stream=stream, max_tokens=WORDS)
    return session.sent("POST", "/chat/completions", json_body=body)


@contextlib.asynccontextmanager
async def unread(sent: Sent) -> AsyncIterator[None]:
    """A client that has sent its request, waits for the answer, and leaves at the end."""
    connection = await Connection.open(sent.url)
    reading = asyncio.create_task(connection.request(sent))
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await connection.close()


async def left(session: Session, prompt: str, *, stream: bool) -> None:
    """Leave as soon as the engine has the request; everything of it must go within SOON."""
    await metrics.idle(session, 10)
    async with unread(request(session, prompt, stream=stream)):
        await metrics.busy(session)
    await metrics.idle(session, SOON, NOT_CANCELLED)
    await metrics.still(session)


@check("cancel.stream", level=MUST, cite=["OURS"], scripted=True, needs=("metrics",))
async def stream(session: Session) -> None:
    """When a client leaves a stream its sequence is gone within a second."""
    await metrics.idle(session, 10)
    sent = request(session, endless("stream"), stream=True)
    connection = await Connection.open(sent.url)
    try:
        received, body = await connection.start(sent)
        while received.body.count(b'"content":"') + received.body.count(b'"content": "') < 3:
            await anext(body)
    finally:
        await connection.close()
    await metrics.idle(session, SOON, NOT_CANCELLED)
    await metrics.still(session)


@check("cancel.prefill", level=MUST, cite=["OURS"], scripted=True, needs=("metrics",))
async def prefill(session: Session) -> None:
    """When a client leaves while its prompt is read the sequence is gone within a second."""
    await left(session, endless("prefill", prefill_ms=4000), stream=True)


@check("cancel.nonstream", level=MUST, cite=["OURS"], scripted=True, needs=("metrics",))
async def nonstream(session: Session) -> None:
    """When a client leaves that did not ask for a stream its sequence is gone as soon."""
    await left(session, endless("whole"), stream=False)


@check("cancel.queued", level=MUST, cite=["PEER:llama-swap"], scripted=True, needs=("metrics",))
async def queued(session: Session) -> None:
    """A request whose client leaves while it waits for a model never reaches the engine."""
    await metrics.idle(session, 10)
    crash = script("gone", mishap={"kind": "crash"})
    status(await session.chat(crash, fresh=True), 500)
    before = await metrics.value(session, metrics.TOKENS)
    # The process has to start again, which is when this request has to wait.
    async with unread(request(session, endless("queued"), stream=False)):
        await asyncio.sleep(0.03)
    answer = await session.answer(script("one two three"), fresh=True)
    expect(answer["choices"][0]["message"]["content"] == "one two three", "the next answer", answer)
    await metrics.idle(session, SOON, "forget a request that waits when its client leaves")
    made = await metrics.value(session, metrics.TOKENS) - before
    expect(made == 3, "the next answer's 3 tokens", f"{made:g} tokens")


@check("cancel.burst", level=MUST, cite=["OURS"], scripted=True, needs=("metrics",))
async def burst(session: Session) -> None:
    """After fifty clients have come and left, nothing of them is left: sequences, open files,
    memory; and no error is in the log."""
    await metrics.idle(session, 10)
    await _visit(session)
    before, logged = held(session.target.pid), len(_log(session))
    for _ in range(BURST // 10):
        await asyncio.gather(*[_visit(session) for _ in range(10)])
    await metrics.idle(session, SOON, NOT_CANCELLED)
    await metrics.still(session)
    errors = [line for line in _log(session)[logged:] if ERROR.search(line)]
    expect(not errors, "no error in the log", errors[:3], "a client that leaves is no error")
    if before is None:
        return
    await _settles(lambda: _fewer_files(session.target.pid, before))
    after = held(session.target.pid)
    assert after is not None
    expect(
        after.files <= before.files + SPARE_FILES, f"about {before.files} open files", after.files
    )
    expect(
        after.bytes <= before.bytes + SPARE_BYTES,
        f"about {before.bytes >> 20} MB of memory",
        f"{after.bytes >> 20} MB",
    )


def _log(session: Session) -> list[str]:
    """The lines that the server has written; none where the run cannot see them."""
    file = session.target.log
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file else []


async def _visit(session: Session) -> None:
    sent = request(session, endless("burst"), stream=True)
    connection = await Connection.open(sent.url)
    try:
        received, body = await connection.start(sent)
        expect(received.status == 200, "status 200", received.status)
        await anext(body)
    finally:
        await connection.close()


# --- what a process holds -----------------------------------------------------------


@dataclass(frozen=True)
class Held:
    files: int
    bytes: int


def held(pid: int | None) -> Held | None:
    """Open files and resident memory of a process. None where they cannot be seen: it is not
    the run's own, or the system has no /proc."""
    folder = Path(f"/proc/{pid}")
    if pid is None or not (folder / "fd").is_dir():
        return None
    resident = next(
        line for line in (folder / "status").read_text().splitlines() if line.startswith("VmRSS:")
    )
    return Held(len(list((folder / "fd").iterdir())), int(resident.split()[1]) << 10)


async def _fewer_files(pid: int | None, before: Held) -> bool:
    now = held(pid)
    return now is None or now.files <= before.files + SPARE_FILES


async def _settles(condition: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + SOON
    while not await condition() and time.monotonic() < end:
        await asyncio.sleep(metrics.POLL)
