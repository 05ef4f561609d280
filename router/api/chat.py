"""POST /v1/chat/completions."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from router import sse, wire
from router.api.answering import begin
from router.api.chatprompt import chat_prompt
from router.api.requests import json_object, unless_gone
from router.api.services import Services
from router.pipeline import chat_assembler
from router.schema import ChatRequest

router = APIRouter()


@router.post("/chat/completions")
async def create(request: Request) -> Response:
    """Answer a chat. Whatever can be a 4xx happens before the first byte."""
    services: Services = request.app.state.services
    body = await json_object(request, services.config.server.max_body_mb << 20)
    # Off the event loop: checking the schemas of unknown tools can take a second.
    chat = await asyncio.to_thread(ChatRequest.parse, body)
    spec = services.catalog.resolve(chat.model)
    prompt = chat_prompt(chat, spec, services.config)
    stream = services.config.defaults.stream if chat.stream is None else chat.stream

    async with contextlib.AsyncExitStack() as held:
        assembler = partial(chat_assembler, chat)
        answer = await begin(request, spec, prompt, assembler, held, stream=stream)
        events = answer.events()
        if not stream:
            completion = wire.completion(
                events,
                model=spec.id,
                n=chat.n,
                counts=answer.usage,
                older_calls=chat.older_calls,
                named_call=chat.tool_choice.named,
            )
            return JSONResponse(await unless_gone(request, completion))
        chunks = wire.chunks(
            events,
            model=spec.id,
            include_usage=chat.include_usage,
            counts=answer.usage,
            older_calls=chat.older_calls,
            named_call=chat.tool_choice.named,
        )
        return sse.EventStream(sse.stream(chunks), held.pop_all())
