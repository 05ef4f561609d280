"""How many: of choices, and of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.replay.judges.answer import Answer
from conformance.replay.judges.asked import Asked
from conformance.replay.judges.said import Said, usage

DETAILS = {
    "prompt_tokens": ("cached_tokens", "audio_tokens"),
    "completion_tokens": ("reasoning_tokens", "audio_tokens"),
}


def choices(answer: Answer, asked: Asked, found: list[Said]) -> Iterator[str]:
    """As many choices as were asked for, numbered."""
    indices = sorted(choice.index for choice in found)
    if indices != list(range(asked.choices)):
        yield f"choices {indices}, where {asked.choices} were asked for"


def counted(answer: Answer, asked: Asked, found: list[Said]) -> Iterator[str]:
    """There is usage, of a stream if that was asked for, and it adds up."""
    options = answer.request.get("stream_options") or {}
    used = usage(answer)
    if used is None:
        if answer.kind == "response" or not answer.streamed or options.get("include_usage"):
            yield "no usage"
        return
    if used["prompt_tokens"] + used["completion_tokens"] != used["total_tokens"]:
        yield f"usage does not add up: {used}"
    for name, parts in DETAILS.items():
        details = used.get(f"{name}_details") or {}
        over = [part for part in parts if (details.get(part) or 0) > used[name]]
        yield from (f"more {part} than {name}: {used}" for part in over)


def limited(answer: Answer, asked: Asked, found: list[Said]) -> Iterator[str]:
    """No more tokens than were asked for, and a text that has all of them was cut, unless it came
    to a stop with the last one."""
    used = usage(answer)
    if used is None or asked.limit is None:
        return
    spent, limit = used["completion_tokens"], asked.limit * asked.choices
    if spent > limit:
        yield f"{spent} tokens, where {limit} were asked for"
    ended = [choice for choice in found if choice.finish != "length" and not choice.calls]
    if spent == limit and ended and not asked.stops:
        yield f"{spent} of {limit} tokens, and finish_reason {[c.finish for c in found]}"


RULES: tuple[Callable[[Answer, Asked, list[Said]], Iterator[str]], ...] = (
    choices,
    counted,
    limited,
)
