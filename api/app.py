"""The application factory: the composition root of what a client meets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from api.body_limit import BodyLimitMiddleware, BodyLimits
from api.error_handlers import add_error_handlers
from api.exposition import Exposition
from api.keys import KeyMiddleware, asks_for_keys
from api.loopback import LoopbackMiddleware, is_loopback
from api.openapi import openapi_of
from api.prometheus import RequestMetrics, RequestMetricsMiddleware
from api.readiness import Readiness
from api.request_id import RequestIdMiddleware
from api.routes import (
    backbones,
    classify,
    curves,
    datasets,
    docs,
    embed,
    experiments,
    health,
    kinds,
    metrics,
    models,
    pages,
    problems,
    prometheus,
)
from api.security_headers import SecurityHeadersMiddleware
from api.services import Services
from api.stopping import set_on_stop_signal
from api.upload import remove_stale_uploads
from api.warmup import load_default_model
from db.settings import Settings

DESCRIPTION = (
    "Where does this text come from? Trains source identifiers on a corpus and serves calibrated "
    "distributions over its sources and *unknown*."
)
ROUTERS = (
    classify.router,
    embed.router,
    datasets.router,
    experiments.router,
    kinds.router,
    metrics.router,
    curves.router,
    models.router,
    backbones.router,
    health.router,
    prometheus.router,
    problems.router,
    docs.router,
)


def create_app(settings: Settings) -> FastAPI:
    """The whole service as an ASGI application; it connects to nothing before it is started."""
    request_metrics = RequestMetrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = Services.from_settings(settings)
        app.state.services = services
        app.state.readiness = Readiness(services)
        app.state.exposition = Exposition(services, request_metrics)
        await run_in_threadpool(remove_stale_uploads, settings.data_dir / "uploads")
        await run_in_threadpool(load_default_model, services)
        try:
            with set_on_stop_signal(services.stopping):
                yield
        finally:
            services.stopping.set()
            await run_in_threadpool(services.close)

    app = FastAPI(
        title="Source identification",
        version=version("source-identification"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)
    if settings.serve_pages:
        pages.add_pages(app)
    add_error_handlers(app)
    # added last, runs first
    if asks_for_keys(settings):
        app.add_middleware(KeyMiddleware)
    elif is_loopback(settings.host):
        app.add_middleware(LoopbackMiddleware)
    app.add_middleware(BodyLimitMiddleware, limits=BodyLimits.from_settings(settings))
    app.add_middleware(RequestMetricsMiddleware, metrics=request_metrics)
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(RequestIdMiddleware)
    app.openapi = openapi_of(app)  # type: ignore[method-assign]  # FastAPI's documented way to replace it
    return app
