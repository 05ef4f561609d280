"""The streams among exchanges, each of the kind that its endpoint has."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.client import Exchange
from conformance.eventstream import EventStream
from conformance.responsestream import ResponseStream
from conformance.transcript import Transcript

KINDS: dict[str, type[EventStream]] = {
    "/chat/completions": Transcript,
    "/responses": ResponseStream,
}


def streams_of(exchanges: Iterable[Exchange]) -> list[EventStream]:
    """Those of known kinds that came to their end: a client may have left the others."""
    return [
        kind.of(exchange)
        for exchange in exchanges
        for path, kind in KINDS.items()
        if exchange.sent.url.endswith(path)
        and exchange.received.streams
        and exchange.received.complete
    ]
