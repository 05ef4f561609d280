"""The bytes of a request body -> one JSON object, or a 400 that says what is wrong.

What comes out can be encoded again and walked by recursion: no NaN or infinity, no lone
surrogate, at most ``MAX_DEPTH`` levels of arrays and objects.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec

from router.errors import BadRequest
from router.fielderrors import kind_of

MAX_DEPTH = 128
_MALFORMED = "JSON is malformed: "
_LOCATION = " - at `"


def parse_object(raw: bytes) -> dict[str, Any]:
    """The object in ``raw``; ``BadRequest`` with code invalid_json or invalid_type if none."""
    if not raw or raw.isspace():
        raise _unreadable("it is empty")
    try:
        body = msgspec.json.decode(raw)
    except RecursionError:
        raise _nested() from None
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise _unreadable(_reason(raw, error)) from None
    if not isinstance(body, dict):
        raise BadRequest(
            f"The request body must be a JSON object, but it is {kind_of(body)}.",
            code="invalid_type",
        )
    _check_depth(body)
    return body


def _reason(raw: bytes, error: Exception) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    reason = str(error).removeprefix(_MALFORMED).partition(_LOCATION)[0]
    return reason[:1].lower() + reason[1:]


def _check_depth(body: dict[str, Any]) -> None:
    """Goes down level by level, so no nesting can exhaust the stack."""
    containers: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        values = chain.from_iterable(c.values() if type(c) is dict else c for c in containers)
        containers = [value for value in values if type(value) in (dict, list)]
        if not containers:
            return
    raise _nested()


def _nested() -> BadRequest:
    return _unreadable(f"it nests arrays and objects more than {MAX_DEPTH} levels deep")


def _unreadable(reason: str) -> BadRequest:
    return BadRequest(
        f"The request body could not be read as JSON: {reason}. Send one JSON object.",
        code="invalid_json",
    )
