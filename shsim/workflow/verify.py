"""One table of k on fresh examinees: exposure with its noise, and the measures."""

from __future__ import annotations

from shsim.arrays import FloatArray
from shsim.model.results import ItemExposure, Measures
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.report.exposure import Counts, measure
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.watch import Watch


def verify(
    executor: Executor,
    cohort: Cohort,
    k: FloatArray,
    settings: CalibrationSettings | SimulationSettings,
    watch: Watch,
) -> tuple[ItemExposure, Measures]:
    """Test the cohort under `k` and measure what it saw."""
    totals = executor.run(cohort, k, measure=True, advance=watch.advance)
    counts = Counts(
        n=totals.n,
        seen=totals.seen,
        proposed=totals.proposed,
        forced=totals.forced,
        by_decile=totals.by_decile,
        decile_sizes=totals.decile_sizes,
        information=totals.information,
    )
    return measure(counts, settings.tau, settings.tol)
