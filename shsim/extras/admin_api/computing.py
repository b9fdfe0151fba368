"""What a job does in its thread: open the database, run the workflow, render."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from shsim.errors import DataError
from shsim.extras.admin_api.board import Board, Work
from shsim.extras.admin_api.jobs import Answer, Job
from shsim.extras.admin_api.permitted import Computed, over_for_pool
from shsim.extras.admin_api.problems import contradiction
from shsim.extras.admin_api.requests import CalibrationRequest, SimulationRequest
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.stores import APPLICATION
from shsim.extras.admin_api.wording import in_fields
from shsim.model.control import Control
from shsim.model.item_pool import ItemPool
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.model.sweep_settings import SweepSettings
from shsim.report.canvas import PIPED_WIDTH, Canvas
from shsim.report.closing import DRY_RUN, recorded_sentences, saved_sentences
from shsim.report.comparison_summary import comparison_summary
from shsim.report.first_script import first_script_sentence
from shsim.report.render import comparison_data, result_data, sweep_data
from shsim.report.summary import summary_text
from shsim.report.sweep_summary import sweep_summary
from shsim.storage.base import Store
from shsim.storage.exam_names import no_items
from shsim.storage.open import open_store
from shsim.workflow.provenance import on_behalf_of
from shsim.workflow.run import (
    SavePolicy,
    calibrate_exam,
    compare_exam,
    simulate_exam,
    sweep_pool,
)

#: Summaries look as they do in a pipe.
_CANVAS = Canvas(width=PIPED_WIDTH, colour=False, blocks=True)


class Computing:
    """The work of jobs.

    Parameters
    ----------
    services, board
        Of this server.
    """

    def __init__(self, services: Services, board: Board) -> None:
        self._services = services
        self._limits = services.settings.limits
        self._threads = board.threads

    def require_exam(self, exam: str, settings: Computed) -> None:
        """Refuse an exam that is unknown, or too large for this, before anything is queued.

        Raises
        ------
        NotFoundError
            No such exam is published.
        Problem
            It has more items than the server permits, or would take more memory.
        """
        with self._services.stores.reading() as store:
            exams = store.exams()
        if exam not in exams:
            raise no_items(exam, self._services.stores.label, exams)
        problems = list(over_for_pool(self._limits, exam, exams[exam], settings))
        if problems:
            raise contradiction(DataError(problems))

    def calibration(self, request: CalibrationRequest, settings: CalibrationSettings) -> Work:
        """What `POST calibrations` computes."""
        policy = SavePolicy(
            dry_run=request.dry_run,
            require_cap=request.require_cap,
            force=request.force,
            explain=request.explain,
        )

        def checked(pool: ItemPool) -> ItemPool:
            return self._checked(pool, settings)

        def work(job: Job) -> Answer:
            if request.of_the_first_script:
                of_old = (request.n, request.iters, request.alpha, request.floor)
                job.note(in_fields(first_script_sentence(*of_old)))
            with self._store(job) as store:
                outcome = calibrate_exam(
                    store,
                    request.exam_code,
                    settings,
                    policy,
                    start=checked,
                    output=job.gate,
                    threads=self._threads,
                    watch=job,
                )
            result, saved = outcome.result, outcome.saved
            if saved is not None:
                closing = saved_sentences("the database", saved.changed, saved.unchanged, saved.run)
            else:
                closing = (
                    [DRY_RUN] if request.dry_run else ["Nothing was saved, as require_cap asks."]
                )
            return Answer(
                document=result_data(result, "json"),
                summary=summary_text(result, _CANVAS, closing),
                run=result.run,
                held=result.verdict.held,
                saved=saved is not None,
                refused=request.require_cap and not result.verdict.held,
            )

        return work

    def simulation(
        self,
        request: SimulationRequest,
        settings: SimulationSettings,
        controls: Sequence[Control],
    ) -> Work:
        """What `POST simulate` computes."""

        def work(job: Job) -> Answer:
            more: dict[str, Any] = {
                "dry_run": request.dry_run, "threads": self._threads, "watch": job,
            }  # fmt: skip
            with self._store(job) as store:
                if controls:
                    several = compare_exam(store, request.exam_code, settings, controls, **more)
                    closing = recorded_sentences(several.run)
                    return Answer(
                        document=comparison_data(several, "json"),
                        summary=comparison_summary(several, _CANVAS, closing),
                        run=several.run,
                    )
                result = simulate_exam(store, request.exam_code, settings, **more)
            return Answer(
                document=result_data(result, "json"),
                summary=summary_text(result, _CANVAS, recorded_sentences(result.run)),
                run=result.run,
                held=result.verdict.held,
            )

        return work

    def sweep(self, exam: str, settings: SweepSettings) -> Work:
        """What `POST sweep` computes."""

        def work(job: Job) -> Answer:
            with self._store(job) as store:
                result = sweep_pool(
                    lambda: self._checked(store.load_pool(exam), settings),
                    settings,
                    threads=self._threads,
                    watch=job,
                )
            return Answer(
                document=sweep_data(result, "json"),
                summary=sweep_summary(result, _CANVAS, ()),
                run=None,
            )

        return work

    @contextmanager
    def _store(self, job: Job) -> Iterator[Store]:
        """A store of the job's own; its runs are on record as those of who asked for them."""
        store = open_store(
            self._services.settings.dsn,
            read_only=job.purpose.dry_run,
            application_name=APPLICATION,
        )
        try:
            with on_behalf_of(f"{job.purpose.subject} (api)"):
                yield store
        finally:
            store.close()

    def _checked(self, pool: ItemPool, settings: Computed) -> ItemPool:
        """The pool, which may have grown since it was looked at."""
        problems = list(over_for_pool(self._limits, pool.name, len(pool), settings))
        if problems:
            raise DataError(problems)
        return pool


def document_of(answer: Answer) -> dict[str, Any]:
    """The answer's document, to pick from."""
    found: dict[str, Any] = json.loads(answer.document)
    return found
