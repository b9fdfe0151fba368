"""`calibrate`: iterate to a table of k that holds the cap, then verify it afresh."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.kernels.rng import STREAM_CALIBRATE, STREAM_VERIFY
from shsim.kernels.update import move, wanted_by_examinee, wanted_by_position, wanted_by_rate
from shsim.model.item_pool import ItemPool
from shsim.model.results import CalibrationResult, IterationRecord, StopReason
from shsim.model.settings import CalibrationSettings
from shsim.report.verdict import judge_calibration
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor, Totals
from shsim.workflow.simulate import start
from shsim.workflow.verify import verify
from shsim.workflow.watch import SILENT, Watch

#: Full steps before they decay.
FULL_STEPS = 10

#: Every so many averaged iterations the run looks whether it may stop.
LOOK_EVERY = 4

#: Examinees that the table before is measured on: enough to be shown beside the new one.
BEFORE_N = 32_768


def calibrate(
    pool: ItemPool,
    settings: CalibrationSettings,
    *,
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
        k, history, stopped = iterate(executor, pool, settings, watch)
        watch.stage("verifying", settings.verify_n)
        exposure, measures = verify(executor, cohort(settings.verify_n, 1), k, settings, watch)
    return CalibrationResult(
        pool=pool,
        settings=settings,
        k=k,
        history=tuple(history),
        stopped=stopped,
        before=before,
        exposure=exposure,
        measures=measures,
        verdict=judge_calibration(pool, k, measures, exposure, settings, stopped),
        seconds=time.perf_counter() - began,
    )


def iterate(
    executor: Executor, pool: ItemPool, settings: CalibrationSettings, watch: Watch
) -> tuple[FloatArray, list[IterationRecord], StopReason]:
    """Simulate, update, and again, until the rates meet the cap or iterations run out."""
    delivery, n = settings.delivery, settings.n
    aim = settings.aim(len(pool))
    k = np.clip(np.ones(len(pool)) if settings.restart else pool.k, settings.floor, settings.ceil)
    average = _Average(len(pool))
    average_from = settings.average_from
    history: list[IterationRecord] = []
    for t in range(settings.iters):
        began = time.perf_counter()
        cohort = Cohort(
            theta=delivery.theta,
            n=n,
            seed=delivery.seed,
            stream=STREAM_CALIBRATE,
            iteration=t,
            stratified=settings.stratified,
        )
        totals = executor.run(cohort, k, histogram=settings.method == "classical")
        rate = totals.seen / n
        k = move(
            k, wanted(k, totals, settings, aim), step(t, settings), settings.floor, settings.ceil
        )
        if average_from is not None and t >= average_from:
            average.add(k, totals.seen)
        record = IterationRecord(
            iter=t,
            avg_exp=float(rate.mean()),
            max_exp=float(rate.max()),
            max_over=max(float(rate.max()) - settings.tau, 0.0),
            seconds=time.perf_counter() - began,
        )
        history.append(record)
        watch.iteration(record, int(np.count_nonzero(rate > settings.tau)))
        watch.advance(1)
        if average.settled(n, settings):
            return average.k(settings), history, "converged"
    met = history[-1].max_exp <= settings.tau * (1 + settings.tol)
    if average.count:
        met = average.max_rate(n) <= settings.tau * (1 + settings.tol)
        k = average.k(settings)
    return k, history, "converged" if met else "iterations"


def wanted(k: FloatArray, totals: Totals, settings: CalibrationSettings, aim: float) -> FloatArray:
    """The k that the method wants after an iteration run at `k`."""
    if settings.method == "damped":
        return wanted_by_rate(k, totals.seen, totals.n, aim)
    if settings.delivery.rejection == "examinee":
        return wanted_by_examinee(totals.proposed, totals.n, aim)
    return wanted_by_position(totals.reached, totals.n, aim)


def step(t: int, settings: CalibrationSettings) -> float:
    """The size of step t (Robbins & Monro 1951): full at first, then decaying."""
    if t < FULL_STEPS:
        return settings.alpha
    return settings.alpha * float((1 + (t - FULL_STEPS + 1) / 4) ** -settings.decay)


@dataclass(slots=True, eq=False)
class _Average:
    """The mean of ln k (Polyak & Ruppert), and the exposure counted meanwhile."""

    size: int
    count: int = 0
    log_k: FloatArray = field(init=False)
    seen: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.log_k = np.zeros(self.size)
        self.seen = np.zeros(self.size, np.int64)

    def add(self, k: FloatArray, seen: IntArray) -> None:
        """Count one iteration in: its new k, and who saw what under the old."""
        with np.errstate(divide="ignore"):
            self.log_k += np.log(k)
        self.seen += seen
        self.count += 1

    def k(self, settings: CalibrationSettings) -> FloatArray:
        """The averaged table."""
        return np.clip(np.exp(self.log_k / self.count), settings.floor, settings.ceil)

    def max_rate(self, n: int) -> float:
        """The largest exposure rate, pooled over the averaged iterations."""
        return float(self.seen.max()) / (self.count * n)

    def settled(self, n: int, settings: CalibrationSettings) -> bool:
        """Whether, at a look, the pooled rates meet the cap and are many enough to show it."""
        if self.count == 0 or self.count % LOOK_EVERY:
            return False
        enough = self.count * n >= 40_000 * (1 - settings.tau) / settings.tau
        return enough and self.max_rate(n) <= settings.tau * (1 + settings.tol)
