"""A server that answers, and refuses everything."""

from __future__ import annotations

from contextlib import AbstractContextManager

from conformance.tests.handlers import Handler, serving


class Refuses(Handler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_error(400)


def refusing() -> AbstractContextManager[str]:
    """Its base URL."""
    return serving(Refuses)
