"""A plain HTTP/1.1 client that hides nothing: every read has a time, every byte is kept.

Ordinary clients buffer, retry, decompress and tidy up, which are the very things a check must
see. h11 parses the protocol; sockets and clocks are ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import h11

READ_SIZE = 65536


@dataclass(frozen=True)
class Sent:
    """A request as it was sent. ``body`` None: no body at all."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    def curl(self) -> str:
        """The command that repeats it; keys are not shown."""
        words = ["curl", "-sS", "-X", self.method, self.url]
        for name, value in self.headers.items():
            words += ["-H", f"{name}: {'Bearer …' if name == 'authorization' else value}"]
        if self.body is not None:
            words += ["-d", self.body.decode("utf-8", "replace")]
        return shlex.join(words)


@dataclass
class Received:
    """A response. ``reads`` are (seconds since the request was written, bytes of the body).
    ``reusable``: its connection may carry another request."""

    status: int
    headers: list[tuple[str, str]]
    reads: list[tuple[float, bytes]] = field(default_factory=list)
    seconds: float = 0.0
    complete: bool = False
    reusable: bool = False

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n == name.lower()), None)

    @property
    def streams(self) -> bool:
        """Is the body server-sent events?"""
        return "event-stream" in (self.header("content-type") or "")

    @property
    def body(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Exchange:
    sent: Sent
    received: Received


class Connection:
    """One TCP connection; several exchanges may follow each other on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)

    @classmethod
    async def open(cls, base_url: str) -> Connection:
        parts = urlsplit(base_url)
        ssl = True if parts.scheme == "https" else None
        port = parts.port or (443 if ssl else 80)
        return cls(*await asyncio.open_connection(parts.hostname, port, ssl=ssl))

    async def start(self, sent: Sent) -> tuple[Received, AsyncIterator[bytes]]:
        """Send a request, read the head of the answer; the body comes from the iterator."""
        parts = urlsplit(sent.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = sent.body or b""
        headers = {"host": parts.netloc, **sent.headers}
        if sent.body is not None:
            headers.setdefault("content-length", str(len(body)))
        self._write(h11.Request(method=sent.method, target=target, headers=list(headers.items())))
        if body:
            self._write(h11.Data(data=body))
        self._write(h11.EndOfMessage())
        await self.writer.drain()
        started = time.monotonic()
        event = await self._event()
        while isinstance(event, h11.InformationalResponse):
            event = await self._event()
        if not isinstance(event, h11.Response):
            raise ConnectionError(f"no response, but {type(event).__name__}")
        names = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers]
        received = Received(event.status_code, names)
        return received, self._body(received, started)

    async def _body(self, received: Received, started: float) -> AsyncIterator[bytes]:
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.ConnectionClosed):
                return
            data = bytes(event.data)
            received.reads.append((time.monotonic() - started, data))
            yield data
        received.seconds = time.monotonic() - started
        received.complete = True
        received.reusable = self._protocol.their_state is h11.DONE

    async def request(self, sent: Sent) -> Exchange:
        received, body = await self.start(sent)
        async for _ in body:
            pass
        return Exchange(sent, received)

    def next_exchange(self) -> None:
        self._protocol.start_next_cycle()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def _write(self, event: Any) -> None:
        self.writer.write(self._protocol.send(event) or b"")

    async def _event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self.reader.read(READ_SIZE))
        return event


async def exchange(sent: Sent) -> Exchange:
    """One request on a connection of its own."""
    connection = await Connection.open(sent.url)
    try:
        return await connection.request(sent)
    finally:
        await connection.close()
