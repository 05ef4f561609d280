"""One stream of the Responses API, put together from its events as a client would."""

from __future__ import annotations

from typing import Any

from conformance import responsegrammar
from conformance.eventstream import EventStream

Json = dict[str, Any]

ENDINGS = ("completed", "incomplete", "failed")
SIGNS_OF_LIFE = ("in_progress", "queued", "keepalive")
SEEN = (
    *("output_text.delta", "reasoning_summary_text.delta", "reasoning_text.delta"),
    *("refusal.delta", "function_call_arguments.delta"),
)
"""What a user would see arrive."""


class ResponseStream(EventStream):
    """Kinds of events are their types, without ``response.`` before them."""

    @property
    def events(self) -> list[responsegrammar.Event]:
        return responsegrammar.parsed(self.reader)[0]

    @property
    def told(self) -> list[tuple[str, Json]]:
        """Each event with its kind."""
        return [(_kind(event), event) for event in self.data]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]

    @property
    def error(self) -> Json | None:
        """What the error event tells, for a stream that failed after its headers."""
        event = next((event for kind, event in self.told if kind == "error"), None)
        return event and (event.get("error") or event)

    @property
    def response(self) -> Json:
        """The response as it ended; empty when the stream has no end."""
        endings = [event for kind, event in self.told if kind in ENDINGS]
        return dict(endings[-1].get("response") or {}) if endings else {}

    @property
    def text(self) -> str:
        return self._deltas("output_text.delta")

    @property
    def reasoning(self) -> str:
        return self._deltas("reasoning_summary_text.delta", "reasoning_text.delta")

    @property
    def calls(self) -> list[Json]:
        """The function calls: their heads as added, their arguments as deltas grew them."""
        calls: dict[Any, Json] = {}
        for kind, event in self.told:
            place = event.get("output_index")
            item = event.get("item") or {}
            if kind == "output_item.added" and item.get("type") == "function_call":
                calls[place] = {**item, "arguments": ""}
            elif kind == "function_call_arguments.delta" and place in calls:
                calls[place]["arguments"] += event.get("delta") or ""
        return list(calls.values())

    def delta_times(self) -> list[float]:
        """When something arrived that a user would see."""
        return [at for at, event in self.chunks if _kind(event) in SEEN]

    def _deltas(self, *wanted: str) -> str:
        return "".join(event.get("delta") or "" for kind, event in self.told if kind in wanted)


def _kind(event: Json) -> str:
    return str(event.get("type")).removeprefix("response.")
