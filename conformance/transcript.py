"""One chat completion stream, put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.eventstream import EventStream


@dataclass
class Choice:
    """One choice as a client would assemble it. ``calls`` by index: id, name, arguments."""

    content: str = ""
    reasoning: str = ""
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    finish_reasons: list[str] = field(default_factory=list)
    deltas: list[dict[str, Any]] = field(default_factory=list)

    def add(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or {}
        self.deltas.append(delta)
        self.content += delta.get("content") or ""
        self.reasoning += delta.get("reasoning_content") or delta.get("reasoning") or ""
        for part in delta.get("tool_calls") or []:
            call = self.calls.setdefault(
                part.get("index", 0), {"id": "", "name": "", "arguments": ""}
            )
            function = part.get("function") or {}
            call["id"] += part.get("id") or ""
            call["name"] += function.get("name") or ""
            call["arguments"] += function.get("arguments") or ""
        if choice.get("finish_reason"):
            self.finish_reasons.append(choice["finish_reason"])


class Transcript(EventStream):
    """A stream of chat completions."""

    @property
    def error(self) -> dict[str, Any] | None:
        """The error event, for a stream that failed after its headers."""
        return next((chunk["error"] for chunk in self.data if "error" in chunk), None)

    @property
    def completions(self) -> list[dict[str, Any]]:
        return [chunk for chunk in self.data if "error" not in chunk]

    @property
    def choices(self) -> dict[int, Choice]:
        choices: dict[int, Choice] = {}
        for chunk in self.completions:
            for choice in chunk.get("choices") or []:
                choices.setdefault(choice.get("index", 0), Choice()).add(choice)
        return choices

    @property
    def choice(self) -> Choice:
        return self.choices.get(0, Choice())

    @property
    def usage(self) -> dict[str, Any] | None:
        return next((c["usage"] for c in self.completions if c.get("usage")), None)

    def payload_times(self) -> list[float]:
        """When something that a user would see arrived: text, reasoning, a call's name or
        arguments. Roles, usage and comments do not count."""
        return [
            at
            for at, chunk in self.chunks
            if any(_visible(c.get("delta") or {}) for c in chunk.get("choices") or [])
        ]


def _visible(delta: dict[str, Any]) -> bool:
    if delta.get("content") or delta.get("reasoning_content") or delta.get("reasoning"):
        return True
    functions = [part.get("function") or {} for part in delta.get("tool_calls") or []]
    return any(f.get("name") or f.get("arguments") for f in functions)
