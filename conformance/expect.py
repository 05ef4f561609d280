"""Expectations that many checks share."""

from __future__ import annotations

from typing import Any

from conformance.client import Exchange
from conformance.failure import Failed, expect

ENVELOPE = {"message", "type", "param", "code"}


def status(exchange: Exchange, *wanted: int) -> None:
    received = exchange.received
    names = " or ".join(map(str, wanted))
    got = f"{received.status}: {received.text[:300]}"
    expect(received.status in wanted, f"status {names}", got)


def json_object(exchange: Exchange) -> dict[str, Any]:
    received = exchange.received
    kind = (received.header("content-type") or "").partition(";")[0].strip()
    expect(kind == "application/json", "content-type application/json", kind or "none")
    try:
        body = received.json()
    except ValueError:
        raise Failed("a JSON body", received.text) from None
    expect(isinstance(body, dict), "a JSON object", body)
    return dict(body)


def error(exchange: Exchange, *statuses: int) -> dict[str, Any]:
    """The error object of an answer with one of these statuses, in OpenAI's envelope."""
    status(exchange, *statuses)
    body = json_object(exchange)
    found = body.get("error")
    hint = "the SDKs read nothing but error.message, .type, .param and .code"
    expect(isinstance(found, dict), "an object under 'error'", body, hint)
    assert isinstance(found, dict)
    expect(set(found) >= ENVELOPE, "keys message, type, param and code", sorted(found), hint)
    expect(bool(found["message"]) and isinstance(found["message"], str), "a message", found)
    return dict(found)


def refused(exchange: Exchange, param: str | None = None) -> dict[str, Any]:
    """A 400 in OpenAI's envelope that names ``param``."""
    found = error(exchange, 400)
    if param is not None:
        expect(
            found["param"] == param,
            f"error.param {param!r}",
            found["param"],
            "name the field that is wrong, so that its user can find it",
        )
    return found
