"""What is kept of a response: GET and DELETE /v1/responses/{id}, its input items, cancel."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from router.api.services import Services
from router.errors import BadRequest, NotFound
from router.responses.items import page
from router.responses.store import Kept
from router.schema.itempage import ItemPage

router = APIRouter(prefix="/responses/{response_id}")

Json = dict[str, Any]


@router.get("")
async def retrieve(request: Request, response_id: str) -> Json:
    if request.query_params.get("stream") == "true":
        raise BadRequest(
            "A response can be streamed while it is made, and not again. Leave `stream` out.",
            param="stream",
            code="unsupported_parameter",
        )
    return (await _kept(request, response_id)).response


@router.delete("")
async def delete(request: Request, response_id: str) -> Json:
    services: Services = request.app.state.services
    if not await services.responses.delete(response_id):
        raise _not_found(response_id)
    return {"id": response_id, "object": "response", "deleted": True}


@router.get("/input_items")
async def list_input_items(request: Request, response_id: str) -> Json:
    """All items that the response answers, those of earlier responses included."""
    wanted = ItemPage.parse(request.query_params)
    kept = await _kept(request, response_id)
    return page(kept.input, after=wanted.after, limit=wanted.limit, order=wanted.order)


@router.post("/cancel")
async def cancel(request: Request, response_id: str) -> Json:
    """Only responses in the background can be cancelled, and there are none. A client that
    hangs up cancels its response."""
    await _kept(request, response_id)
    raise BadRequest("Cannot cancel a synchronous response. Close its connection instead.")


async def _kept(request: Request, response_id: str) -> Kept:
    services: Services = request.app.state.services
    kept = await services.responses.load(response_id)
    if kept is None:
        raise _not_found(response_id)
    return kept


def _not_found(response_id: str) -> NotFound:
    return NotFound(
        f"Response with id '{response_id}' not found. It was deleted, made with `store: false`,"
        " or made way for newer ones (responses.max_stored)."
    )
