"""What a model said, in whichever API's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.replay.judges.answer import Answer, Json


@dataclass(frozen=True)
class Said:
    """One choice. ``text`` is None where there is none, not even an empty one. ``calls``: the name
    and arguments of each function called. ``others``: were other tools used? ``finish``: as chat
    calls it. ``logprobs``: are there any?"""

    index: int
    text: str | None
    calls: list[tuple[str, str]]
    others: bool
    refused: bool
    finish: str | None
    logprobs: bool


def said(answer: Answer) -> list[Said]:
    """All choices; none for a stream or an answer that has no end."""
    if answer.kind == "response":
        return [_of_response(answer.final)] if answer.final else []
    if answer.streamed:
        return list(_of_chunks(answer))
    return [_of_choice(choice) for choice in answer.body.get("choices") or []]


def usage(answer: Answer) -> Json | None:
    """Counts, as chat names them."""
    if answer.streamed and answer.kind != "response":
        return answer.transcript.usage
    found = (answer.final or {}).get("usage")
    if not isinstance(found, dict):
        return None
    named = {"input": "prompt", "output": "completion"}
    return {_renamed(name, named): value for name, value in found.items()}


def _renamed(name: str, named: dict[str, str]) -> str:
    first, _, rest = name.partition("_")
    return f"{named.get(first, first)}_{rest}"


def _of_choice(choice: Json) -> Said:
    """Of a chat, or of a completion, which has a text and no message."""
    message = choice.get("message") or {}
    calls = message.get("tool_calls") or []
    made = [
        (str(c["function"].get("name")), c["function"].get("arguments"))
        for c in calls
        if "function" in c
    ]
    logprobs = choice.get("logprobs") or {}
    return Said(
        index=choice.get("index", 0),
        text=message.get("content") if message else choice.get("text"),
        calls=made,
        others=len(made) < len(calls) or bool(message.get("function_call") or message.get("audio")),
        refused=bool(message.get("refusal")),
        finish=choice.get("finish_reason"),
        logprobs=bool(logprobs.get("content") or logprobs.get("refusal") or logprobs.get("tokens")),
    )


def _of_chunks(answer: Answer) -> Iterator[Said]:
    chunks = [choice for chunk in answer.transcript.completions for choice in chunk["choices"]]
    for index, choice in answer.transcript.choices.items():
        own = [chunk for chunk in chunks if chunk.get("index") == index]
        logprobs = [chunk["logprobs"] for chunk in own if chunk.get("logprobs")]
        yield Said(
            index=index,
            text=choice.content + "".join(chunk.get("text") or "" for chunk in own),
            calls=[(call["name"], call["arguments"]) for call in choice.calls.values()],
            others=any("function_call" in delta or "audio" in delta for delta in choice.deltas),
            refused=any(delta.get("refusal") for delta in choice.deltas),
            finish=choice.finish_reasons[-1] if choice.finish_reasons else None,
            logprobs=any(
                found.get("content") or found.get("refusal") or found.get("tokens")
                for found in logprobs
            ),
        )


def _of_response(response: Json) -> Said:
    items = response.get("output") or []
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    return Said(
        index=0,
        text="".join(part["text"] for part in parts if part["type"] == "output_text"),
        calls=[(i["name"], i["arguments"]) for i in items if i["type"] == "function_call"],
        others=any(i["type"] not in ("message", "reasoning", "function_call") for i in items),
        refused=any(part["type"] == "refusal" for part in parts),
        finish=_finish(response),
        logprobs=any(part.get("logprobs") for part in parts),
    )


def _finish(response: Json) -> str | None:
    if response.get("status") == "completed":
        return "stop"
    reason: Any = (response.get("incomplete_details") or {}).get("reason")
    return "length" if reason == "max_output_tokens" else reason
