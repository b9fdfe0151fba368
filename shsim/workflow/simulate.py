"""`simulate`: what the k in force do."""

from __future__ import annotations

import time

from shsim.arrays import FloatArray
from shsim.kernels.jit import is_cached
from shsim.kernels.rng import STREAM_SIMULATE
from shsim.model.item_pool import ItemPool
from shsim.model.results import SimulationResult
from shsim.model.settings import SimulationSettings
from shsim.report.exposure import Expectations, measure_expected
from shsim.report.verdict import judge_in_force
from shsim.workflow.delivery import tests_of
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expectation
from shsim.workflow.verify import verify
from shsim.workflow.watch import SILENT, Watch


def simulate(
    pool: ItemPool,
    settings: SimulationSettings,
    *,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> SimulationResult:
    """Simulate examinees under the pool's own k.

    Parameters
    ----------
    pool
        Items and the k in force.
    settings
        Already checked against the pool (`shsim.workflow.run.load_checked`).
    threads
        Workers; by default as many as there are processors. Changes only the speed.
    watch
        Told of progress.
    """
    began = time.perf_counter()
    delivery = settings.delivery
    with Executor(pool, delivery, threads) as executor:
        start(executor, watch)
        if settings.method == "exact":
            expectation = Expectation(executor, pool, delivery, settings.nodes)
            expected = expectations(expectation, pool.k, delivery.length)
            exposure, measures = measure_expected(expected, settings.tau, settings.tol)
        else:
            watch.stage("simulating", settings.n)
            cohort = Cohort(
                theta=delivery.theta, n=settings.n, seed=delivery.seed, stream=STREAM_SIMULATE
            )
            exposure, measures = verify(
                tests_of(executor, pool, delivery), cohort, pool.k, settings, watch
            )
    return SimulationResult(
        pool=pool,
        settings=settings,
        exposure=exposure,
        measures=measures,
        verdict=judge_in_force(pool, measures, settings),
        seconds=time.perf_counter() - began,
    )


def start(executor: Executor, watch: Watch) -> None:
    """Build the tables, saying so where kernels have to be compiled first."""
    if not is_cached():
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
