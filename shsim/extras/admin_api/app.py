"""The application: routes, and what stands around all of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from shsim import __version__
from shsim.extras.admin_api.auth import Authentication
from shsim.extras.admin_api.board import Board
from shsim.extras.admin_api.body_limit import BodyLimit
from shsim.extras.admin_api.calibration_status import Calibrations
from shsim.extras.admin_api.calibrations import calibrations_router
from shsim.extras.admin_api.health import Readiness, health_router
from shsim.extras.admin_api.items import items_router
from shsim.extras.admin_api.kernels import WarmKernels
from shsim.extras.admin_api.log import Log
from shsim.extras.admin_api.me import me_router
from shsim.extras.admin_api.metrics import Metrics
from shsim.extras.admin_api.misfits import add_misfit_handler, known_parameters
from shsim.extras.admin_api.page_files import page_router
from shsim.extras.admin_api.problems import add_handlers, problem_schemas
from shsim.extras.admin_api.runs import runs_router
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.settings import ServerSettings
from shsim.extras.admin_api.stores import StorePool
from shsim.extras.admin_api.traffic import Traffic
from shsim.extras.admin_api.what_if import what_if_router

#: Seconds that interrupted runs are given to end and to go on record, once requests have ended:
#: less than half a minute for both, after which service managers kill, as a rule.
PATIENCE = 15.0


def create_app(settings: ServerSettings, log: Log) -> FastAPI:
    """The admin API as an ASGI application.

    Parameters
    ----------
    settings
        As the server is started.
    log
        Writes a line of the server's log.
    """
    services = Services(
        settings=settings, stores=StorePool(settings.dsn), metrics=Metrics(), log=log
    )
    kernels = WarmKernels(log)
    board = Board(services)
    readiness = Readiness(services, kernels)
    services.on_stop += [kernels.stop, board.stop]

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        kernels.start()
        yield
        services.stop()
        services.cut_short = await anyio.to_thread.run_sync(_join, services, board)
        services.stores.close()
        readiness.close()

    app = FastAPI(
        title="shsim admin API",
        summary="Sympson-Hetter exposure control: items, calibration, past runs.",
        version=__version__,
        lifespan=lifespan,
        # Their pages load scripts from elsewhere; the document itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.calibrations = Calibrations(services, board)
    add_handlers(app)
    add_misfit_handler(app)
    app.include_router(health_router(readiness, metrics_open=settings.metrics_open))
    app.include_router(page_router())
    for router in (
        me_router(),
        items_router(),
        calibrations_router(app.state.calibrations),
        runs_router(),
        what_if_router(services, board),
    ):
        app.include_router(router, dependencies=[Depends(known_parameters)])
    _surround(app, services)
    _describe(app)
    return app


def _join(services: Services, board: Board) -> int:
    """Wait for what runs and what is being changed; how many of them had to be left."""
    until = time.monotonic() + PATIENCE
    left = len(board.join(PATIENCE))
    change = services.changes.join(until - time.monotonic())
    if change is not None:
        services.log(
            "warning",
            "unfinished",
            f"{change} had not ended {PATIENCE:g} s after it was to: it stands, or not at all.",
        )
        left += 1
    return left


def _surround(app: FastAPI, services: Services) -> None:
    """Put the middleware around the routes; what is added last is outermost."""
    settings = services.settings
    app.add_middleware(BodyLimit, most=settings.limits.body_bytes)
    app.add_middleware(Authentication, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Authorization", "Last-Event-ID"),
            expose_headers=("Location", "Link", "Retry-After", "X-Total-Count"),
        )
    app.add_middleware(Traffic, services=services)


def _describe(app: FastAPI) -> None:
    """Complete the OpenAPI document by the problems that routes refer to."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = made().setdefault("components", {}).setdefault("schemas", {})
            schemas.update(problem_schemas())
        return made()

    app.openapi = document  # type: ignore[method-assign] # FastAPI's own way to extend it
