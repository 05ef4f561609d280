"""What happens around every request, as pure ASGI.

Starlette's BaseHTTPMiddleware hides a client's disconnect from the handler, and a handler
that does not see it goes on generating for nobody.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.errors import ApiError, Forbidden, Internal, Unauthorized
from router.ids import new_id

log = logging.getLogger("router.request")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN_PATHS = frozenset({"/health", "/ready"})
MAX_REQUEST_ID = 128


def error_response(error: ApiError) -> JSONResponse:
    return JSONResponse(error.envelope(), status_code=error.status, headers=error.headers)


class RequestLog:
    """Gives every response ``x-request-id`` and ``openai-processing-ms``, and every request
    one log line when its last byte is out.

    A client's own ``x-request-id`` is echoed when it is short printable ASCII. A handler may
    put a ``metrics.Record`` into ``state["record"]`` to enrich the line.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = time.monotonic()
        request_id = _client_request_id(scope) or new_id("req_", 24)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["started"] = started
        status = 499  # the client left before there was an answer

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["openai-processing-ms"] = str(int(1000 * (time.monotonic() - started)))
                headers["openai-version"] = "2020-10-01"
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            details: dict[str, Any] = {
                "request_id": request_id,
                "method": scope["method"],
                # A path may hold line breaks and escape codes; a log line must not.
                "path": scope["path"].encode("unicode_escape").decode(),
                "status": status,
                "seconds": time.monotonic() - started,
                "record": state.get("record"),
            }
            log.info("%(method)s %(path)s %(status)s", details, extra={"request": details})


def _client_request_id(scope: Scope) -> str | None:
    value = Headers(scope=scope).get("x-request-id", "")
    usable = 0 < len(value) <= MAX_REQUEST_ID and value.isascii() and value.isprintable()
    return value if usable else None


class HostCheck:
    """Refuses requests that a page from the internet makes a browser send.

    Such a page can point its own name at 127.0.0.1 and then talk to a server that nobody else
    can reach (DNS rebinding); its requests still carry its name as Host. Or it posts a form
    to localhost without being able to read the answer; then it is named in Origin.
    """

    def __init__(self, app: ASGIApp, *, allowed: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._allowed = LOOPBACK | {host.lower() for host in allowed}
        self._origins = set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if not self._welcomes(Headers(scope=scope).get("origin")):
            error = Forbidden(
                "This server does not answer pages of other origins. Add this one to"
                " server.cors_origins in config.json.",
                code="origin_not_allowed",
            )
            return await error_response(error)(scope, receive, send)
        if _host_name(scope) in self._allowed:
            return await self._app(scope, receive, send)
        error = Forbidden(
            "This server answers to localhost only. Add the host name to server.allowed_hosts"
            " in config.json, or listen on another address with --host."
        )
        await error_response(error)(scope, receive, send)

    def _welcomes(self, origin: str | None) -> bool:
        if origin is None or origin in self._origins or "*" in self._origins:
            return True
        try:
            return urlsplit(origin).hostname in self._allowed
        except ValueError:  # no origin that a browser would send
            return False


def _host_name(scope: Scope) -> str:
    host = Headers(scope=scope).get("host", "").lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


class ApiKeys:
    """Demands ``Authorization: Bearer <one of the keys>`` on everything but the health checks."""

    def __init__(self, app: ASGIApp, *, keys: Iterable[str]) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        open_to_all = scope["type"] != "http" or scope["path"] in OPEN_PATHS
        if open_to_all or self._accepts(Headers(scope=scope).get("authorization", "")):
            return await self._app(scope, receive, send)
        error = Unauthorized(
            "Missing or wrong API key. Send one of the server's keys (server.api_keys) as"
            " 'Authorization: Bearer <key>'."
        )
        await error_response(error)(scope, receive, send)

    def _accepts(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        given = token.strip().encode()
        # Every key is compared, in constant time, so timing tells nothing.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        return scheme.lower() == "bearer" and any(matches)


class LastResort:
    """Turns an exception that nobody expected into a 500 in the usual envelope.

    Starlette's own handler sits outside all middleware, so its answer would carry no request
    id; and it raises the error again into the server's log a second time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = False

        async def watched_send(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception:
            if scope["type"] != "http" or answering:
                raise
            log.exception("unhandled error in %s %s", scope["method"], scope["path"])
            await error_response(Internal("The server failed. Its log says why."))(
                scope, receive, send
            )
