"""A broken server for each check: a correct one behind a proxy that spoils one thing.

The correct one is the router with its scripted engine. A mutant is registered under the id of
the check that must catch it; a few lines change requests on their way in (a field that is
ignored) or answers on their way out::

    @spoils("stream.role_once")
    class RoleInEveryDelta(Mutant):
        def chunk(self, chunk, request):
            for choice in chunk["choices"]:
                choice["delta"]["role"] = "assistant"
            return [chunk]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive", "date"}


class Mutant:
    """Override what is to be spoiled; everything else passes unchanged.

    ``also`` names checks that cannot help failing with it, ``features`` the capabilities that
    it adds to the server's (see ``features.py``).
    """

    also: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()

    def request(self, path: str, body: Json) -> Json:
        """The JSON body of a request, before the server sees it."""
        return body

    def answer(self, status: int, body: Any, request: Json, path: str) -> tuple[int, Any]:
        """Status and JSON body of an answer."""
        return status, body

    def headers(self, headers: dict[str, str], status: int, path: str) -> dict[str, str]:
        return headers

    def chunk(self, chunk: Json, request: Json) -> list[Json]:
        """One chunk of a stream that is no error, or any event of a stream of Responses: what is
        sent in its place."""
        return [chunk]

    def event(self, line: bytes) -> bytes:
        """One event as bytes, its empty line included; ``data: [DONE]`` too."""
        return line

    async def before(self, request: Json, path: str) -> Response | None:
        """An answer instead of the server's."""
        return None

    async def read(self, request: Request) -> bytes:
        """The body of a request as it comes from the client."""
        return await request.body()

    def delay(self, event: bytes, request: Json) -> float:
        """Seconds that an event of the server waits before it is spoilt and sent on."""
        return 0

    def keeps_reading(self, request: Json) -> bool:
        """Whether the server goes on for a client that has left."""
        return False

    def door(self, headers: Mapping[str, str], path: str) -> Response | None:
        """An answer that looks at nothing but a request's headers."""
        return None


MUTANTS: dict[str, type[Mutant]] = {}


def spoils(check_id: str) -> Callable[[type[Mutant]], type[Mutant]]:
    def register(mutant: type[Mutant]) -> type[Mutant]:
        assert check_id not in MUTANTS, f"two mutants for {check_id}"
        MUTANTS[check_id] = mutant
        return mutant

    return register


@contextlib.asynccontextmanager
async def spoiled(upstream: str, mutant: Mutant) -> AsyncIterator[str]:
    """The root URL of a server that is ``upstream`` (a root URL too) but for the mutant."""
    async with (
        httpx.AsyncClient(base_url=upstream, timeout=120) as client,
        _serving(_proxy(client, mutant)) as root,
    ):
        yield root


def _proxy(client: httpx.AsyncClient, mutant: Mutant) -> Starlette:
    async def handle(request: Request) -> Response:
        raw = await mutant.read(request)
        path = request.url.path
        if (refused := mutant.door(request.headers, path)) is not None:
            return refused
        body, sent = _object(raw), raw
        if body is not None:
            if (own := await mutant.before(body, path)) is not None:
                return own
            sent = json.dumps(mutant.request(path, json.loads(raw))).encode()
        elif (own := await mutant.before({}, path)) is not None:
            return own
        headers = {k: v for k, v in request.headers.items() if k not in HOP_BY_HOP}
        query = request.url.query
        target = request.scope["raw_path"].decode() + (f"?{query}" if query else "")
        outgoing = client.build_request(request.method, target, content=sent, headers=headers)
        lasting = mutant.keeps_reading(body or {})
        exchange = asyncio.create_task(_exchange(client, outgoing))
        upstream_answer = await (exchange if lasting else _unless_left(request, exchange))
        if upstream_answer is None:
            return Response(status_code=499)
        kept = {k: v for k, v in upstream_answer.headers.items() if k not in HOP_BY_HOP}
        kept = mutant.headers(kept, upstream_answer.status_code, path)
        if "event-stream" in upstream_answer.headers.get("content-type", ""):
            reads = _pumped(upstream_answer) if lasting else upstream_answer.aiter_raw()
            events = _events(upstream_answer, reads, mutant, body or {})
            return StreamingResponse(events, upstream_answer.status_code, kept)
        content = upstream_answer.content
        status, content = _answered(mutant, upstream_answer.status_code, content, body or {}, path)
        return Response(content, status, kept)

    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]
    return Starlette(routes=[Route("/{path:path}", handle, methods=methods)])


def _object(raw: bytes) -> Json | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _answered(
    mutant: Mutant, status: int, content: bytes, request: Json, path: str
) -> tuple[int, bytes]:
    try:
        body = json.loads(content)
    except ValueError:
        return status, content
    status, spoilt = mutant.answer(status, body, request, path)
    return status, spoilt if isinstance(spoilt, bytes) else json.dumps(spoilt).encode()


async def _exchange(client: httpx.AsyncClient, outgoing: httpx.Request) -> httpx.Response:
    """The answer: a stream that is still to be read, or with its whole body."""
    answer = await client.send(outgoing, stream=True)
    if "event-stream" not in answer.headers.get("content-type", ""):
        await answer.aread()
        await answer.aclose()
    return answer


async def _unless_left(
    request: Request, exchange: asyncio.Task[httpx.Response]
) -> httpx.Response | None:
    """The answer; None when the client has hung up before, and the server was told so."""
    watcher = asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait({exchange, watcher}, return_when=asyncio.FIRST_COMPLETED)
        return exchange.result() if exchange.done() else None
    finally:
        for task in (exchange, watcher):
            task.cancel()
        await asyncio.gather(exchange, watcher, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


_pumps: set[asyncio.Task[None]] = set()


async def _pumped(answer: httpx.Response) -> AsyncIterator[bytes]:
    """What the server sends, read to its end whether or not anyone goes on asking."""
    reads: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def pump() -> None:
        with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
            async for read in answer.aiter_raw():
                reads.put_nowait(read)
        reads.put_nowait(None)
        await answer.aclose()

    task = asyncio.create_task(pump())
    _pumps.add(task)
    task.add_done_callback(_pumps.discard)
    while (read := await reads.get()) is not None:
        yield read


async def _events(
    answer: httpx.Response, reads: AsyncIterator[bytes], mutant: Mutant, request: Json
) -> AsyncIterator[bytes]:
    pending = b""
    try:
        async for read in reads:
            pending += read
            while b"\n\n" in pending:
                line, pending = pending.split(b"\n\n", 1)
                if seconds := mutant.delay(line, request):
                    await asyncio.sleep(seconds)
                for event in _spoilt(line, mutant, request):
                    yield event
    except httpx.TransportError:
        return
    finally:
        if not mutant.keeps_reading(request):
            await answer.aclose()


def _spoilt(block: bytes, mutant: Mutant, request: Json) -> list[bytes]:
    named = block.startswith(b"event: ")
    payload = block.rpartition(b"data: ")[2]
    if not payload.startswith(b"{"):
        return [mutant.event(block + b"\n\n")]
    chunk = json.loads(payload)
    chunks = [chunk] if "error" in chunk and not named else mutant.chunk(chunk, request)
    return [mutant.event(_block(chunk, named)) for chunk in chunks]


def _block(chunk: Json, named: bool) -> bytes:
    name = f"event: {chunk['type']}\n" if named else ""
    return f"{name}data: {json.dumps(chunk)}\n\n".encode()


@contextlib.asynccontextmanager
async def _serving(app: Starlette) -> AsyncIterator[str]:
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([sock]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
