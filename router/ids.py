"""Identifiers: OpenAI's prefixes before random characters."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int) -> str:
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_hex_id(prefix: str) -> str:
    """What the Responses API calls its own things, call ids excepted."""
    return prefix + secrets.token_hex(25)
