"""One exchange with api.openai.com, as somebody recorded and published it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from conformance.client import Exchange


@dataclass(frozen=True)
class Recording:
    """``id`` names it for good: the package, the cassette, and its place in that. ``source`` is
    the distribution that carries it. ``made`` is the day of the answer, where that is known. A
    request is as it was sent, below ``https://api.openai.com/v1``, its body decompressed; the
    answer's body is one read at 0 s. ``restored`` names what was hidden in the recording and could
    be told from the rest: ``url``, ``content-type``. Other headers that were hidden are left out.

    Recordings of one cassette depend on each other: a later request may name what an earlier
    answer made.
    """

    id: str
    source: str
    cassette: str
    made: date | None
    exchange: Exchange
    restored: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Below /v1: ``/chat/completions``, ``/responses/resp_…``."""
        return self.exchange.sent.url.partition("/v1")[2].partition("?")[0]

    @property
    def request(self) -> dict[str, Any]:
        """The body, ``{}`` where there is none, or none that is JSON."""
        try:
            body = json.loads(self.exchange.sent.body or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}
