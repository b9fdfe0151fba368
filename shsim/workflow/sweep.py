"""`sweep`: what each of several caps, or test lengths, costs in information."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from shsim.arrays import FloatArray
from shsim.model.item_pool import ItemPool
from shsim.model.results import SweepPoint, SweepResult
from shsim.model.sweep_settings import SweepSettings
from shsim.report.exposure import measure_expected
from shsim.workflow.checking import require_sound
from shsim.workflow.executor import Executor
from shsim.workflow.simulate import expectations, start
from shsim.workflow.solve import Solver, Target
from shsim.workflow.watch import SILENT, Watch


def sweep(
    pool: ItemPool,
    settings: SweepSettings,
    *,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> SweepResult:
    """Solve for every cap and length, each from the solution before; nothing is saved.

    Parameters
    ----------
    pool
        The items; their k are not used.
    settings
        Checked, and against the pool, before anything runs.
    threads
        Workers; changes only the speed.
    watch
        Told of progress, one step a solution.

    Raises
    ------
    DataError
        Everything that is wrong with the settings.
    """
    began = time.perf_counter()
    require_sound(settings, pool)
    points: list[SweepPoint] = []
    for length in settings.lengths:
        delivery = replace(settings.delivery, length=length)
        with Executor(pool, delivery, threads, watch.heed) as executor:
            start(executor, watch)
            watch.stage("sweeping", len(settings.taus))
            solver = Solver(executor, pool, delivery, settings.nodes)
            points.extend(_at_length(solver, pool, length, settings, watch.advance))
    order = {pair: i for i, pair in enumerate(settings.points)}
    points.sort(key=lambda point: order[point.length, point.tau])
    return SweepResult(pool, settings, tuple(points), time.perf_counter() - began)


def _at_length(
    solver: Solver,
    pool: ItemPool,
    length: int,
    settings: SweepSettings,
    advance: Callable[[int], None],
) -> Iterator[SweepPoint]:
    """The points of one length, from the loosest cap to the tightest."""
    k: FloatArray = np.ones(len(pool))
    for tau in sorted(set(settings.taus), reverse=True):
        if tau < length / len(pool):
            yield SweepPoint(length=length, tau=tau, feasible=False, measures=None, iterations=0)
        else:
            solution = solver.solve(k, Target(tau, settings.floor, settings.ceil, settings.iters))
            expected = expectations(solver.fine, solution.k, length)
            _, measures = measure_expected(expected, tau, settings.tol)
            feasible = solution.meets(tau)
            if feasible:
                k = solution.k
            yield SweepPoint(
                length=length,
                tau=tau,
                feasible=feasible,
                measures=measures,
                iterations=solution.iterations,
            )
        advance(1)
