"""The application factory: ``uvicorn backend.app.main:create_app --factory``."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from backend.app import VERSION
from backend.app.core.auth import token_verifier
from backend.app.core.context import BodyLimit, CatchEverything, RequestContext
from backend.app.core.errors import install_error_handlers
from backend.app.core.logging import configure_logging
from backend.app.core.settings import Settings, SettingsError, load_settings
from backend.app.openapi import install_openapi
from backend.app.routers import (
    agreements,
    audit,
    auth,
    billing,
    catalogue,
    counts,
    credit_notes,
    customers,
    deliveries,
    goods_returns,
    health,
    integrity,
    invoices,
    labels,
    loyalty,
    orders,
    payments,
    products,
    promotions,
    quotations,
    registers,
    reordering,
    reports,
    reservations,
    scan,
    shifts,
    stock,
    tracking,
    transfers,
    users,
)
from backend.app.services.press import press

# Shorter than the 5 seconds after which many servers close an idle connection, so that no request meets a
# closed one.
_KEEPALIVE_SECONDS = 4.0
# How long a request waits for a free connection: who has waited so long is better told to come again.
_POOL_SECONDS = 2.0

_ROUTERS = (
    health,
    auth,
    catalogue,
    products,
    customers,
    stock,
    tracking,
    reservations,
    transfers,
    counts,
    reordering,
    goods_returns,
    integrity,
    scan,
    labels,
    billing,
    quotations,
    orders,
    deliveries,
    invoices,
    payments,
    credit_notes,
    agreements,
    promotions,
    loyalty,
    shifts,
    reports,
    registers,
    audit,
    users,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Makes the application.

    settings: left out, they are read from the environment; when one is missing or unacceptable the process
    ends with a message that names it.
    """
    if settings is None:
        try:
            settings = load_settings()
        except SettingsError as error:
            sys.exit(str(error))
    configure_logging(settings.log_level)
    docs = settings.docs_enabled
    app = FastAPI(
        title="Branchline API",
        version=VERSION,
        docs_url="/docs" if docs else None,
        redoc_url="/redoc" if docs else None,
        openapi_url="/openapi.json" if docs else None,
        lifespan=_lifespan,
    )
    app.state.settings = settings
    install_error_handlers(app)
    install_openapi(app)
    for room in _ROUTERS:
        app.include_router(room.router)
    # The last one added is the outermost: the context sees every request, and a 500 gets its CORS headers.
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(CatchEverything)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins or [],
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-Organization", "X-Request-ID"],
        expose_headers=["Content-Disposition", "ETag", "Location", "Retry-After", "X-Request-ID"],
        max_age=600,
    )
    app.add_middleware(RequestContext)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keeps one HTTP client for the process: making one per request costs 19 ms, handing this one on costs
    nothing.
    """
    settings: Settings = app.state.settings
    limits = httpx.Limits(
        max_connections=settings.upstream_connections,
        max_keepalive_connections=settings.upstream_connections,
        keepalive_expiry=_KEEPALIVE_SECONDS,
    )
    patience = settings.upstream_timeout_seconds
    timeout = httpx.Timeout(patience, connect=min(5.0, patience), pool=min(_POOL_SECONDS, patience))
    async with (
        httpx.AsyncClient(limits=limits, timeout=timeout) as client,
        press(
            processes=settings.press_processes,
            queue=settings.press_queue,
            share=settings.press_share,
            seconds=settings.press_timeout_seconds,
        ) as app.state.press,
    ):
        app.state.client = client
        app.state.verifier = token_verifier(settings, client)
        yield
