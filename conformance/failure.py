"""How a check says that its requirement does not hold, or cannot be asked."""

from __future__ import annotations

from typing import Any

LONGEST = 400
"""Characters of a value that are shown."""


class Failed(AssertionError):
    """The requirement does not hold. ``hint`` says what to change in the server."""

    def __init__(self, expected: str, actual: Any, hint: str = "") -> None:
        super().__init__(f"expected {expected}, got {shown(actual)}")
        self.expected = expected
        self.actual = shown(actual)
        self.hint = hint


class NotApplicable(Exception):
    """This target cannot be asked; the message says why."""


def expect(condition: bool, expected: str, actual: Any, hint: str = "") -> None:
    """Raise ``Failed`` unless the condition holds."""
    if not condition:
        raise Failed(expected, actual, hint)


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
