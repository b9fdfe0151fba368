"""The sampled methods: simulate, update, and again."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.rng import STREAM_CALIBRATE
from shsim.kernels.update import move, wanted_by_examinee, wanted_by_position, wanted_by_rate
from shsim.model.item_pool import ItemPool
from shsim.model.results import IterationRecord, StopReason
from shsim.model.settings import CalibrationSettings
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor, Totals
from shsim.workflow.expectation import Expectation
from shsim.workflow.watch import Watch

#: Full steps before they decay.
FULL_STEPS = 10

#: Every so many averaged iterations the run looks whether it may stop.
LOOK_EVERY = 4

#: A look takes so many times fewer nodes, and the part of the tolerance that leaves room
#: for their error (.15 % of tau).
_LOOK_COARSER, _LOOK_SHARE = 4, 0.8


def iterate(
    executor: Executor,
    pool: ItemPool,
    settings: CalibrationSettings,
    start: FloatArray,
    watch: Watch,
) -> tuple[FloatArray, list[IterationRecord], StopReason]:
    """Simulate, update, and again, until the cap is met or the iterations run out.

    Whether it is met is seen without noise, by the closed chain at the averaged k.
    """
    aim = settings.aim(len(pool))
    k = start
    log_sum, averaged = np.zeros(len(pool)), 0
    met = Met(executor, pool, settings)
    history: list[IterationRecord] = []
    for t in range(settings.iters):
        began = time.perf_counter()
        totals = simulate_iteration(executor, settings, k, t)
        rate = totals.seen / totals.n
        gamma = step(t, settings)
        k = move(k, wanted(k, totals, settings, aim), gamma, settings.floor, settings.ceil)
        if settings.average_from is not None and t >= settings.average_from:
            with np.errstate(divide="ignore"):
                log_sum += np.log(k)
            averaged += 1
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

    def __call__(self, k: FloatArray) -> bool:
        """Look at the table `k`."""
        if self._expectation is None:
            self._expectation = self._make()
        rate, settings = self._expectation.of(k).rate, self._settings
        tau, tol = settings.tau, _LOOK_SHARE * settings.tol
        restrained = k < settings.ceil * 0.995
        return bool(
            rate.max() <= tau * (1 + tol)
            and np.all(rate[restrained] >= settings.target * tau * (1 - 2 * tol))
        )


def simulate_iteration(
    executor: Executor, settings: CalibrationSettings, k: FloatArray, t: int
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
    return executor.run(cohort, k, histogram=settings.method == "classical")


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
