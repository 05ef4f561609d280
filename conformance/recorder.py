"""A proxy that notes what a client asks of a server, and what it is answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import h11

from conformance.client import READ_SIZE, Connection, Exchange, Sent
from conformance.listening import listening

OF_ONE_HOP = {b"connection", b"host", b"keep-alive", b"transfer-encoding"}


@contextlib.asynccontextmanager
async def recorded(base_url: str) -> AsyncIterator[tuple[str, list[Exchange]]]:
    """The same URL by way of the proxy, and the exchanges so far, as their answers began."""
    parts = urlsplit(base_url)
    exchanges: list[Exchange] = []

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Where the server breaks off, so does the proxy.
        with contextlib.suppress(h11.ProtocolError):
            await _Link(reader, writer, f"{parts.scheme}://{parts.netloc}", exchanges).carry()

    async with listening(link) as port:
        yield f"http://127.0.0.1:{port}{parts.path}", exchanges


class _Link:
    """One connection of the client; each of its requests gets one of its own to the server."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        root: str,
        exchanges: list[Exchange],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._root, self._exchanges = root, exchanges
        self._client = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)

    async def carry(self) -> None:
        while (sent := await self._request()) is not None:
            await self._answer(sent)
            if self._client.our_state is not h11.DONE:
                return
            self._client.start_next_cycle()

    async def _request(self) -> Sent | None:
        """The next request; None when the client has hung up."""
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        body = b""
        while isinstance(event := await self._event(), h11.Data):
            body += bytes(event.data)
        headers = {n.decode(): v.decode("latin-1") for n, v in head.headers if n not in OF_ONE_HOP}
        return Sent(head.method.decode(), self._root + head.target.decode(), headers, body)

    async def _event(self) -> Any:
        while (event := self._client.next_event()) is h11.NEED_DATA:
            self._client.receive_data(await self._reader.read(READ_SIZE))
        return event

    async def _answer(self, sent: Sent) -> None:
        """Pass the request on, and what comes back as it comes."""
        server = await Connection.open(self._root)
        try:
            received, reads = await server.start(sent)
            self._exchanges.append(Exchange(sent, received))
            names = [(n, v) for n, v in received.headers if n.encode() not in OF_ONE_HOP]
            await self._send(h11.Response(status_code=received.status, headers=names))
            async for data in reads:
                await self._send(h11.Data(data=data))
            await self._send(h11.EndOfMessage())
        finally:
            await server.close()

    async def _send(self, event: h11.Response | h11.Data | h11.EndOfMessage) -> None:
        self._writer.write(self._client.send(event) or b"")
        await self._writer.drain()
