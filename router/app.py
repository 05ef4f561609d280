"""The ASGI application: routes, middleware, error handlers, lifespan."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from router import __version__, frames
from router.api import chat, completions, models, ops, responses, storedresponses
from router.api.requests import ClientGone
from router.api.services import Services
from router.catalog import Catalog
from router.config import Config
from router.errors import BY_STATUS, ApiError, BadRequest, Internal
from router.metrics import Metrics
from router.middleware import LOOPBACK, ApiKeys, HostCheck, LastResort, RequestLog, error_response
from router.pool import Pool
from router.responses.store import ResponseStore
from router.worker import OnProgress, Worker

log = logging.getLogger("router.app")

ENDPOINTS = (
    chat.router,
    completions.router,
    responses.router,
    storedresponses.router,
    models.router,
)


def create_app(
    config: Config,
    *,
    home: Path,
    engine: str = "mlx",
    on_progress: OnProgress | None = None,
) -> FastAPI:
    """The whole server. ``on_progress`` hears how the loading of a model goes."""
    catalog = Catalog(config, home)
    metrics = Metrics()
    start = partial(
        _start_worker,
        catalog=catalog,
        home=home,
        engine=engine,
        metrics=metrics,
        on_progress=on_progress or (lambda stage, fraction: None),
    )
    pool = Pool(start, max_queue=config.server.max_queue)
    store = ResponseStore(
        config.responses.path or home / "responses.sqlite3",
        most=config.responses.max_stored,
        most_bytes=config.responses.max_stored_mb << 20,
    )

    app = FastAPI(
        title="MLX Router",
        version=__version__,
        lifespan=_lifespan,
        middleware=_middleware(config),
        redirect_slashes=False,
        # The interactive docs load their scripts from a CDN; nothing here leaves the machine.
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = Services(config, catalog, pool, metrics, store)
    app.include_router(ops.router)
    for router in ENDPOINTS:
        app.include_router(router, prefix="/v1")
        # Goose and others are pointed at the bare host and post there.
        app.include_router(router, include_in_schema=False)
    _add_error_handlers(app)
    return app


def _middleware(config: Config) -> list[Middleware]:
    """Outermost first."""
    server = config.server
    stack = [Middleware(RequestLog), Middleware(LastResort)]
    if server.cors_origins:
        stack.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(server.cors_origins),
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=["x-request-id"],
            )
        )
    if server.host in LOOPBACK:
        stack.append(
            Middleware(HostCheck, allowed=server.allowed_hosts, origins=server.cors_origins)
        )
    if server.api_keys:
        stack.append(Middleware(ApiKeys, keys=server.api_keys))
    return stack


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The default model loads while the port is open already."""
    services: Services = app.state.services
    first_load = asyncio.create_task(_preload(services))
    yield
    first_load.cancel()
    await services.pool.close()
    await services.responses.close()


async def _preload(services: Services) -> None:
    model = services.catalog.default.id
    try:
        async with services.pool.lease(model):
            pass
    except ApiError as error:
        log.error("%s", error.message)


async def _start_worker(
    model: str,
    *,
    catalog: Catalog,
    home: Path,
    engine: str,
    metrics: Metrics,
    on_progress: OnProgress,
) -> Worker:
    model_spec = catalog.resolve(model)
    config = catalog.config
    engine_spec = frames.EngineSpec(
        engine="scripted" if engine == "scripted" else "mlx",
        path=str(model_spec.path or ""),
        embedded_home=str(home) if model_spec.source == "embedded" else None,
        embedded_id=model_spec.id,
        adapter=str(model_spec.adapter) if model_spec.adapter else None,
        chat_template=catalog.chat_template(model_spec),
        context_length=model_spec.context_length,
        max_batch_size=config.server.max_batch_size,
        prefill_chunk=config.server.prefill_chunk,
        prefix_cache=config.server.prefix_cache_mb << 20,
    )
    return await Worker.start(
        model, engine_spec, on_progress=on_progress, on_stats=metrics.on_stats
    )


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> Response:
        return error_response(error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        kind = BY_STATUS.get(error.status_code, Internal)
        where = f"{request.method} {request.url.path}"
        return error_response(
            kind(
                f"{error.detail}: {where}. The OpenAI API is below /v1, as in /v1/models.",
                headers=dict(error.headers or {}),
            )
        )

    @app.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> Response:
        return error_response(BadRequest("The request's path or query is not valid."))

    @app.exception_handler(ClientGone)
    async def client_gone(request: Request, error: ClientGone) -> Response:
        # Nobody reads this; 499 is what the log line shows.
        return Response(status_code=499)
