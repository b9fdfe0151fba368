"""What is told of a calibration, and what is done to it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import anyio
from pydantic import BaseModel, Field

from shsim.extras.admin_api.auth import Principal
from shsim.extras.admin_api.board import CALIBRATE, Board
from shsim.extras.admin_api.computing import Computing, document_of
from shsim.extras.admin_api.jobs import Job, Purpose, State, TooLateError
from shsim.extras.admin_api.problems import Problem
from shsim.extras.admin_api.requests import CalibrationRequest
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.waiting import answer_or_problem


class Progress(BaseModel):
    """How far it is: `done` of the stage's `total` examinees or iterations (0: unknown)."""

    stage: str
    done: int
    total: int


class Calibration(BaseModel):
    """A calibration of this server's, from its place in the queue on."""

    id: str
    state: State
    exam_code: str
    subject: str = Field(description="Who asked for it.")
    dry_run: bool
    created: datetime
    started: datetime | None
    finished: datetime | None
    waiting_for: int | None = Field(description="Runs that are to begin before it.")
    progress: Progress | None
    run: int | None = Field(description="Its number in the ledger; null: it has none (yet).")
    held: bool | None = Field(description="Whether the cap is held.")
    saved: bool
    notes: list[str]
    warnings: list[str]
    problem: dict[str, Any] | None = Field(description="Why it failed (RFC 9457).")


class CalibrationWithResult(Calibration):
    """The same, with what came out."""

    stdout: str | None = Field(description="The summary that the command line prints.")
    result: dict[str, Any] | None = Field(description="The JSON that the command line prints.")


class Calibrated(BaseModel):
    """What `calibrate_sh` answers."""

    ok: bool = Field(description="False: nothing was saved, as `require_cap` asks.")
    run: int | None = Field(description="Its number in the ledger; null: not recorded.")
    history: list[dict[str, Any]] = Field(description="One object an iteration.")
    verification: dict[str, Any] = Field(description="The new k on fresh examinees.")
    stdout: str = Field(description="The summary that the command line prints.")
    verdict: dict[str, Any] = Field(description="Whether the cap is held, why not, the remedy.")
    seed: int
    saved: bool
    id: str = Field(description="Of GET calibrations/{id}, which has the items too.")
    notes: list[str]
    warnings: list[str]


class Calibrations:
    """The calibrations of a server.

    Parameters
    ----------
    services, board
        Of the server.
    """

    def __init__(self, services: Services, board: Board) -> None:
        self._limits = services.settings.limits
        self._board = board
        self._computing = Computing(services, board)

    async def start(self, wanted: CalibrationRequest, admin: Principal) -> Job:
        """Put one into the queue; whatever is wrong with it is found before.

        Raises
        ------
        ShsimError, Problem
            It cannot be started.
        """
        settings = wanted.settings(self._limits)
        await anyio.to_thread.run_sync(self._computing.require_exam, wanted.exam_code, settings)
        purpose = Purpose(
            command=CALIBRATE,
            exam=wanted.exam_code,
            subject=admin.subject,
            dry_run=wanted.dry_run,
        )
        return self._board.submit(purpose, self._computing.calibration(wanted, settings))

    def find(self, number: str) -> Job:
        """The one of a number; 404."""
        job = self._board.job(number)
        if job is None or job.purpose.command != CALIBRATE:
            raise Problem(404, "There is no such calibration, or it ended long ago: see runs.")
        return job

    def every(self) -> list[Calibration]:
        """Those that are kept, the newest first."""
        return [self.status(job) for job in self._board.jobs(CALIBRATE)]

    def status(self, job: Job) -> Calibration:
        """Where one stands."""
        answer = job.answer
        return Calibration(
            id=job.id,
            state=job.state,
            exam_code=job.purpose.exam,
            subject=job.purpose.subject,
            dry_run=job.purpose.dry_run,
            created=job.created,
            started=job.started,
            finished=job.finished,
            waiting_for=self._board.place(job),
            progress=None if job.progress is None else Progress(**job.progress),
            run=None if answer is None else answer.run,
            held=None if answer is None else answer.held,
            saved=answer is not None and answer.saved,
            notes=job.said("note"),
            warnings=job.said("warning"),
            problem=None if job.problem is None else job.problem.body(),
        )

    def with_result(self, job: Job) -> str:
        """The same with what came out, as JSON; the document is long, and stays as it is."""
        facts = self.status(job).model_dump(mode="json")
        answer = job.answer
        facts["stdout"] = None if answer is None else answer.summary
        document = "null" if answer is None else answer.document.strip()
        return f'{json.dumps(facts)[:-1]}, "result": {document}}}'

    def cancel(self, job: Job, admin: Principal) -> Calibration:
        """Cancel one; 409 where it is too late."""
        try:
            self._board.cancel(job, f"cancelled by {admin.subject}")
        except TooLateError:
            said = "has ended" if job.ended else "is saving, and all of its k or none will be there"
            raise Problem(409, f"It is too late: the calibration {said}.") from None
        return self.status(job)


def calibrated(job: Job) -> str:
    """The answer of `calibrate_sh` as JSON; a problem where there is none."""
    answer = answer_or_problem(job)
    document = document_of(answer)
    return Calibrated(
        ok=not answer.refused,
        run=answer.run,
        stdout=answer.summary,
        saved=answer.saved,
        id=job.id,
        notes=job.said("note"),
        warnings=job.said("warning"),
        **{name: document[name] for name in ("history", "verification", "verdict", "seed")},
    ).model_dump_json()
