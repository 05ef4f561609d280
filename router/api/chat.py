"""POST /v1/chat/completions."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from router import frames, sse, wire
from router.api.answering import begin
from router.api.requests import json_object, unless_gone
from router.api.services import Services
from router.catalog import ModelSpec
from router.errors import BadRequest
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
    _check_settings(chat, spec, services)
    stream = services.config.defaults.stream if chat.stream is None else chat.stream

    async with contextlib.AsyncExitStack() as held:
        prompt, assembler = _prompt(chat, spec, services), partial(chat_assembler, chat)
        answer = await begin(request, spec, prompt, assembler, held, stream=stream)
        events = answer.events()
        if not stream:
            completion = wire.completion(
                events,
                model=spec.id,
                n=chat.n,
                counts=answer.usage,
                older_calls=chat.older_calls,
            )
            return JSONResponse(await unless_gone(request, completion))
        chunks = wire.chunks(
            events,
            model=spec.id,
            include_usage=chat.include_usage,
            counts=answer.usage,
            older_calls=chat.older_calls,
        )
        return sse.EventStream(sse.stream(chunks), held.pop_all())


def _prompt(chat: ChatRequest, spec: ModelSpec, services: Services) -> frames.Generate:
    return frames.Generate(
        id=0,
        messages=chat.messages,
        tools=chat.usable_tools,
        constraint=chat.constraint,
        sampling=chat.sampling(spec.sampling),
        n=chat.n,
        max_tokens=chat.max_tokens or services.config.defaults.max_tokens,
        template_options=_template_options(chat),
    )


def _check_settings(chat: ChatRequest, spec: ModelSpec, services: Services) -> None:
    """Refuse tools where a setting turns them off: answering without them would lose them."""
    if not chat.tools:
        return
    setting = None
    if not services.config.defaults.enable_function_calling:
        setting = "defaults.enable_function_calling"
    elif not spec.supports_tools:
        setting = f"models.{spec.id}.supports_tools"
    if setting:
        raise BadRequest(
            f"Function calling is turned off by {setting} = false in config.json."
            " Remove the tools from the request, or change the setting.",
            param="tools",
            code="unsupported_parameter",
        )


def _template_options(chat: ChatRequest) -> dict[str, Any]:
    """``reasoning_effort: none`` asks a thinking model's template for an answer at once."""
    if chat.reasoning_effort is None:
        return {}
    thinks = chat.reasoning_effort != "none"
    return {"enable_thinking": thinks, "reasoning_effort": chat.reasoning_effort}
