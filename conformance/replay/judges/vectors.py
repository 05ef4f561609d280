"""Embeddings: as many as inputs, in the form and size that were asked for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

from conformance.replay.judges.answer import Answer

FLOAT = 4
"""Bytes of a number in base64."""


def one_each(answer: Answer) -> Iterator[str]:
    """One of each input, numbered."""
    wanted = _inputs(answer.request.get("input"))
    found = [item["index"] for item in answer.body["data"]]
    if found != list(range(wanted)):
        yield f"embeddings {found}, where {wanted} were asked for"


def encoded(answer: Answer) -> Iterator[str]:
    """Base64 if that was asked for, else numbers."""
    wanted = str if answer.request.get("encoding_format") == "base64" else list
    for item in answer.body["data"]:
        if not isinstance(item["embedding"], wanted):
            yield f"an embedding is a {type(item['embedding']).__name__}"
        elif _size(item["embedding"]) is None:
            yield "an embedding is no base64 of numbers"


def sized(answer: Answer) -> Iterator[str]:
    """All of one size: the one that was asked for."""
    sizes = {_size(item["embedding"]) for item in answer.body["data"]}
    wanted = answer.request.get("dimensions")
    if len(sizes) > 1 or (wanted and sizes != {wanted}):
        yield f"embeddings of {sorted(map(str, sizes))} numbers, where {wanted} were asked for"


def counted(answer: Answer) -> Iterator[str]:
    """All tokens are of the prompt."""
    used = answer.body["usage"]
    if not 0 < used["prompt_tokens"] == used["total_tokens"]:
        yield f"usage does not add up: {used}"


RULES: tuple[Callable[[Answer], Iterator[str]], ...] = (one_each, encoded, sized, counted)


def _inputs(value: Any) -> int:
    """A list of tokens is one input."""
    return len(value) if isinstance(value, list) and not isinstance(value[0], int) else 1


def _size(embedding: Any) -> int | None:
    if isinstance(embedding, list):
        return len(embedding)
    try:
        data = base64.b64decode(embedding, validate=True)
    except (binascii.Error, TypeError):
        return None
    return len(data) // FLOAT if data and len(data) % FLOAT == 0 else None
