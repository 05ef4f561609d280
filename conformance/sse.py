"""A strict reader of server-sent events, after the WHATWG's event-stream format.

Clients forgive; this reader keeps a list of what they had to forgive.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """``at``: seconds from the request to the read that completed it."""

    at: float
    data: str
    name: str | None = None


@dataclass
class Reader:
    """Feed it reads; events come out, violations are collected."""

    events: list[Event] = field(default_factory=list)
    comments: list[tuple[float, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _pending: bytes = b""
    _data: list[str] = field(default_factory=list)
    _name: str | None = None
    _endings: set[str] = field(default_factory=set)

    def feed(self, at: float, chunk: bytes) -> None:
        self._pending += chunk
        while (cut := self._line_end()) is not None:
            line, self._pending = self._pending[: cut[0]], self._pending[cut[1] :]
            self._line(at, line)

    def finish(self) -> None:
        if self._pending or self._data:
            self.problems.append("the stream ends in the middle of an event")
        if len(self._endings) > 1:
            self.problems.append("line endings are mixed")

    def _line_end(self) -> tuple[int, int] | None:
        """Where the first line ends and the next begins."""
        for index, byte in enumerate(self._pending):
            if byte == 0x0A:
                self._endings.add("LF")
                return index, index + 1
            if byte == 0x0D:
                if index + 1 == len(self._pending):
                    return None  # an LF may follow in the next read
                wide = self._pending[index + 1] == 0x0A
                self._endings.add("CRLF" if wide else "CR")
                return index, index + (2 if wide else 1)
        return None

    def _line(self, at: float, raw: bytes) -> None:
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.problems.append(f"a line is not UTF-8: {raw[:60]!r}")
            line = raw.decode("utf-8", "replace")
        if not line:
            self._dispatch(at)
        elif line.startswith(":"):
            self.comments.append((at, line[1:].strip()))
        else:
            self._field(*line.partition(":"))

    def _field(self, name: str, colon: str, value: str) -> None:
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name not in ("id", "retry"):
            self.problems.append(f"unknown field {name!r}")
        if not colon:
            self.problems.append(f"a line without a colon: {name[:60]!r}")

    def _dispatch(self, at: float) -> None:
        if self._data == [""]:
            self.problems.append("an event with empty data")
        if len(self._data) > 1:
            self.problems.append("an event of several data lines")
        if self._data:
            self.events.append(Event(at, "\n".join(self._data), self._name))
        self._data, self._name = [], None
