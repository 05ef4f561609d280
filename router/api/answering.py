"""From a checked request to its answer: what every endpoint that generates text does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from fastapi import Request

from router import frames
from router.api.requests import unless_gone
from router.api.services import Services
from router.catalog import ModelSpec
from router.errors import ApiError
from router.metrics import Record
from router.pipeline import Answer
from router.toolcalls import Assembler
from router.worker import Generation, ProcessDied

SCRIPT = "x-mlx-router-script"
"""The header with what the scripted engine is to play: see ``engine/script.py``. A test of a client
can so set the answer, and leave the request as its client made it."""


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens of a prompt, and of the context that it shares with its answer."""

    prompt: int
    context: int


async def begin(
    request: Request,
    spec: ModelSpec,
    generate: frames.Generate,
    assembler: Callable[[Generation], Assembler],
    held: contextlib.AsyncExitStack,
    *,
    stream: bool,
) -> Answer:
    """Wait for the model and for its consent. What is acquired is left in ``held``, to be closed
    when the answer has been sent or nobody waits for it any more; then it is counted, too.

    Raises ApiError for whatever can be a 4xx or a 5xx before the first byte, and ClientGone.
    """
    services: Services = request.app.state.services
    started: float = request.state.started
    record = Record(model=spec.id, stream=stream)
    request.state.record = record
    held.callback(services.metrics.observe, record)
    generate = msgspec.structs.replace(generate, script=request.headers.get(SCRIPT, ""))
    try:
        generation = await unless_gone(request, _admitted(services, spec, generate, held))
    except ApiError:
        record.finish_reason = "error"
        record.seconds = time.monotonic() - started
        raise
    answer = Answer(generation, assembler, timeout=services.config.defaults.timeout)
    held.callback(_take_notes, record, answer, started)
    return answer


async def measure(request: Request, spec: ModelSpec, generate: frames.Generate) -> Size:
    """What the prompt takes. Raises what ``begin`` raises."""
    services: Services = request.app.state.services
    nothing = msgspec.structs.replace(generate, n=0)
    async with contextlib.AsyncExitStack() as held:
        generation = await unless_gone(request, _admitted(services, spec, nothing, held))
        return Size(generation.prompt_tokens, generation.context_length)


async def _admitted(
    services: Services,
    spec: ModelSpec,
    generate: frames.Generate,
    held: contextlib.AsyncExitStack,
) -> Generation:
    """The request inside the engine. A process may have died while nobody used it, so one that
    dies before it has taken the request is replaced, once."""
    try:
        return await _taken(services, spec, generate, held)
    except ProcessDied:
        return await _taken(services, spec, generate, held)


async def _taken(
    services: Services,
    spec: ModelSpec,
    generate: frames.Generate,
    held: contextlib.AsyncExitStack,
) -> Generation:
    async with contextlib.AsyncExitStack() as acquired:
        worker = await acquired.enter_async_context(services.pool.lease(spec.id))
        generation = await worker.generate(generate)
        acquired.callback(worker.release, generation)
        held.push_async_exit(acquired.pop_all())
    return generation


def _take_notes(record: Record, answer: Answer, started: float) -> None:
    record.prompt_tokens = answer.usage.prompt_tokens
    record.cached_tokens = answer.usage.cached_tokens
    record.completion_tokens = answer.usage.completion_tokens
    record.tool_calls = answer.tool_calls
    record.malformed_calls = answer.malformed_calls
    record.seconds = time.monotonic() - started
    if answer.first_token_at is not None:
        record.ttft = answer.first_token_at - started
    record.finish_reason = answer.outcome
