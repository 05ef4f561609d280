"""Run the server: bind, announce, drain on Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from router.api.services import Services

log = logging.getLogger("router.serve")

DRAIN = 7.0
"""Seconds that requests in flight get to finish after Ctrl-C, before they end with an error.
Below the 10 seconds that the nox session waits before it terminates the server."""


class CannotListen(Exception):
    """Why not, and what to do about it."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, so that clients can connect (and wait) from the first moment.

    Raises CannotListen: the port is in use or needs more rights, or the address is not this
    machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CannotListen(_refusal(host, port, error)) from error


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: another server may be running."
            " Choose another with --port."
        )
    if error.errno == errno.EACCES:
        return f"port {port} is for administrators. Choose one above 1023 with --port."
    # Of socket's text "why (while attempting to bind on address ...)", the why.
    reason = (error.strerror or str(error)).partition(" (")[0]
    return f"cannot listen on {host}: {reason}. Check --host."


def run(app: FastAPI, sock: socket.socket, *, on_bound: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; a second Ctrl-C stops at once."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(DRAIN) + 2,
    )
    server = _DrainingServer(config, app.state.services)
    on_bound()
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        # uvicorn raises the signal again once everything is closed: a clean end.
        return


class _DrainingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        pool = self._services.pool
        pool.drain()
        if pool.in_flight:
            log.info(
                "stopping: %d requests have %g seconds to finish; Ctrl-C again stops at once",
                pool.in_flight,
                DRAIN,
            )
        timer = asyncio.get_running_loop().call_later(DRAIN, pool.abort)
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()
