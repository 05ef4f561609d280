"""What an answer is made of, whatever the wire format: values without identity.

One sequence yields, in order: reasoning and text deltas mixed with whole tool calls
(``ToolCallStart`` then one or more ``ToolCallDelta``), then exactly one ``Finish``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from router.frames import TokenLogprob


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    """``index`` counts the calls of one answer from 0; ``id`` is ``call_`` + 24 characters."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A part of the arguments; the parts of one index joined are one JSON object."""

    index: int
    arguments: str


@dataclass(frozen=True, slots=True)
class Finish:
    reason: Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to say for a while, but the answer goes on: a sign of life is due."""


@dataclass(slots=True)
class Usage:
    """Token counts of one request, over all its choices."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0


Event = TextDelta | ReasoningDelta | ToolCallStart | ToolCallDelta | Finish | Idle
