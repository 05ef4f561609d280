"""Answers of a replay, kept in a file if wanted: a run of an hour can be gone on with, and judged
again when judges have changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conformance.client import Exchange, Received, Sent
from conformance.replay.recording import Recording

BYTES = "surrogateescape"
"""How bodies that are no UTF-8 pass through text."""


class Journal:
    """``file`` has a line of JSON for each answer; without one, nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._answers = dict(_read(file)) if file else {}

    def recall(self, recordings: Iterable[Recording]) -> dict[str, Exchange]:
        """The answers to a cassette, by the id of the recording. Nothing, if one is missing: its
        requests build on each other."""
        ids = [recording.id for recording in recordings]
        known = all(name in self._answers for name in ids)
        return {name: self._answers[name] for name in ids} if known else {}

    def keep(self, recording: Recording, answer: Exchange) -> None:
        self._answers[recording.id] = answer
        if self._file:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(_line(recording, answer))}\n")


def _line(recording: Recording, answer: Exchange) -> dict[str, Any]:
    sent, received = answer.sent, answer.received
    return {
        "id": recording.id,
        "method": sent.method,
        "url": sent.url,
        "asked": {name: value for name, value in sent.headers.items() if name != "authorization"},
        "request": None if sent.body is None else sent.body.decode("utf-8", BYTES),
        "status": received.status,
        "answered": received.headers,
        "answer": received.body.decode("utf-8", BYTES),
        "seconds": round(received.seconds, 2),
        "complete": received.complete,
    }


def _read(file: Path) -> Iterable[tuple[str, Exchange]]:
    """The latest answer to each; a last line that was not finished is cut off."""
    if not file.exists():
        return
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    for line in whole.splitlines():
        told = json.loads(line)
        body = None if told["request"] is None else told["request"].encode("utf-8", BYTES)
        headers = [(name, value) for name, value in told["answered"]]
        read = (told["seconds"], told["answer"].encode("utf-8", BYTES))
        received = Received(told["status"], headers, [read], told["seconds"], told["complete"])
        yield told["id"], Exchange(Sent(told["method"], told["url"], told["asked"], body), received)
