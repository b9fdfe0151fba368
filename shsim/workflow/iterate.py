"""The sampled methods: simulate, update, and again."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.kernels.rng import STREAM_CALIBRATE
from shsim.kernels.update import move, wanted_by_examinee, wanted_by_position, wanted_by_rate
from shsim.model.item_pool import ItemPool
from shsim.model.results import IterationRecord, StopReason
from shsim.model.settings import CalibrationSettings
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expectation
from shsim.workflow.totals import Tests, Totals
from shsim.workflow.watch import Watch

#: Full steps before they decay.
FULL_STEPS = 10

#: Every so many averaged iterations the run looks whether it may stop.
LOOK_EVERY = 4

#: A look takes so many times fewer nodes, and the part of the tolerance that leaves room
#: for their error (.15 % of tau).
_LOOK_COARSER, _LOOK_SHARE = 4, 0.8

#: Averaged examinees, times (1-tau)/tau, whose rates show .5 % of the cap (one sd).
_POOLED = 40_000


def iterate(
    executor: Executor,
    tests: Tests,
    pool: ItemPool,
    settings: CalibrationSettings,
    start: FloatArray,
    watch: Watch,
) -> tuple[FloatArray, list[IterationRecord], StopReason]:
    """Simulate, update, and again, until the cap is met or the iterations run out.

    Whether it is met is seen without noise where one walk gives a test, by the closed chain
    at the averaged k; else by the rates of all averaged iterations together.
    """
    aim = settings.aim(len(pool))
    k = start
    log_sum, averaged = np.zeros(len(pool)), 0
    met: Met | Pooled = (
        Met(executor, pool, settings) if settings.delivery.one_pass else Pooled(settings)
    )
    history: list[IterationRecord] = []
    for t in range(settings.iters):
        began = time.perf_counter()
        totals = simulate_iteration(tests, settings, k, t)
        rate = totals.seen / totals.n
        gamma = step(t, settings)
        k = move(k, wanted(k, totals, settings, aim), gamma, settings.floor, settings.ceil)
        if settings.average_from is not None and t >= settings.average_from:
            with np.errstate(divide="ignore"):
                log_sum += np.log(k)
            averaged += 1
            met.add(totals)
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
        if averaged and averaged % LOOK_EVERY == 0:
            mean = average(log_sum, averaged, settings)
            if met(mean):
                return mean, history, "converged"
    if averaged:
        k = average(log_sum, averaged, settings)
    return k, history, "converged" if met(k) else "iterations"


def average(log_sum: FloatArray, count: int, settings: CalibrationSettings) -> FloatArray:
    """The averaged table: exp of the mean of ln k (Polyak & Ruppert), within its bounds."""
    return np.clip(np.exp(log_sum / count), settings.floor, settings.ceil)


class Met:
    """Whether a table meets the cap within the tolerance, and restrains nothing for nothing."""

    def __init__(self, executor: Executor, pool: ItemPool, settings: CalibrationSettings) -> None:
        self._make: Callable[[], Expectation] = lambda: Expectation(
            executor, pool, settings.delivery, max(settings.nodes // _LOOK_COARSER, 20)
        )
        self._expectation: Expectation | None = None
        self._settings = settings

    def add(self, totals: Totals) -> None:
        """Nothing is learnt from examinees."""

    def __call__(self, k: FloatArray) -> bool:
        """Look at the table `k`."""
        if self._expectation is None:
            self._expectation = self._make()
        rate = self._expectation.of(k).rate
        return _within(rate, k, self._settings, _LOOK_SHARE * self._settings.tol)


class Pooled:
    """The same by the rates of the averaged iterations' examinees, once there are enough."""

    def __init__(self, settings: CalibrationSettings) -> None:
        self._settings = settings
        self._seen: IntArray = np.zeros(0, np.int64)
        self._n = 0

    def add(self, totals: Totals) -> None:
        """Count one more averaged iteration."""
        self._seen = totals.seen + (self._seen if self._n else 0)
        self._n += totals.n

    def __call__(self, k: FloatArray) -> bool:
        """Whether the averaged table `k` may be taken."""
        tau = self._settings.tau
        if self._n < _POOLED * (1 - tau) / tau:
            return False
        return _within(self._seen / self._n, k, self._settings, self._settings.tol)


def _within(rate: FloatArray, k: FloatArray, settings: CalibrationSettings, tol: float) -> bool:
    """Whether no rate is over the cap, and none restrained that is well under it."""
    restrained = k < settings.ceil * 0.995
    return bool(
        rate.max() <= settings.tau * (1 + tol)
        and np.all(rate[restrained] >= settings.target * settings.tau * (1 - 2 * tol))
    )


def simulate_iteration(
    tests: Tests, settings: CalibrationSettings, k: FloatArray, t: int
) -> Totals:
    """The examinees of iteration t, fresh ones in each."""
    cohort = Cohort(
        theta=settings.delivery.theta,
        n=settings.n,
        seed=settings.delivery.seed,
        stream=STREAM_CALIBRATE,
        iteration=t,
        stratified=settings.stratified,
    )
    return tests.run(cohort, k, histogram=settings.method == "classical")


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
