"""`POST simulate` and `POST sweep`: what k do, and what caps cost; k stay as they are."""

from __future__ import annotations

from typing import Any

import anyio
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from shsim.extras.admin_api.auth import Admin, Principal
from shsim.extras.admin_api.board import Board, Work
from shsim.extras.admin_api.computing import Computing
from shsim.extras.admin_api.jobs import Purpose
from shsim.extras.admin_api.json_text import JsonText
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.permitted import Computed
from shsim.extras.admin_api.problems import problem_responses
from shsim.extras.admin_api.requests import SimulationRequest, SweepRequest
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.waiting import answer_of


class Document(BaseModel):
    """The JSON that the command line prints; see the README."""

    model_config = ConfigDict(extra="allow")

    command: str
    version: str
    exam: str
    settings: dict[str, Any]
    seconds: float


def what_if_router(services: Services, board: Board) -> APIRouter:
    """The routes that compute and wait; they wait for their turn behind calibrations."""
    router = APIRouter(
        prefix=PREFIX,
        tags=["what if"],
        responses=problem_responses(400, 401, 403, 404, 409, 413, 422, 500, 503),
    )
    computing, limits = Computing(services, board), services.settings.limits

    async def answered(
        request: Request, purpose: Purpose, settings: Computed, work: Work
    ) -> Response:
        await anyio.to_thread.run_sync(computing.require_exam, purpose.exam, settings)
        answer = await answer_of(board, board.submit(purpose, work), request)
        return JsonText(answer.document)

    def purpose(command: str, exam: str, admin: Principal, *, dry_run: bool) -> Purpose:
        return Purpose(command=command, exam=exam, subject=admin.subject, dry_run=dry_run)

    @router.post("/simulate", summary="What the k in force do", response_model=Document)
    async def simulate(request: Request, admin: Admin, wanted: SimulationRequest) -> Response:
        """On record unless `dry_run`. A client that goes away cancels it."""
        settings, several = wanted.settings(limits)
        return await answered(
            request,
            purpose("simulate", wanted.exam_code, admin, dry_run=wanted.dry_run),
            settings,
            computing.simulation(wanted, settings, several),
        )

    @router.post("/sweep", summary="What each cap costs in information", response_model=Document)
    async def sweep(request: Request, admin: Admin, wanted: SweepRequest) -> Response:
        """Every `tau` at every `test_len`. A client that goes away cancels it."""
        settings = wanted.settings(limits)
        return await answered(
            request,
            purpose("sweep", wanted.exam_code, admin, dry_run=True),
            settings,
            computing.sweep(wanted.exam_code, settings),
        )

    return router
