"""A TCP proxy that is a bad network: it cuts bytes into slices, delays, resets and stalls."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from conformance.listening import listening

LINGER_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST in place of FIN."""

READ_SIZE = 65536


@dataclass(frozen=True)
class Fault:
    """What happens to each direction of each connection.

    ``slice``: bytes are sent on in pieces of this size, each a packet of its own; 0 leaves
    them. ``delay``: seconds before each piece. ``reset_after``: after so many bytes of the
    answer both sides get an RST. ``stall_after``: after so many bytes of the answer nothing
    more is passed on, and nothing more is read.
    """

    slice: int = 0
    delay: float = 0
    reset_after: int | None = None
    stall_after: int | None = None


@contextlib.asynccontextmanager
async def faulty(base_url: str, fault: Fault) -> AsyncIterator[str]:
    """The same URL, by way of the bad network. Plain HTTP only."""
    parts = urlsplit(base_url)

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _link(reader, writer, parts.hostname or "", parts.port or 80, fault)

    async with listening(link) as port:
        yield f"http://127.0.0.1:{port}{parts.path}"


async def _link(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, fault: Fault
) -> None:
    """Carry both directions of one connection until either side ends it."""
    up_reader, up_writer = await asyncio.open_connection(host, port)
    for each in (writer, up_writer):
        each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ways = {
        asyncio.create_task(_carry(reader, up_writer, fault, None, None)),
        asyncio.create_task(_carry(up_reader, writer, fault, fault.reset_after, fault.stall_after)),
    }
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if any(isinstance(way.exception(), _Reset) for way in done):
            _reset(writer)
            _reset(up_writer)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        up_writer.close()


class _Reset(ConnectionError):
    pass


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    fault: Fault,
    reset_after: int | None,
    stall_after: int | None,
) -> None:
    carried = 0
    while data := await reader.read(READ_SIZE):
        size = fault.slice or len(data)
        for start in range(0, len(data), size):
            if fault.delay:
                await asyncio.sleep(fault.delay)
            writer.write(data[start : start + size])
            await writer.drain()
            if fault.slice:
                # Lets the receiver's loop run, so that slices are read one by one.
                await asyncio.sleep(0)
        carried += len(data)
        if reset_after is not None and carried >= reset_after:
            raise _Reset
        if stall_after is not None and carried >= stall_after:
            await asyncio.Event().wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    writer.transport.abort()
