"""What an answer consists of, told by its bytes alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def is_stream(body: bytes) -> bool:
    """Server-sent events, whatever a header says."""
    return body.lstrip().startswith((b"data:", b"event:", b": "))


def objects(body: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects in it: the whole body, or the data of each event."""
    if is_stream(body):
        lines = body.replace(b"\r\n", b"\n").split(b"\n")
        texts = [line[5:] for line in lines if line.startswith(b"data:")]
    else:
        texts = [body]
    for text in texts:
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def made(body: bytes) -> dict[str, Any]:
    """The completion, chunk or response that it tells of, as it first stands; ``{}`` without
    one."""
    first = next(objects(body), {})
    inner = first.get("response")
    return inner if isinstance(inner, dict) else first
