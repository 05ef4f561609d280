"""POST /v1/completions: the older endpoint, which continues texts."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from router import completionwire, frames, sse
from router.api.answering import begin
from router.api.requests import json_object, unless_gone
from router.api.services import Services
from router.catalog import ModelSpec
from router.pipeline import text_assembler
from router.schema import CompletionRequest

router = APIRouter()

MAX_TOKENS = 16
"""OpenAI's own default for this endpoint. Clients count on answers that end soon."""


@router.post("/completions")
async def create(request: Request) -> Response:
    """Continue texts. Whatever can be a 4xx happens before the first byte."""
    services: Services = request.app.state.services
    body = await json_object(request, services.config.server.max_body_mb << 20)
    # Off the event loop: there can be a million token ids to check.
    asked = await asyncio.to_thread(CompletionRequest.parse, body)
    spec = services.catalog.resolve(asked.model)
    stream = services.config.defaults.stream if asked.stream is None else asked.stream

    async with contextlib.AsyncExitStack() as held:
        prompt, assembler = _prompt(asked, spec, services), partial(text_assembler, asked.stop)
        answer = await begin(request, spec, prompt, assembler, held, stream=stream)
        events = answer.events()
        if not stream:
            completion = completionwire.completion(
                events, model=spec.id, beginnings=asked.beginnings, counts=answer.usage
            )
            return JSONResponse(await unless_gone(request, completion))
        chunks = completionwire.chunks(
            events,
            model=spec.id,
            beginnings=asked.beginnings,
            include_usage=asked.include_usage,
            counts=answer.usage,
        )
        return sse.EventStream(sse.stream(chunks), held.pop_all())


def _prompt(asked: CompletionRequest, spec: ModelSpec, services: Services) -> frames.Generate:
    return frames.Generate(
        id=0,
        messages=[],
        prompts=asked.prompts,
        sampling=asked.sampling(spec.sampling),
        n=asked.n,
        max_tokens=asked.max_tokens or services.config.defaults.max_tokens or MAX_TOKENS,
    )
