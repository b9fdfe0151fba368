"""`GET /health`, `GET /ready` and `GET /metrics`: for whoever watches the server."""

from __future__ import annotations

import asyncio
import time
from typing import Literal

import anyio
from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel
from starlette.responses import Response

from shsim import __version__
from shsim.errors import DatabaseError
from shsim.extras.admin_api.auth import require
from shsim.extras.admin_api.kernels import WarmKernels
from shsim.extras.admin_api.problems import Problem, problem_responses
from shsim.extras.admin_api.services import Services, services_of
from shsim.extras.admin_api.stores import StorePool

#: Seconds that an answer of `/ready` is good for: anybody may ask, at any rate.
_FRESH = 1.0

#: Seconds within which `/ready` answers, whatever the database does, and within which that is given
#: up: it may have answered by then, and the next who asks is told.
_ANSWER, _WITHIN = 3.0, 6.0

_HANGS = {"database": f"It does not answer within {_ANSWER:g} seconds."}


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


class Ready(BaseModel):
    """Work can be done."""

    status: Literal["ready"] = "ready"
    recording: bool
    version: str = __version__


class Readiness:
    """Whether work can be done: asked of the database at most once a second, one look at a time.

    It has a connection of its own, since requests may have all the others.

    Parameters
    ----------
    services
        Of this server.
    kernels
        Whether they are compiled.
    """

    def __init__(self, services: Services, kernels: WarmKernels) -> None:
        self._services = services
        self._kernels = kernels
        self._stores = StorePool(services.settings.dsn, size=1, within=_WITHIN)
        self._thread = anyio.CapacityLimiter(1)
        self._looking: asyncio.Task[tuple[dict[str, str], bool]] | None = None
        self._begun = 0.0
        self._logged: dict[str, str] = {}

    async def look(self) -> tuple[dict[str, str], bool]:
        """What is lacking, by part, and whether runs are recorded; in bounded time."""
        now = time.monotonic()
        looking = self._looking
        if looking is None or (looking.done() and now >= self._begun + _FRESH):
            self._begun = now
            looking = self._looking = asyncio.create_task(
                anyio.to_thread.run_sync(self._database, limiter=self._thread)
            )
        await asyncio.wait([looking], timeout=max(self._begun + _ANSWER - now, 0.0))
        lacking, recording = looking.result() if looking.done() else (_HANGS, False)
        if not self._kernels.ready:
            kernels = "They are being compiled, which takes half a minute at most."
            lacking = {**lacking, "kernels": kernels}
        return lacking, recording

    def close(self) -> None:
        """Close the connection."""
        self._stores.close()

    def _database(self) -> tuple[dict[str, str], bool]:
        lacking, cause, recording = {}, {}, False
        try:
            with self._stores.reading() as store:
                store.require_tables()
                recording = store.ledger.state().lack is None
        except DatabaseError as error:
            lacking["database"] = "It is out of reach, lacks a table, or has a newer ledger."
            cause["database"] = str(error)
        if cause != self._logged:
            # Probes come every few seconds; the log has each change once.
            self._logged = cause
            level: Literal["warning", "info"] = "warning" if cause else "info"
            said = f"not ready: {cause['database']}" if cause else "the database is ready"
            self._services.log(level, "readiness", said)
        return lacking, recording


def health_router(readiness: Readiness, *, metrics_open: bool) -> APIRouter:
    """The routes for whoever watches."""
    router = APIRouter(tags=["health"])

    @router.head("/health", include_in_schema=False)
    @router.get("/health", summary="Is the process alive?")
    async def health() -> Alive:
        """Never touches the database."""
        return Alive()

    @router.head("/ready", include_in_schema=False)
    @router.get("/ready", summary="Can work be done?", responses=problem_responses(503))
    async def ready() -> Ready:
        """Database reachable, schema known, kernels compiled; else 503 says what is not."""
        lacking, recording = await readiness.look()
        if lacking:
            errors = [{"pointer": part, "detail": said} for part, said in lacking.items()]
            raise Problem(
                503,
                " ".join(f"Not ready: {part}. {said}" for part, said in lacking.items()),
                headers={"Retry-After": "5"},
                errors=errors,
            )
        return Ready(recording=recording)

    @router.get(
        "/metrics",
        summary="Figures for Prometheus",
        dependencies=[] if metrics_open else [Depends(require("viewer"))],
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **({} if metrics_open else problem_responses(401, 403)),
        },
    )
    async def metrics(request: Request) -> Response:
        """Requests by route, their latency, runs by outcome, runs in this server by state."""
        text = services_of(request).metrics.text()
        return Response(text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return router
