"""`calibrate`: find a table of k that holds the cap, then verify it afresh."""

from __future__ import annotations

import time

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.rng import STREAM_VERIFY
from shsim.model.item_pool import ItemPool
from shsim.model.results import CalibrationResult, IterationRecord, Reasons, StopReason
from shsim.model.settings import CalibrationSettings
from shsim.report.verdict import judge_calibration
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expected
from shsim.workflow.iterate import iterate
from shsim.workflow.reasons import find_reasons
from shsim.workflow.simulate import start
from shsim.workflow.solve import Solver, Target
from shsim.workflow.verify import verify
from shsim.workflow.watch import SILENT, Watch

#: Examinees that the table before is measured on: enough to be shown beside the new one.
BEFORE_N = 32_768


def calibrate(
    pool: ItemPool,
    settings: CalibrationSettings,
    *,
    explain: bool = False,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> CalibrationResult:
    """Find the k that keep every item at or under `settings.tau`.

    Parameters
    ----------
    pool
        Items and the k in force, which the iterations start from.
    settings
        Already checked against the pool (`shsim.workflow.run.load_checked`).
    explain
        Find the reasons even where the cap is held.
    threads
        Workers; by default as many as there are processors. Changes only the speed.
    watch
        Told of progress.
    """
    began = time.perf_counter()

    def cohort(n: int, iteration: int) -> Cohort:
        """Fresh examinees, drawn plainly."""
        delivery = settings.delivery
        return Cohort(
            theta=delivery.theta,
            n=n,
            seed=delivery.seed,
            stream=STREAM_VERIFY,
            iteration=iteration,
        )

    with Executor(pool, settings.delivery, threads) as executor:
        start(executor, watch)
        before_n = min(settings.verify_n, BEFORE_N)
        watch.stage("before", before_n)
        _, before = verify(executor, cohort(before_n, 0), pool.k, settings, watch)
        watch.stage("calibrating", settings.iters)
        k, history, stopped = find_k(executor, pool, settings, watch)
        watch.stage("verifying", settings.verify_n)
        exposure, measures = verify(executor, cohort(settings.verify_n, 1), k, settings, watch)
        reasons: Reasons | None = None
        if explain or not measures.held:
            watch.stage("explaining", 0)
            solver = Solver(executor, pool, settings.delivery, settings.nodes)
            reasons = find_reasons(solver, pool, settings, k)
    return CalibrationResult(
        pool=pool,
        settings=settings,
        k=k,
        history=tuple(history),
        stopped=stopped,
        before=before,
        exposure=exposure,
        measures=measures,
        verdict=judge_calibration(pool, k, measures, exposure, settings, stopped, reasons),
        reasons=reasons,
        seconds=time.perf_counter() - began,
    )


def find_k(
    executor: Executor, pool: ItemPool, settings: CalibrationSettings, watch: Watch
) -> tuple[FloatArray, list[IterationRecord], StopReason]:
    """The table by the chosen method, from the k in force or from 1."""
    first = np.ones(len(pool)) if settings.restart else pool.k
    k = np.clip(first, settings.floor, settings.ceil)
    if settings.method != "exact":
        return iterate(executor, pool, settings, k, watch)
    history: list[IterationRecord] = []

    def each(record: IterationRecord, expected: Expected) -> None:
        history.append(record)
        watch.iteration(record, int(np.count_nonzero(expected.rate > settings.tau)))
        watch.advance(1)

    solver = Solver(executor, pool, settings.delivery, settings.nodes)
    target = Target(settings.aim(len(pool)), settings.floor, settings.ceil, settings.iters)
    solution = solver.solve(k, target, each)
    return solution.k, history, "converged" if solution.converged else "iterations"
