"""Streams among exchanges."""

from __future__ import annotations

from conformance.client import Exchange, Received, Sent
from conformance.responsestream import ResponseStream
from conformance.streams import streams_of
from conformance.transcript import Transcript


def exchange(path: str, kind: str = "text/event-stream", *, complete: bool = True) -> Exchange:
    sent = Sent("POST", f"http://host/v1{path}", {}, b"{}")
    return Exchange(sent, Received(200, [("content-type", kind)], complete=complete))


def test_whole_streams_of_known_kinds_are_found() -> None:
    found = streams_of(
        [
            exchange("/chat/completions"),
            exchange("/responses", "text/event-stream; charset=utf-8"),
            exchange("/responses", complete=False),
            exchange("/responses", "application/json"),
            exchange("/completions"),
        ]
    )
    assert [type(stream) for stream in found] == [Transcript, ResponseStream]
