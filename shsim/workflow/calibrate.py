"""`calibrate`: find a table of k that holds the cap, then verify it afresh."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.rng import STREAM_VERIFY
from shsim.model.checkpoint import IterationState
from shsim.model.item_pool import ItemPool
from shsim.model.results import (
    CalibrationResult,
    IterationRecord,
    Measures,
    Origin,
    Reasons,
    StopReason,
)
from shsim.model.settings import CalibrationSettings
from shsim.report.verdict import judge_calibration
from shsim.workflow.adaptive import AdaptiveTests
from shsim.workflow.checking import require_sound
from shsim.workflow.checkpoints import Checkpoints
from shsim.workflow.delivery import tests_of
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expected
from shsim.workflow.iterate import answer, iterate
from shsim.workflow.precompile import compiled_aside
from shsim.workflow.reasons import find_reasons
from shsim.workflow.simulate import start
from shsim.workflow.solve import Solver, Target
from shsim.workflow.totals import Tests
from shsim.workflow.verify import verify
from shsim.workflow.watch import SILENT, Watch

#: Examinees that the table before is measured on: enough to be shown beside the new one.
BEFORE_N = 32_768

#: k in force whose largest exposure is this many times the cap are no start for a test given
#: position by position; the one that is takes a quarter of the nodes.
FAR_OFF = 1.25
START_COARSER, FEWEST_NODES, START_ITERS = 4, 20, 60

#: Examinees who show what a table made at the true theta does in an EAP test: it misses the
#: cap by a third and more, which 3 % of noise can't hide.
ESTIMATED_N = 8192


def calibrate(
    pool: ItemPool,
    settings: CalibrationSettings,
    *,
    explain: bool = False,
    threads: int | None = None,
    watch: Watch = SILENT,
    checkpoints: Checkpoints | None = None,
) -> CalibrationResult:
    """Find the k that keep every item at or under `settings.tau`.

    Parameters
    ----------
    pool
        Items and the k in force, which the iterations start from.
    settings
        Checked, and against the pool, before anything runs.
    explain
        Find the reasons even where the cap is held.
    threads
        Workers; by default as many as there are processors. Changes only the speed.
    watch
        Told of progress.
    checkpoints
        Where the iterations of a sampled method are kept, and perhaps gone on with.

    Raises
    ------
    DataError
        Everything that is wrong with the settings.
    """
    began = time.perf_counter()
    require_sound(settings, pool)
    kept = checkpoints.begin(pool, settings) if checkpoints else None

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

    aside = compiled_aside() if settings.delivery.one_pass else nullcontext(_no_wait)
    with (
        aside as adaptive_kernel,
        Executor(pool, settings.delivery, threads, watch.heed) as executor,
    ):
        start(executor, watch)
        tests = tests_of(executor, pool, settings.delivery)
        if kept is None:
            before_n = min(settings.verify_n, BEFORE_N)
            watch.stage("before", before_n)
            _, before = verify(tests, cohort(before_n, 0), pool.k, settings, watch)
            watch.stage("calibrating", settings.iters)
            origin, first = starting_k(executor, pool, settings, before)
            state = IterationState.start(np.clip(first, settings.floor, settings.ceil))
        else:
            before, origin, state = kept.before, kept.origin, kept.state
            watch.stage("calibrating", settings.iters)
            watch.advance(state.done)
        each = checkpoints.keeping(before, origin) if checkpoints else _keep_nothing
        k, history, stopped = find_k(executor, tests, pool, settings, state, watch, each)
        watch.stage("verifying", settings.verify_n)
        exposure, measures = verify(tests, cohort(settings.verify_n, 1), k, settings, watch)
        when_estimated = None
        if not settings.delivery.estimated:
            adaptive_kernel(watch.heed)
            when_estimated = largest_when_estimated(executor, pool, settings, k)
        reasons: Reasons | None = None
        if settings.delivery.one_pass and (explain or measures.held is False):
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
        when_estimated=when_estimated,
        origin=origin,
    )


def _no_wait(_heed: Callable[[], None]) -> None:
    """Nothing is compiled aside where the kernel is needed at once."""


def _keep_nothing(state: IterationState) -> None:
    """No checkpoint was asked for."""


def starting_k(
    executor: Executor, pool: ItemPool, settings: CalibrationSettings, before: Measures
) -> tuple[Origin, FloatArray]:
    """The k to start from, and where they come from.

    Where tests are given position by position, iterations are dear. If the k in force are far
    off, the exact solution at the true theta is nearer than k = 1, and costs less than a few
    iterations (`scripts/bench/adaptive.py`).
    """
    far = settings.restart or before.max_exposure > FAR_OFF * settings.tau
    if settings.delivery.one_pass or not far or not settings.stratified:
        return ("one", np.ones(len(pool))) if settings.restart else ("in_force", pool.k)
    delivery = replace(settings.delivery, ability="true", se_stop=None, min_len=None)
    nodes = max(settings.nodes // START_COARSER, FEWEST_NODES)
    solver = Solver(executor, pool, delivery, nodes)
    target = Target(settings.aim(len(pool)), settings.floor, settings.ceil, START_ITERS)
    return "exact", solver.solve(np.ones(len(pool)), target).k


def largest_when_estimated(
    executor: Executor, pool: ItemPool, settings: CalibrationSettings, k: FloatArray
) -> float:
    """The largest exposure rate of a table in a test that ranks by an EAP estimate."""
    delivery = replace(settings.delivery, ability="eap")
    cohort = Cohort(
        theta=delivery.theta,
        n=min(settings.verify_n, ESTIMATED_N),
        seed=delivery.seed,
        stream=STREAM_VERIFY,
        iteration=2,
    )
    totals = AdaptiveTests(executor, pool, delivery).run(cohort, k)
    return float(totals.seen.max()) / totals.n


def find_k(
    executor: Executor,
    tests: Tests,
    pool: ItemPool,
    settings: CalibrationSettings,
    state: IterationState,
    watch: Watch,
    each: Callable[[IterationState], None] = _keep_nothing,
) -> tuple[FloatArray, Sequence[IterationRecord], StopReason]:
    """The table by the chosen method, from `state`; `each` is told of a sampled one's states."""
    if settings.method != "exact":
        end = iterate(executor, tests, pool, settings, state, watch, each)
        return answer(end, settings), end.history, end.stopped or "iterations"
    history: list[IterationRecord] = []

    def note(record: IterationRecord, expected: Expected) -> None:
        history.append(record)
        watch.iteration(record, int(np.count_nonzero(expected.rate > settings.tau)))
        watch.advance(1)

    solver = Solver(executor, pool, settings.delivery, settings.nodes)
    target = Target(settings.aim(len(pool)), settings.floor, settings.ceil, settings.iters)
    solution = solver.solve(state.k, target, note)
    return solution.k, history, "converged" if solution.converged else "iterations"
