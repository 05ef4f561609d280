"""GET /v1/models and GET /v1/models/{id}."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from router.api.services import Services
from router.catalog import ModelSpec

router = APIRouter()


@router.get("/models")
def list_models(request: Request) -> dict[str, Any]:
    services: Services = request.app.state.services
    return {"object": "list", "data": [_model(spec) for spec in services.catalog.list()]}


@router.get("/models/{model_id:path}")
def retrieve_model(request: Request, model_id: str) -> dict[str, Any]:
    """Ids contain slashes; the SDKs send them as %2F, curl users as they are."""
    services: Services = request.app.state.services
    return _model(services.catalog.resolve(model_id))


def _model(spec: ModelSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "object": "model",
        "created": spec.created,
        "owned_by": spec.source,
    }
