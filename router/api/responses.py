"""POST /v1/responses and /v1/responses/input_tokens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from router import frames, sse
from router.api.answering import begin, measure
from router.api.chatprompt import chat_prompt
from router.api.requests import json_object, unless_gone
from router.api.services import Services
from router.api.truncation import fitted
from router.catalog import ModelSpec
from router.errors import ApiError, BadRequest, Internal, NotFound
from router.pipeline import chat_assembler
from router.responses import history, wire
from router.responses.items import Item, whole
from router.responses.response import ResponseObject
from router.responses.store import Kept, ResponseStore
from router.schema import ResponsesRequest

router = APIRouter()

Json = dict[str, Any]
Keep = Callable[[Json], Awaitable[Json]]


@router.post("/responses")
async def create(request: Request) -> Response:
    """Answer a conversation. Whatever can be a 4xx happens before the first byte."""
    services: Services = request.app.state.services
    body = await json_object(request, services.config.server.max_body_mb << 20)
    # Off the event loop: checking the schemas of unknown tools can take a second.
    asked = await asyncio.to_thread(ResponsesRequest.parse, body)
    stream = services.config.defaults.stream if asked.fields.stream is None else asked.fields.stream

    with _naming_fields_of(asked):
        spec = services.catalog.resolve(asked.fields.model)
        items = await _items(asked, services.responses)
        prompt = _prompt(asked, items, spec, services)
        if asked.truncates:
            prompt = await fitted(request, spec, prompt)
        async with contextlib.AsyncExitStack() as held:
            assembler = partial(chat_assembler, asked.chat)
            answer = await begin(request, spec, prompt, assembler, held, stream=stream)
            events = answer.events()
            about = ResponseObject(
                asked, model=spec.id, sampling=prompt.sampling, counts=answer.usage
            )
            keep = partial(_keep, asked, items, services.responses)
            if not stream:
                ended = await unless_gone(request, wire.response(events, about))
                return JSONResponse(await keep(ended), headers=_warnings(asked))
            told = _kept(wire.stream(events, about), keep)
            return sse.EventStream(sse.named(told), held.pop_all(), _warnings(asked))


@router.post("/responses/input_tokens")
async def count_input_tokens(request: Request) -> Json:
    services: Services = request.app.state.services
    body = await json_object(request, services.config.server.max_body_mb << 20)
    body["model"] = body.get("model") or services.catalog.default.id
    asked = await asyncio.to_thread(ResponsesRequest.parse, body)
    with _naming_fields_of(asked):
        spec = services.catalog.resolve(asked.fields.model)
        prompt = _prompt(asked, await _items(asked, services.responses), spec, services)
        if asked.truncates:
            prompt = await fitted(request, spec, prompt)
        size = await measure(request, spec, prompt)
    return {"object": "response.input_tokens", "input_tokens": size.prompt}


@contextlib.contextmanager
def _naming_fields_of(asked: ResponsesRequest) -> Iterator[None]:
    """The rest of the router speaks of the fields of a chat. And a model that does not exist is
    a wrong field here, as at OpenAI."""
    try:
        yield
    except NotFound as error:
        raise BadRequest(error.message, param="model", code=error.code) from None
    except ApiError as error:
        error.param = error.param and asked.path(error.param)
        raise


# --- the conversation ---------------------------------------------------------------


async def _items(asked: ResponsesRequest, store: ResponseStore) -> list[Item]:
    """All that was said, kept items first. Raises BadRequest for what is not kept."""
    kept: list[Item] = []
    if previous := asked.fields.previous_response_id:
        found = await store.load(previous)
        if found is None:
            raise BadRequest(
                f"Previous response with id '{previous}' not found. It was deleted, made with"
                " `store: false`, or made way for newer ones (responses.max_stored).",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        kept = found.items
    known = {item["id"] for item in kept}
    given = [await _referenced(item, known, store) for item in asked.input]
    return kept + [whole(item) for item in history.new_items(kept, given)]


async def _referenced(item: Item, known: set[str], store: ResponseStore) -> Item:
    if item["type"] != "item_reference" or item["id"] in known:
        return item
    found = await store.item(item["id"])
    if found is None:
        raise BadRequest(
            f"Item with id '{item['id']}' not found. Items are kept with the responses that they"
            " belong to, and not with `store: false`. Send the item itself.",
            param="input",
        )
    return found


def _prompt(
    asked: ResponsesRequest, items: list[Item], spec: ModelSpec, services: Services
) -> frames.Generate:
    chat = history.messages(items, asked.fields.instructions, old_thoughts=asked.old_thoughts)
    return chat_prompt(replace(asked.chat, messages=chat), spec, services.config)


# --- what stays ---------------------------------------------------------------------


async def _keep(
    asked: ResponsesRequest, items: list[Item], store: ResponseStore, ended: Json
) -> Json:
    """The response as it is sent: one that could not be kept says so."""
    if not asked.store:
        return ended
    try:
        await store.save(Kept(ended, items))
    except Internal:
        return {**ended, "store": False}
    return ended


async def _kept(events: AsyncGenerator[Json], keep: Keep) -> AsyncGenerator[Json]:
    """The response is kept before the client hears that it has ended: it may go on at once."""
    async with contextlib.aclosing(events):
        async for event in events:
            if event["type"] in wire.ENDINGS:
                event["response"] = await keep(event["response"])
            yield event


def _warnings(asked: ResponsesRequest) -> dict[str, str]:
    if not asked.ignored_tools:
        return {}
    ignored = ", ".join(dict.fromkeys(asked.ignored_tools))
    return {"warning": f'299 - "ignored tools of type {ignored}"'}
