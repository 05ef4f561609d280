"""A server that has nothing but metrics."""

from __future__ import annotations

from contextlib import AbstractContextManager
from itertools import count

from conformance.tests.handlers import Handler, serving

METRICS = "num_requests_running 0\nnum_requests_waiting 0\nprompt_tokens_total {}\n"


def counting(step: int) -> AbstractContextManager[str]:
    """Its base URL. Each time it is read, its counter has grown by a step."""
    tokens = count(step=step)

    class Counts(Handler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(METRICS.format(next(tokens)).encode())

    return serving(Counts)
