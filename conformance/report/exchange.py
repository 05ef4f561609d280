"""One exchange in words: the request, the response, and what came when."""

from __future__ import annotations

import json
from dataclasses import dataclass

from conformance.client import Exchange
from conformance.sse import Reader

LONGEST_CURL = 8_000
LONGEST_BODY = 20_000
"""In characters; some checks send megabytes."""


@dataclass(frozen=True)
class Moment:
    """Something that arrived ``at`` seconds after the request was written."""

    at: float
    text: str


def curl(exchange: Exchange | None) -> str:
    """The command that repeats the request; empty when it would be too long to paste."""
    if exchange is None or len(exchange.sent.body or b"") > LONGEST_CURL:
        return ""
    return exchange.sent.curl()


def request_head(exchange: Exchange) -> str:
    sent = exchange.sent
    shown = {k: "Bearer …" if k == "authorization" else v for k, v in sent.headers.items()}
    return "\n".join([f"{sent.method} {sent.url}", *(f"{k}: {v}" for k, v in shown.items())])


def request_body(exchange: Exchange) -> str:
    return _pretty(exchange.sent.body or b"")


def response_head(exchange: Exchange) -> str:
    received = exchange.received
    end = f"ended after {received.seconds:.3f} s" if received.complete else "never ended"
    headers = [f"{name}: {value}" for name, value in received.headers]
    return "\n".join([f"{received.status}, {end}", *headers])


def response_body(exchange: Exchange) -> str:
    """Empty for a stream: its parts are its ``moments``."""
    return "" if exchange.received.streams else _pretty(exchange.received.body)


def moments(exchange: Exchange) -> list[Moment]:
    """The events and comments of a stream in the order they came."""
    if not exchange.received.streams:
        return []
    reader = Reader()
    for at, data in exchange.received.reads:
        reader.feed(at, data)
    named = [Moment(e.at, f"{e.name}: {e.data}" if e.name else e.data) for e in reader.events]
    comments = [Moment(at, f": {comment}") for at, comment in reader.comments]
    return sorted(named + comments, key=lambda moment: moment.at)


def text(exchange: Exchange) -> str:
    """All of it as plain text, nothing shortened but keys."""
    arrivals = [f"{moment.at:8.3f} s  {moment.text}" for moment in moments(exchange)]
    request = (exchange.sent.body or b"").decode("utf-8", "replace")
    response = [] if exchange.received.streams else [exchange.received.text]
    return "\n\n".join(
        part
        for part in (
            request_head(exchange),
            request,
            response_head(exchange),
            *response,
            "\n".join(arrivals),
        )
        if part
    )


def _pretty(body: bytes) -> str:
    try:
        plain = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        plain = body.decode("utf-8", "replace")
    if len(plain) <= LONGEST_BODY:
        return plain
    return f"{plain[:LONGEST_BODY]}… ({len(plain)} characters)"
