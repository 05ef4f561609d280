"""Recordings for tests, of our own making."""

from __future__ import annotations

import json
from typing import Any

from conformance.client import Exchange, Received, Sent
from conformance.replay.recording import Recording

API = "https://api.openai.com/v1"


def answered(body: Any, status: int = 200) -> Received:
    """With JSON, or with text as it is."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Received(status, [("content-type", "application/json")], [(0.0, data)], complete=True)


def refused(status: int = 400, **error: Any) -> Received:
    told = {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
    return answered({"error": {**told, **error}}, status)


def recording(
    path: str,
    body: Any,
    answer: Received,
    *,
    method: str = "POST",
    cassette: str = "one.yaml",
    place: int = 0,
) -> Recording:
    """``body`` None: no body; text goes as it is."""
    data = body if isinstance(body, str | None) else json.dumps(body)
    sent = Sent(
        method,
        f"{API}/{path}",
        {"content-type": "application/json", "authorization": "Bearer theirs"},
        data.encode() if data is not None else None,
    )
    name = f"theirs/{cassette}#{place}"
    return Recording(name, "theirs 1.0", cassette, None, Exchange(sent, answer))
