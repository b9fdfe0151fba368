"""`simulate`: what the k in force do, or another control."""

from __future__ import annotations

import time

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.baselines import administer_baseline
from shsim.kernels.jit import is_cached
from shsim.kernels.rng import STREAM_SIMULATE
from shsim.model.control import Control
from shsim.model.item_pool import ItemPool
from shsim.model.results import ItemExposure, Measures, SimulationResult, Uncontrolled
from shsim.model.settings import SimulationSettings
from shsim.report.exposure import Expectations, measure_expected
from shsim.report.verdict import judge_in_force
from shsim.workflow.baselines import BaselineTests
from shsim.workflow.checking import require_sound
from shsim.workflow.delivery import tests_of
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expectation
from shsim.workflow.verify import verify, without_control
from shsim.workflow.watch import SILENT, Watch


def simulate(
    pool: ItemPool,
    settings: SimulationSettings,
    *,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> SimulationResult:
    """Simulate examinees under the pool's own k, or under another control.

    Parameters
    ----------
    pool
        Items and the k in force.
    settings
        Checked, and against the pool, before anything runs.
    threads
        Workers; by default as many as there are processors. Changes only the speed.
    watch
        Told of progress.
    """
    began = time.perf_counter()
    require_sound(settings, pool)
    delivery = settings.delivery
    with Executor(pool, delivery, threads, watch.heed) as executor:
        start(executor, watch, settings.control)
        if settings.method == "exact":
            expectation = Expectation(executor, pool, delivery, settings.nodes)
            k = accepted_by(settings.control, pool)
            expected = expectations(expectation, k, delivery.length)
            exposure, measures = measure_expected(expected, settings.tau, settings.tol)
        else:
            watch.stage("simulating", settings.n)
            exposure, measures = under(executor, pool, settings, watch)
    return SimulationResult(
        pool=pool,
        settings=settings,
        exposure=exposure,
        measures=measures,
        verdict=judge_in_force(pool, measures, settings),
        seconds=time.perf_counter() - began,
    )


def under(
    executor: Executor,
    pool: ItemPool,
    settings: SimulationSettings,
    watch: Watch,
    uncontrolled: Uncontrolled | None = None,
) -> tuple[ItemExposure, Measures]:
    """Test the examinees of a simulation under its control; `uncontrolled` if known already."""
    delivery, control = settings.delivery, settings.control
    cohort = examinees_of(settings)
    tests = tests_of(executor, pool, delivery)
    if control.by_acceptance:
        k = accepted_by(control, pool)
        return verify(tests, cohort, k, settings, watch, uncontrolled)
    uncontrolled = uncontrolled or without_control(tests, cohort, len(pool))
    tests = BaselineTests(executor, pool, delivery, control, settings.tau)
    return verify(tests, cohort, pool.k, settings, watch, uncontrolled)


def examinees_of(settings: SimulationSettings) -> Cohort:
    """The examinees of a simulation: the same whatever the control."""
    delivery = settings.delivery
    return Cohort(theta=delivery.theta, n=settings.n, seed=delivery.seed, stream=STREAM_SIMULATE)


def accepted_by(control: Control, pool: ItemPool) -> FloatArray:
    """The probabilities by which items are accepted: those in force, or 1.

    Raises
    ------
    ValueError
        The control accepts no items.
    """
    if not control.by_acceptance:
        raise ValueError(f"control {control.spelling} has no table of k")
    return np.ones(len(pool)) if control.kind == "none" else pool.k


def start(executor: Executor, watch: Watch, *controls: Control) -> None:
    """Build the tables, saying so where kernels have to be compiled first."""
    accepted = all(control.by_acceptance for control in controls)
    if not is_cached("" if accepted else administer_baseline.__name__):
        watch.stage("compiling", 0)
    executor.prepare()


def expectations(expectation: Expectation, k: FloatArray, length: int) -> Expectations:
    """What the closed chain expects under `k`, as report measures it."""
    expected = expectation.with_forced(k, expectation.of(k))
    gained, attainable = expectation.information(k).mean(axis=0).tolist()
    return Expectations(
        rate=expected.rate + expected.forced.mean(axis=0),
        proposed=expectation.proposals(k, expected),
        by_decile=expected.by_decile + expected.forced,
        left=expected.left,
        length=length,
        information=(gained, attainable),
    )
