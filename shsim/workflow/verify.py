"""One table of k on fresh examinees: exposure with its noise, and the measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shsim.arrays import FloatArray
from shsim.model.results import ItemExposure, Measures, Uncontrolled
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.report.exposure import Counts, measure, measure_uncontrolled
from shsim.workflow.examinees import Cohort
from shsim.workflow.totals import MEASURED_N, Tests, Totals
from shsim.workflow.watch import Watch


def verify(
    tests: Tests,
    cohort: Cohort,
    k: FloatArray,
    settings: CalibrationSettings | SimulationSettings,
    watch: Watch,
    uncontrolled: Uncontrolled | None = None,
) -> tuple[ItemExposure, Measures]:
    """Test the cohort under `k` and measure what it saw.

    `uncontrolled` is what :func:`without_control` finds for the cohort, where it is known
    already, or `tests` cannot tell as they do not go by k.
    """
    totals = tests.run(cohort, k, measure=True, advance=watch.advance)
    gained, attainable = totals.information
    if attainable is None:
        uncontrolled = uncontrolled or without_control(tests, cohort, len(k))
        attainable = uncontrolled.information
    counts = counts_of(totals, (gained, attainable))
    return measure(counts, settings.tau, settings.tol, uncontrolled)


def without_control(tests: Tests, cohort: Cohort, size: int) -> Uncontrolled:
    """The first examinees of the cohort, with the same draws, where every k is 1."""
    first = replace(cohort, n=min(cohort.n, MEASURED_N))
    totals = tests.run(first, np.ones(size), measure=True)
    return measure_uncontrolled(counts_of(totals, (totals.information[0], 0.0)))


def counts_of(totals: Totals, information: tuple[float, float]) -> Counts:
    """Totals as report measures them."""
    return Counts(
        n=totals.n,
        seen=totals.seen,
        proposed=totals.proposed,
        forced=totals.forced,
        by_decile=totals.by_decile,
        decile_sizes=totals.decile_sizes,
        information=information,
        lengths=totals.lengths,
        errors=totals.errors,
    )
