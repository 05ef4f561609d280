"""Where a chat that is too long can begin instead."""

from __future__ import annotations

from router.responses.history import Message


def cuts(chat: list[Message]) -> list[int]:
    """Where a chat can begin after its system messages, so that no output loses its call: at
    each turn of the user, then at each round of calls in the last turn."""
    users = [at for at, message in enumerate(chat) if message["role"] == "user"]
    last = users[-1] if users else -1
    calls = [at for at, m in enumerate(chat) if m["role"] == "assistant" and at > last]
    return [*users[1:], *calls[1:]]


def beginning_at(chat: list[Message], cut: int) -> list[Message]:
    """The system messages, and all from ``cut`` on; a turn that is cut into keeps what the user
    said in it."""
    users = [at for at, message in enumerate(chat) if message["role"] == "user"]
    said = {max(users, default=-1)} if cut not in users else set()
    return [m for at, m in enumerate(chat) if at >= cut or at in said or m["role"] == "system"]
