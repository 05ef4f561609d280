"""The chunks of a streamed chat completion as the events of Strands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strands.types.event_loop import StopReason
from strands.types.streaming import StreamEvent

STOP_REASONS: dict[str, StopReason] = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "content_filter": "content_filtered",
}


class Blocks:
    """The blocks of one message. Each ends where a delta of another kind begins: the router
    writes one call after the other, so that none has to be held back."""

    def __init__(self) -> None:
        self._open: str | None = None

    def continued(self, delta: dict[str, Any], finish_reason: str | None) -> Iterator[StreamEvent]:
        if "role" in delta:
            yield {"messageStart": {"role": "assistant"}}
        if thought := delta.get("reasoning_content"):
            yield from self._switched("reasoning", {})
            yield _delta({"reasoningContent": {"text": thought}})
        if text := delta.get("content"):
            yield from self._switched("text", {})
            yield _delta({"text": text})
        for call in delta.get("tool_calls", ()):
            function = call["function"]
            if "id" in call:
                tool_use = {"toolUseId": call["id"], "name": function["name"]}
                yield from self._switched(call["id"], {"toolUse": tool_use})
            yield _delta({"toolUse": {"input": function["arguments"]}})
        if finish_reason:
            yield from self._closed()
            yield {"messageStop": {"stopReason": STOP_REASONS[finish_reason]}}

    def _switched(self, kind: str, start: Any) -> Iterator[StreamEvent]:
        if kind != self._open:
            yield from self._closed()
            self._open = kind
            yield {"contentBlockStart": {"start": start}}

    def _closed(self) -> Iterator[StreamEvent]:
        if self._open is not None:
            self._open = None
            yield {"contentBlockStop": {}}


def _delta(delta: Any) -> StreamEvent:
    return {"contentBlockDelta": {"delta": delta}}


def metadata(usage: dict[str, Any], latency: int) -> StreamEvent:
    """``usage`` as in a chat completion; ``latency`` in milliseconds, from the request to the
    end of the answer."""
    return {
        "metadata": {
            "usage": {
                "inputTokens": usage["prompt_tokens"],
                "outputTokens": usage["completion_tokens"],
                "totalTokens": usage["total_tokens"],
                "cacheReadInputTokens": usage["prompt_tokens_details"]["cached_tokens"],
            },
            "metrics": {"latencyMs": latency},
        }
    }
