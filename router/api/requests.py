"""What every endpoint does with a request before it looks at its meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from fastapi import Request

from router.body import parse_object
from router.errors import TooLarge

T = TypeVar("T")


class ClientGone(Exception):
    """The client hung up before it had an answer."""


async def json_object(request: Request, limit: int) -> dict[str, Any]:
    """The body as a JSON object of at most ``limit`` bytes. Raises TooLarge, BadRequest."""
    too_large = TooLarge(
        f"The request body is over the limit of {limit >> 20} MiB (server.max_body_mb)."
    )
    if int(request.headers.get("content-length") or 0) > limit:
        raise too_large
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise too_large
    return parse_object(bytes(body))


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The result of ``work``, which is cancelled when the client hangs up.

    Starlette does this for streams by itself, but never cancels a handler. The body must
    have been read. Raises ClientGone.
    """
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        for unfinished in (task, watcher):
            unfinished.cancel()
        await asyncio.gather(task, watcher, return_exceptions=True)


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
