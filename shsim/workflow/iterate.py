"""The sampled methods: simulate, update, and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.rng import STREAM_CALIBRATE
from shsim.kernels.update import move, wanted_by_examinee, wanted_by_position, wanted_by_rate
from shsim.model.checkpoint import IterationState
from shsim.model.item_pool import ItemPool
from shsim.model.results import IterationRecord
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
    state: IterationState,
    watch: Watch,
    each: Callable[[IterationState], None],
) -> IterationState:
    """Simulate, update, and again, until the cap is met or the iterations run out.

    Whether it is met is seen without noise where one walk gives a test, by the closed chain
    at the averaged k; else by the rates of all averaged iterations together.

    Parameters
    ----------
    state
        Where to go on: `IterationState.start`, or what an interrupted run came to.
    each
        Told where the iterations stand, after every one of them.
    """
    aim = settings.aim(len(pool))
    met: Met | Pooled = (
        Met(executor, pool, settings) if settings.delivery.one_pass else Pooled(settings)
    )
    while state.stopped is None:
        began = time.perf_counter()
        t = state.done
        totals = simulate_iteration(tests, settings, state.k, t)
        k = wanted(state.k, totals, settings, aim)
        k = move(state.k, k, step(t, settings), settings.floor, settings.ceil)
        rate = totals.seen / totals.n
        record = IterationRecord(
            iter=t,
            avg_exp=float(rate.mean()),
            max_exp=float(rate.max()),
            max_over=max(float(rate.max()) - settings.tau, 0.0),
            seconds=time.perf_counter() - began,
        )
        state = replace(state, done=t + 1, k=k, history=(*state.history, record))
        if settings.average_from is not None and t >= settings.average_from:
            state = averaged(state, totals)
        watch.iteration(record, int(np.count_nonzero(rate > settings.tau)))
        watch.advance(1)
        state = judged(state, settings, met)
        each(state)
    return state


def averaged(state: IterationState, totals: Totals) -> IterationState:
    """The state with its k among those that are averaged, and its examinees pooled."""
    with np.errstate(divide="ignore"):
        logs = np.log(state.k)
    return replace(
        state,
        averaged=state.averaged + 1,
        log_sum=state.log_sum + logs,
        examinees=state.examinees + totals.n,
        seen=state.seen + totals.seen,
    )


def judged(
    state: IterationState, settings: CalibrationSettings, met: Callable[[IterationState], bool]
) -> IterationState:
    """The state, ended where the cap is met (if it is time to look) or no iteration is left."""
    last = state.done >= settings.iters
    look = state.averaged > 0 and state.averaged % LOOK_EVERY == 0
    if (look or last) and met(state):
        return replace(state, stopped="converged")
    return replace(state, stopped="iterations") if last else state


def answer(state: IterationState, settings: CalibrationSettings) -> FloatArray:
    """The table so far: exp of the mean of ln k (Polyak & Ruppert), within its bounds.

    Where nothing has been averaged, the last k.
    """
    if state.averaged == 0:
        return state.k
    return np.clip(np.exp(state.log_sum / state.averaged), settings.floor, settings.ceil)


class Met:
    """Whether the answer meets the cap within the tolerance, and restrains nothing for nothing."""

    def __init__(self, executor: Executor, pool: ItemPool, settings: CalibrationSettings) -> None:
        self._make: Callable[[], Expectation] = lambda: Expectation(
            executor, pool, settings.delivery, max(settings.nodes // _LOOK_COARSER, 20)
        )
        self._expectation: Expectation | None = None
        self._settings = settings

    def __call__(self, state: IterationState) -> bool:
        """Look at the answer so far."""
        if self._expectation is None:
            self._expectation = self._make()
        k = answer(state, self._settings)
        rate = self._expectation.of(k).rate
        return _within(rate, k, self._settings, _LOOK_SHARE * self._settings.tol)


class Pooled:
    """The same by the rates of the averaged iterations' examinees, once there are enough."""

    def __init__(self, settings: CalibrationSettings) -> None:
        self._settings = settings

    def __call__(self, state: IterationState) -> bool:
        """Whether the answer so far may be taken."""
        tau = self._settings.tau
        if state.examinees == 0 or state.examinees < _POOLED * (1 - tau) / tau:
            return False
        k = answer(state, self._settings)
        return _within(state.seen / state.examinees, k, self._settings, self._settings.tol)


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
