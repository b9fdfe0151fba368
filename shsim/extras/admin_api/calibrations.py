"""Calibrations: started, followed, cancelled; and `calibrate_sh`, which waits for the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from shsim.extras.admin_api.auth import Admin, Viewer, require
from shsim.extras.admin_api.calibration_status import (
    Calibrated,
    Calibration,
    Calibrations,
    CalibrationWithResult,
    calibrated,
)
from shsim.extras.admin_api.jobs import Job
from shsim.extras.admin_api.json_text import JsonText
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.problems import problem_responses
from shsim.extras.admin_api.requests import CalibrationRequest
from shsim.extras.admin_api.waiting import ended, events_after

_Number = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="Of `POST calibrations`.")]
_EventNumber = Annotated[int, Header(ge=0, le=2**63 - 1, description="Go on after this event.")]

_LOCATION = {"Location": {"description": "Where it stands.", "schema": {"type": "string"}}}

#: Nobody reads it.
_CLIENT_GONE = 499


async def found(request: Request, id: _Number) -> Job:  # noqa: A002 - as the path has it
    """The calibration that a path names; 404."""
    calibrations: Calibrations = request.app.state.calibrations
    return calibrations.find(id)


Found = Annotated[Job, Depends(found)]


def calibrations_router(calibrations: Calibrations) -> APIRouter:
    """The routes about calibrations."""
    router = APIRouter(
        prefix=PREFIX, tags=["calibrations"], responses=problem_responses(401, 403, 422, 503)
    )

    @router.post(
        "/calibrate_sh",
        summary="Calibrate, and wait for the answer",
        response_model=Calibrated,
        responses=problem_responses(400, 404, 409, 413, 500),
    )
    async def calibrate_sh(request: Request, admin: Admin, wanted: CalibrationRequest) -> Response:
        """It goes on if the client goes away: `calibrations` and `runs` have what came of it."""
        job = await calibrations.start(wanted, admin)
        if not await ended(job, request):
            return Response(status_code=_CLIENT_GONE)
        return JsonText(await anyio.to_thread.run_sync(calibrated, job))

    @router.post(
        "/calibrations",
        summary="Start a calibration",
        status_code=202,
        responses={202: {"headers": _LOCATION}, **problem_responses(400, 404, 409, 413)},
    )
    async def start(
        request: Request, response: Response, admin: Admin, wanted: CalibrationRequest
    ) -> Calibration:
        """It waits for its turn.

        409 while the exam is being calibrated (`calibration` names the run that does it), and
        where settings contradict one another or the exam. 503 where too many are waiting.
        """
        job = await calibrations.start(wanted, admin)
        response.headers["Location"] = f"{request.url.path}/{job.id}"
        return calibrations.status(job)

    @router.get("/calibrations", summary="Calibrations of this server, the newest first")
    async def every(_viewer: Viewer) -> list[Calibration]:
        """Those that wait or run, and the last that ended; a restart forgets them: see runs."""
        return calibrations.every()

    @router.get(
        "/calibrations/{id}",
        summary="Where a calibration stands, and what came out",
        response_model=CalibrationWithResult,
        responses=problem_responses(404),
    )
    async def one(_viewer: Viewer, job: Found) -> Response:
        """`result` and `stdout` are null until it is done."""
        return JsonText(calibrations.with_result(job))

    @router.get(
        "/calibrations/{id}/events",
        summary="Follow a calibration",
        response_class=EventSourceResponse,
        dependencies=[Depends(require("viewer"))],
        responses=problem_responses(404),
    )
    async def events(job: Found, last_event_id: _EventNumber = 0) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events, from the first that is kept or after `Last-Event-ID`.

        `queued`, `running`, `stage`, `progress`, `iteration`, `note`, `warning`, `saving`, and
        last `end`, with the state; a comment every 15 seconds.
        """
        async for event in events_after(job, last_event_id):
            yield ServerSentEvent(data=dict(event.data), event=event.name, id=str(event.number))

    @router.delete(
        "/calibrations/{id}",
        summary="Cancel a calibration",
        status_code=202,
        responses=problem_responses(404, 409),
    )
    async def delete(admin: Admin, job: Found) -> Calibration:
        """Waiting, it never begins; running, it ends at its next chunk, and nothing is saved.

        409: it is saving, or has ended.
        """
        return calibrations.cancel(job, admin)

    @router.post(
        "/calibrations/{id}/cancel",
        summary="Cancel a calibration",
        status_code=202,
        responses=problem_responses(404, 409),
    )
    async def cancel(admin: Admin, job: Found) -> Calibration:
        """As DELETE, for clients that have none."""
        return calibrations.cancel(job, admin)

    return router
