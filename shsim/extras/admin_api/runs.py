"""Past runs: the list, one of them, and its k put back."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shsim.extras.admin_api.auth import Admin, Viewer
from shsim.extras.admin_api.changes import WAIT
from shsim.extras.admin_api.fields import ExamCode, Flag
from shsim.extras.admin_api.items import acting
from shsim.extras.admin_api.json_text import JsonText
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.problems import problem_responses
from shsim.extras.admin_api.services import services_of
from shsim.model.run_record import Rollback
from shsim.report.history import history_json, in_force_json
from shsim.report.past_run import past_run_json, rollback_json
from shsim.workflow.past_runs import recall, rollback

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Runs(BaseModel):
    """The newest runs."""

    command: str
    version: str
    count: int = Field(description="How many there are.")
    runs: list[dict[str, Any]]


class Run(BaseModel):
    """Everything on record about a run."""

    model_config = ConfigDict(extra="allow")

    run: int
    command: str
    exam: str
    outcome: str
    settings: dict[str, Any]
    measures: dict[str, Any]
    history: list[dict[str, Any]]
    items: list[dict[str, Any]]


class InForce(BaseModel):
    """Whose k an exam has."""

    version: str
    exam: str
    made_by: dict[str, Any] | None = Field(
        description="The calibration that made the most k in force, perhaps another exam's, with"
        " its `settings`; null where those on record made no more than half of them together."
    )
    changed_since: int | None = Field(
        description="Items of that calibration whose k are not what it left, whoever changed them."
    )
    last_written_by: dict[str, Any] | None = Field(
        description="The last run that wrote any of them: that one, a `set` or a rollback."
    )


class Undoing(BaseModel):
    """How to put the k before a run back."""

    model_config = ConfigDict(extra="forbid")

    force: Flag = Field(default=False, description="Even where k have changed since that run.")
    dry_run: Flag = False


_PLAIN = Undoing()


class Undone(BaseModel):
    """What a rollback did, or would do (`changed` is null)."""

    command: str
    version: str
    exam: str
    run: int | None = Field(description="The rollback's own number.")
    rollback_of: int
    changed: int | None
    unchanged: int | None
    set_to_1: int
    not_live: int = Field(description="Items of the run that the exam does not publish any more.")
    not_in_run: int = Field(description="Live items that the run did not know: left as they are.")
    warning: str | None = Field(description="What the database said of its COMMIT, which stands.")
    items: list[dict[str, Any]]


def runs_router() -> APIRouter:
    """The routes about past runs."""
    router = APIRouter(
        prefix=PREFIX, tags=["runs"], responses=problem_responses(401, 403, 422, 503)
    )

    @router.get("/runs", summary="Past runs, the newest first", response_model=Runs)
    def runs(
        request: Request,
        _viewer: Viewer,
        exam: Annotated[ExamCode | None, Query(description="Of one exam only.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Response:
        """Every front door's: the command line's too."""
        with services_of(request).stores.reading() as store:
            return JsonText(history_json(*store.ledger.history(exam, limit)))

    @router.get("/in_force", summary="Whose k an exam has", response_model=InForce)
    def in_force(request: Request, _viewer: Viewer, exam: Annotated[ExamCode, Query()]) -> Response:
        """As `audit` finds it; null where no run on record did it."""
        with services_of(request).stores.reading() as store:
            ledger = store.ledger
            made, newest = ledger.in_force(exam), ledger.newest_saved(exam)
            changed = None if made is None else ledger.changes.since_run(made.run, exam)
            return JsonText(in_force_json(exam, made, changed, newest))

    @router.get(
        "/runs/{run}",
        summary="One past run",
        response_model=Run,
        responses=problem_responses(404),
    )
    def one(request: Request, _viewer: Viewer, run: Number) -> Response:
        """Settings, figures, iterations, and every k before and after."""
        with services_of(request).stores.reading() as store:
            return JsonText(past_run_json(recall(store, run)))

    @router.post(
        "/runs/{run}/rollback",
        summary="Put the k before a run back",
        response_model=Undone,
        responses=problem_responses(400, 404, 409, 413),
    )
    async def undo(
        request: Request,
        admin: Admin,
        run: Number,
        wanted: Annotated[Undoing, Body()] = _PLAIN,
    ) -> Response:
        """All its items in one transaction; a run of its own, which can be rolled back.

        409: k have changed since (unless `force`), or another run has the exam for longer than
        two seconds.
        """
        services = services_of(request)

        def change() -> Rollback:
            opened = services.stores.reading() if wanted.dry_run else services.stores.writing()
            with opened as store, acting(admin):
                return rollback(store, run, force=wanted.force, dry_run=wanted.dry_run, wait=WAIT)

        if wanted.dry_run:
            done = await anyio.to_thread.run_sync(change)
        else:
            done = await services.changes.make(f"rollback of run {run} for {admin.subject}", change)
        services.metrics.runs.labels("rollback", "dry" if wanted.dry_run else "saved").inc()
        return JsonText(rollback_json(done))

    return router
