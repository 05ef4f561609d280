"""One stream of JSON events, read strictly: what those of chat and of Responses share."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Self

from conformance.client import Exchange
from conformance.sse import Event, Reader


@dataclass
class EventStream:
    """``chunks`` are the events that are JSON objects, each with its time in seconds."""

    exchange: Exchange
    reader: Reader
    chunks: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, exchange: Exchange) -> Self:
        reader = Reader()
        for at, data in exchange.received.reads:
            reader.feed(at, data)
        reader.finish()
        stream = cls(exchange, reader)
        for event in reader.events:
            stream._read(event)
        return stream

    def _read(self, event: Event) -> None:
        if event.data == "[DONE]":
            return
        try:
            chunk = json.loads(event.data)
        except ValueError:
            self.problems.append(f"an event is not JSON: {event.data[:80]!r}")
            return
        if isinstance(chunk, dict):
            self.chunks.append((event.at, chunk))
        else:
            self.problems.append(f"an event is not a JSON object: {event.data[:80]!r}")

    @property
    def request(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.exchange.sent.body or b"{}")
        return body

    @property
    def data(self) -> list[dict[str, Any]]:
        return [chunk for _, chunk in self.chunks]
