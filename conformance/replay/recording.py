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
    answer's body is one read at 0 s. ``elided`` names what was too large to keep.

    Recordings of one cassette depend on each other: a later request may name what an earlier
    answer made.
    """

    id: str
    source: str
    cassette: str
    made: date | None
    exchange: Exchange
    elided: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Below /v1: ``/chat/completions``, ``/responses/resp_…``."""
        return self.exchange.sent.url.partition("/v1")[2].partition("?")[0]

    @property
    def request(self) -> dict[str, Any]:
        """The body, ``{}`` where there is none."""
        body: dict[str, Any] = json.loads(self.exchange.sent.body or b"{}")
        return body
