"""Chat completions on the wire: the shapes of OpenAI's answers, key for key.

The key sets and their order follow what api.openai.com sends (recorded 2025-03 and later):
clients validate them, some of them strictly. Everything here is a plain dict.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from router import __version__
from router.events import (
    Event,
    Finish,
    Idle,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
)
from router.frames import TokenLogprob
from router.ids import new_id

Json = dict[str, Any]


class Envelope:
    """The members that every chunk of an answer shares with the others."""

    def __init__(self, model: str, prefix: str = "chatcmpl-") -> None:
        self.id = new_id(prefix, 29)
        self.created = int(time.time())
        self.model = model
        self.fingerprint = fingerprint(model)

    def wrap(self, object_name: str, choices: list[Json]) -> Json:
        return {
            "id": self.id,
            "object": object_name,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "service_tier": "default",
            "system_fingerprint": self.fingerprint,
        }


def fingerprint(model: str) -> str:
    """Changes when the same seed may give another answer: with the model or this server."""
    digest = hashlib.sha256(f"{__version__} {model}".encode()).hexdigest()
    return f"fp_{digest[:10]}"


def usage(counts: Usage) -> Json:
    return {
        "prompt_tokens": counts.prompt_tokens,
        "completion_tokens": counts.completion_tokens,
        "total_tokens": counts.prompt_tokens + counts.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": counts.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": counts.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def logprobs(entries: tuple[TokenLogprob, ...] | list[TokenLogprob]) -> Json | None:
    if not entries:
        return None
    return {"content": [logprob(entry) for entry in entries], "refusal": None}


def logprob(entry: TokenLogprob) -> Json:
    return {
        "token": entry.token,
        "logprob": entry.logprob,
        "bytes": list(entry.raw),
        "top_logprobs": [
            {"token": top.token, "logprob": top.logprob, "bytes": list(top.raw)}
            for top in entry.top
        ],
    }


# --- the whole answer ---------------------------------------------------------------


class _Message:
    """One choice, collected."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.calls: list[Json] = []
        self.logprobs: list[TokenLogprob] = []
        self.finish_reason: str | None = None

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text, entries):
                self.text.append(text)
                self.logprobs.extend(entries)
            case ReasoningDelta(text):
                self.reasoning.append(text)
            case ToolCallStart(_, call_id, name):
                function = {"name": name, "arguments": ""}
                self.calls.append({"id": call_id, "type": "function", "function": function})
            case ToolCallDelta(index, arguments):
                self.calls[index]["function"]["arguments"] += arguments
            case Finish(reason):
                self.finish_reason = reason

    def choice(self, index: int) -> Json:
        text = "".join(self.text)
        message: Json = {
            "role": "assistant",
            # OpenAI writes null, not "", beside tool calls.
            "content": text or (None if self.calls else ""),
            "refusal": None,
            "annotations": [],
        }
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.calls:
            message["tool_calls"] = self.calls
        return {
            "index": index,
            "message": message,
            "logprobs": logprobs(self.logprobs),
            "finish_reason": self.finish_reason,
        }


async def completion(
    events: AsyncIterator[tuple[int, Event]],
    *,
    model: str,
    n: int,
    counts: Usage,
    older_calls: bool = False,
    named_call: bool = False,
) -> Json:
    """Events to one ``chat.completion``. ``counts`` is read after the last event.

    ``older_calls``: the client is of the time before tools. ``named_call``: it named the function
    to be called.
    """
    messages = [_Message() for _ in range(n)]
    async for choice, event in events:
        messages[choice].add(event)
    choices = [message.choice(i) for i, message in enumerate(messages)]
    if older_calls:
        choices = [_with_function_call(choice, "message") for choice in choices]
    if named_call:
        choices = [_as_told(choice) for choice in choices]
    body = Envelope(model).wrap("chat.completion", choices)
    return {**body, "usage": usage(counts)}


def _as_told(choice: Json) -> Json:
    """A choice whose call was the client's decision: OpenAI says "stop" where it was the model's
    to say "tool_calls"."""
    told = choice["finish_reason"] == "tool_calls"
    return {**choice, "finish_reason": "stop"} if told else choice


def _with_function_call(choice: Json, part: str) -> Json:
    """A choice for a client of the time before tools, whose answers make one call at most."""
    said = dict(choice[part])
    if calls := said.pop("tool_calls", None):
        said["function_call"] = calls[0]["function"]
    reason = choice["finish_reason"]
    return {
        **choice,
        part: said,
        "finish_reason": "function_call" if reason == "tool_calls" else reason,
    }


# --- the stream ---------------------------------------------------------------------


async def chunks(
    events: AsyncIterator[tuple[int, Event]],
    *,
    model: str,
    include_usage: bool,
    counts: Usage,
    older_calls: bool = False,
    named_call: bool = False,
) -> AsyncGenerator[Json]:
    """Events to ``chat.completion.chunk`` objects, the usage chunk last if it was asked for; what
    else is asked is what ``completion`` has."""
    envelope = Envelope(model)
    greeted: set[int] = set()

    def chunk(choices: list[Json], totals: Json | None = None) -> Json:
        if older_calls:
            choices = [_with_function_call(choice, "delta") for choice in choices]
        if named_call:
            choices = [_as_told(choice) for choice in choices]
        body = envelope.wrap("chat.completion.chunk", choices)
        return {**body, "usage": totals} if include_usage else body

    async for choice, event in events:
        if choice not in greeted:
            greeted.add(choice)
            greeting = _greeting(event)
            yield chunk([_choice(choice, greeting)])
            if "tool_calls" in greeting:
                continue
        if (delta := _delta(event)) is not None:
            entries = event.logprobs if isinstance(event, TextDelta) else ()
            reason = event.reason if isinstance(event, Finish) else None
            yield chunk([_choice(choice, delta, entries, reason)])
    if include_usage:
        yield chunk([], usage(counts))


def _choice(
    index: int,
    delta: Json,
    entries: tuple[TokenLogprob, ...] = (),
    finish_reason: str | None = None,
) -> Json:
    return {
        "index": index,
        "delta": delta,
        "logprobs": logprobs(entries),
        "finish_reason": finish_reason,
    }


def _greeting(first: Event) -> Json:
    """The first delta of a choice: its role, and the head of a call that it opens with."""
    if isinstance(first, ToolCallStart):
        return {"role": "assistant", "content": None, "refusal": None, **_call_head(first)}
    return {"role": "assistant", "content": "", "refusal": None}


def _call_head(call: ToolCallStart) -> Json:
    head = {
        "index": call.index,
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": ""},
    }
    return {"tool_calls": [head]}


def _delta(event: Event) -> Json | None:
    match event:
        case TextDelta(text):
            return {"content": text}
        case ReasoningDelta(text):
            return {"reasoning_content": text}
        case ToolCallStart():
            return _call_head(event)
        case ToolCallDelta(index, arguments):
            return {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}
        case Finish() | Idle():
            return {}
