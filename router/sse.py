"""Server-sent events: bytes on the wire, and the rule for errors after the headers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from router.errors import ApiError, Internal

log = logging.getLogger("router.sse")

HEADERS = {
    "cache-control": "no-cache",
    # nginx and its kin hold back streams unless told not to.
    "x-accel-buffering": "no",
}
NO_MORE: Mapping[str, str] = {}
DONE = b"data: [DONE]\n\n"

_encode = msgspec.json.Encoder().encode


def data(payload: Any) -> bytes:
    """One event. The encoder escapes newlines, so a payload is always one line."""
    return b"data: " + _encode(payload) + b"\n\n"


async def stream(chunks: AsyncGenerator[Any]) -> AsyncIterator[bytes]:
    """Chunks as events, ``[DONE]`` last. Headers are out by now, so a failure is one error
    event and the end of the stream."""
    try:
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                yield data(chunk)
    except Exception as error:
        yield data(presentable(error).envelope())
    else:
        yield DONE


async def named(events: AsyncGenerator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Events that name their type and say themselves when they end, and how."""
    async with contextlib.aclosing(events):
        async for event in events:
            yield b"event: " + event["type"].encode() + b"\n" + data(event)


def presentable(error: Exception) -> ApiError:
    """What a client may know of a failure while it is being answered; the log has the rest."""
    if isinstance(error, ApiError):
        return error
    log.error("a stream failed", exc_info=error)
    return Internal("The server failed while answering. Its log says why.")


class EventStream(StreamingResponse):
    """A stream that holds on to resources until it ends, however it ends.

    A generator that was never started runs no ``finally``, so a client that leaves before
    the first byte would leak what the generator was given; a response is always called.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        body: AsyncIterator[bytes],
        held: contextlib.AsyncExitStack,
        headers: Mapping[str, str] = NO_MORE,
    ) -> None:
        super().__init__(body, headers={**HEADERS, **headers})
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)
