"""For those who run the server: health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from router.api.services import Services

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """200 as soon as the port is bound, whatever the models do."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """200 once the default model can answer, 503 before."""
    services: Services = request.app.state.services
    model = services.catalog.default.id
    if services.pool.can_answer(model):
        return JSONResponse({"status": "ready", "model": model})
    return JSONResponse(
        {"status": "loading", "model": model}, status_code=503, headers={"retry-after": "2"}
    )


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    services: Services = request.app.state.services
    services.metrics.queued.set(services.pool.queued)
    body, content_type = services.metrics.exposition()
    return Response(body, headers={"content-type": content_type})
