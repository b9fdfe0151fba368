"""One table of k on fresh examinees: exposure with its noise, and the measures."""

from __future__ import annotations

from collections.abc import Callable

from shsim.arrays import FloatArray
from shsim.model.results import ItemExposure, Measures
from shsim.report.exposure import Counts, measure
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor


def verify(
    executor: Executor,
    cohort: Cohort,
    k: FloatArray,
    tau: float,
    tol: float,
    advance: Callable[[int], None],
) -> tuple[ItemExposure, Measures]:
    """Test the cohort under `k` and measure what it saw."""
    totals = executor.run(cohort, k, measure=True, advance=advance)
    counts = Counts(
        n=totals.n,
        seen=totals.seen,
        proposed=totals.proposed,
        forced=totals.forced,
        by_decile=totals.by_decile,
        decile_sizes=totals.decile_sizes,
        information=totals.information,
    )
    return measure(counts, tau, tol)
