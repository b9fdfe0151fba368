"""What `shsim simulate --compare` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from shsim.cli.work.opening import Opened, opened
from shsim.cli.work.problems import Problems
from shsim.cli.work.simulation import Request
from shsim.cli.work.sources import as_typed
from shsim.cli.work.verdict import tell_record
from shsim.model.comparison import DEFAULT_COMPARE_N, ComparisonResult
from shsim.model.control import Control
from shsim.model.options import ignored_by_simulation
from shsim.model.settings import SimulationSettings
from shsim.report.closing import recorded_sentences
from shsim.report.comparison_data import headline
from shsim.report.render import comparison_data, comparison_text
from shsim.report.verdict import sourced
from shsim.workflow.run import compare_exam, compare_pool


def compare(request: Request, controls: tuple[Control, ...]) -> None:
    """Simulate under each control and show them together; the run goes on record."""

    def settings(problems: Problems) -> SimulationSettings:
        return SimulationSettings(
            delivery=request.delivery(problems),
            n=DEFAULT_COMPARE_N if request.n is None else request.n,
            **request.chosen("tau", "tol"),
        )

    wrong = [*_rivals(request), *ignored_by_simulation(request.options)]
    with opened(request, wrong, comparison_data, settings, read_only=request.dry_run) as its:
        result = _compare(request, controls, its)
        if result.judge is not None:
            judge = sourced(result.judge, as_typed(request, its.source))
            result = replace(result, judge=judge)
        closing = [*recorded_sentences(result.run), *its.write(result)]
        tell_record(its.narrator, result.run, closing)
        its.show(
            comparison_text(result, request.form, sys.stdout, closing),
            (headline(result), *closing),
        )


def _compare(
    request: Request,
    controls: tuple[Control, ...],
    its: Opened[SimulationSettings, ComparisonResult],
) -> ComparisonResult:
    source = its.source
    if source.store is None:
        return compare_pool(
            source.load, its.settings, controls, threads=request.threads, watch=its.narrator
        )
    return compare_exam(
        source.store,
        source.name,
        its.settings,
        controls,
        dry_run=request.dry_run,
        threads=request.threads,
        watch=its.narrator,
    )


def _rivals(request: Request) -> Iterator[str]:
    """Options that say something else than a comparison."""
    if request.control is not None:
        yield "--compare shows several controls and --control one. Give one or the other."
    if request.method == "exact":
        yield "--compare simulates examinees, as most controls must be. Leave --method exact out."
