"""An answer, read once: what was asked, in which form, and the objects that came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from conformance import responsegrammar
from conformance.client import Exchange
from conformance.eventstream import EventStream
from conformance.responsegrammar import Event
from conformance.transcript import Transcript

Json = dict[str, Any]

ENDPOINTS = {
    "POST /chat/completions": "chat.completion",
    "POST /completions": "text_completion",
    "POST /embeddings": "embeddings",
    "POST /responses": "response",
    "GET /responses/[^/]+": "response",
    "POST /responses/[^/]+/cancel": "response",
    "POST /responses/input_tokens": "input_tokens",
    "GET /responses/[^/]+/input_items": "input_items",
    "DELETE /responses/[^/]+": "response.deleted",
    "GET /models": "models",
    "GET /models/.+": "model",
}
"""What each endpoint answers with."""


class Found(NamedTuple):
    """An object of an answer. ``kind`` says which rules are for it. An ``inner`` one is part of
    another, of which it must be told apart to know what its members are."""

    kind: str
    where: str
    value: Json
    inner: bool = False


@dataclass(frozen=True)
class Answer:
    """``kind`` is one of ``ENDPOINTS``. ``made``: the day by whose customs it is judged, None
    for today."""

    kind: str
    exchange: Exchange
    made: date | None = None

    @cached_property
    def request(self) -> Json:
        try:
            body = json.loads(self.exchange.sent.body or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @cached_property
    def query(self) -> dict[str, str]:
        found = parse_qs(urlsplit(self.exchange.sent.url).query)
        return {name: values[-1] for name, values in found.items()}

    @property
    def failed(self) -> bool:
        return self.exchange.received.status >= 400

    @property
    def streamed(self) -> bool:
        """Must it be a stream?"""
        asked = self.request.get("stream") is True or self.query.get("stream") == "true"
        return asked and not self.failed

    @cached_property
    def body(self) -> Any:
        return self.exchange.received.json()

    @cached_property
    def stream(self) -> EventStream:
        return EventStream.of(self.exchange)

    @cached_property
    def transcript(self) -> Transcript:
        """The stream, of chat or completions."""
        return Transcript.of(self.exchange)

    @cached_property
    def events(self) -> list[Event]:
        """Those of Responses."""
        return responsegrammar.parsed(self.stream.reader)[0]

    @property
    def final(self) -> Json | None:
        """The whole object that it comes to; None for a stream that has none."""
        if not self.streamed:
            return dict(self.body) if isinstance(self.body, dict) else None
        ended = [data["response"] for _, data in self.events if _ends(data)]
        return ended[-1] if ended else None

    @property
    def broken(self) -> bool:
        """Did it fail after its beginning, or has it not come to its end?"""
        if self.kind == "response":
            return (self.final or {}).get("status") not in ("completed", "incomplete")
        return self.streamed and self.transcript.error is not None

    @cached_property
    def objects(self) -> list[Found]:
        if not self.streamed:
            kind = "error" if self.failed else self.kind
            return [Found(_stage(kind, self.body), "body", self.body)]
        if self.kind == "response":
            return [found for number in range(len(self.events)) for found in self._told(number)]
        return list(_chunks(self.kind, self.transcript.data))

    def _told(self, number: int) -> Iterator[Found]:
        """An event, and the response in it."""
        data = self.events[number][1]
        where = f"event {number}"
        kind = "error.event" if data["type"] == "error" else data["type"]
        yield Found(kind, where, data)
        if isinstance(response := data.get("response"), dict):
            yield Found(_stage("response", response), f"{where}: response", response, inner=True)


def kind_of(method: str, path: str) -> str | None:
    """What a request below /v1 is answered with; None where nothing judges that."""
    asked = f"{method} {path.rstrip('/')}"
    return next((kind for known, kind in ENDPOINTS.items() if re.fullmatch(known, asked)), None)


def _stage(kind: str, value: Any) -> str:
    """A response that is not complete lacks what only the end brings."""
    begun = isinstance(value, dict) and value.get("status") != "completed"
    return "response.begun" if kind == "response" and begun else kind


def _ends(data: Json) -> bool:
    return data["type"] in responsegrammar.TERMINAL and isinstance(data.get("response"), dict)


def _chunks(of: str, chunks: list[Json]) -> Iterator[Found]:
    """Chunks; apart from them deltas, the first of a choice and others, and parts of calls, of
    which the first is not like the others either."""
    opened: set[str] = set()
    for number, chunk in enumerate(chunks):
        where = f"chunk {number}"
        if "error" in chunk:
            yield Found("error", where, chunk)
            continue
        yield Found(f"{of}.chunk", where, chunk)
        for choice in _objects(chunk.get("choices")):
            delta, index = choice.get("delta"), choice.get("index")
            if not isinstance(delta, dict):
                continue
            parts = _objects(delta.get("tool_calls"))
            bare = {name: [] if name == "tool_calls" else part for name, part in delta.items()}
            yield Found(_which("delta", index, opened), where, bare, inner=True)
            for part in parts:
                kind = _which("call", (index, part.get("index")), opened)
                yield Found(kind, where, part, inner=True)


def _objects(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _which(what: str, key: Any, opened: set[str]) -> str:
    seen = f"{what} {key}"
    first = seen not in opened
    opened.add(seen)
    return f"{what}.first" if first else f"{what}.next"
