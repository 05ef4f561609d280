"""Recordings as files of JSON: a conversation of a client each, readable, and so their changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from conformance.client import Exchange, Received, Sent
from conformance.replay.recording import Recording

Json = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "fixtures" / "traffic"
HOST = "http://localhost"


def write(path: Path, exchanges: Sequence[Exchange], made: date) -> None:
    """Exchanges that are scrubbed."""
    content = {"recorded": made.isoformat(), "exchanges": [_shown(each) for each in exchanges]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _shown(exchange: Exchange) -> Json:
    sent, received = exchange.sent, exchange.received
    path = "/" + sent.url.partition("://")[2].partition("/")[2]
    request: Json = {"method": sent.method, "path": path, "headers": sent.headers}
    answer: Json = {"status": received.status, "headers": dict(received.headers)}
    asked = {} if sent.body is None else _body_shown(sent.body)
    return {"request": request | asked, "response": answer | _body_shown(received.body)}


def _body_shown(body: bytes) -> Json:
    """JSON as it is, and the lines of anything else, such as a stream."""
    try:
        return {"body": json.loads(body)}
    except ValueError:
        return {"lines": body.decode().split("\n")}


def read(folder: Path = FOLDER) -> list[Recording]:
    """All recordings below a folder, the conversations in the order of their names."""
    return [each for path in sorted(folder.glob("*/*.json")) for each in _recordings(path)]


def _recordings(path: Path) -> Iterator[Recording]:
    content = json.loads(path.read_text(encoding="utf-8"))
    client, name = path.parent.name, path.stem
    made = date.fromisoformat(content["recorded"])
    for place, each in enumerate(content["exchanges"]):
        cassette = f"{client}/{name}"
        yield Recording(f"{cassette}#{place}", client, cassette, made, _exchange(each))


def _exchange(shown: Json) -> Exchange:
    request, answer = shown["request"], shown["response"]
    sent = Sent(request["method"], HOST + request["path"], request["headers"], _body(request))
    reads = [(0.0, _body(answer) or b"")]
    headers = list(answer["headers"].items())
    return Exchange(sent, Received(answer["status"], headers, reads, complete=True))


def _body(shown: Json) -> bytes | None:
    if "lines" in shown:
        return "\n".join(shown["lines"]).encode()
    if "body" in shown:
        return json.dumps(shown["body"], ensure_ascii=False).encode()
    return None
