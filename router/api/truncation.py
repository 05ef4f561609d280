"""``truncation: auto``: a conversation that is too long for the model loses its beginning."""

from __future__ import annotations

import msgspec
from fastapi import Request

from router import frames
from router.api.answering import measure
from router.catalog import ModelSpec
from router.errors import ContextTooLong
from router.responses.cuts import beginning_at, cuts

SHARE_OF_ANSWER = 4
"""One in so many tokens of the context is left to the answer, unless it may not be that long."""


async def fitted(request: Request, spec: ModelSpec, prompt: frames.Generate) -> frames.Generate:
    """The prompt with as much of its conversation as leaves room for an answer, and at least
    what the user said last. Whether that fits is for ``begin`` to find out."""
    if await _fits(request, spec, prompt):
        return prompt
    shorter = [
        msgspec.structs.replace(prompt, messages=beginning_at(prompt.messages, cut))
        for cut in cuts(prompt.messages)
    ]
    low, high = 0, len(shorter) - 1
    while low < high:
        middle = (low + high) // 2
        if await _fits(request, spec, shorter[middle]):
            high = middle
        else:
            low = middle + 1
    return shorter[low] if shorter else prompt


async def _fits(request: Request, spec: ModelSpec, prompt: frames.Generate) -> bool:
    try:
        size = await measure(request, spec, prompt)
    except ContextTooLong:
        return False
    share = size.context // SHARE_OF_ANSWER
    return size.prompt + min(prompt.max_tokens or share, share) <= size.context
