"""What `shsim simulate` does."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from shsim.cli.work.delivery import RunRequest
from shsim.cli.work.opening import Opened, opened
from shsim.cli.work.problems import Problems
from shsim.cli.work.sources import as_typed
from shsim.cli.work.verdict import tell_record, tell_verdict
from shsim.model.control import Control
from shsim.model.methods import Estimator
from shsim.model.options import ignored_by_simulation
from shsim.model.results import SimulationResult
from shsim.model.settings import SimulationSettings
from shsim.report.closing import recorded_sentences
from shsim.report.render import asides, result_data, result_text
from shsim.report.verdict import with_source
from shsim.workflow.run import simulate_exam, simulate_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(RunRequest):
    """The options of `simulate`."""

    n: int | None
    tol: float | None
    method: Estimator | None
    nodes: int | None
    control: Control | None
    compare: tuple[Control, ...] | None


def run(request: Request) -> None:
    """Simulate and render; the run goes on record."""

    def settings(problems: Problems) -> SimulationSettings:
        return SimulationSettings(
            delivery=request.delivery(problems),
            **request.chosen("tau", "n", "tol", "method", "nodes", "control"),
        )

    wrong = ignored_by_simulation(request.options)
    with opened(request, wrong, result_data, settings, read_only=request.dry_run) as its:
        result = _simulate(request, its)
        verdict = with_source(result.verdict, as_typed(request, its.source))
        result = replace(result, verdict=verdict)
        closing = [*recorded_sentences(result.run), *its.write(result)]
        tell_verdict(its.narrator, result.verdict, result.measures)
        tell_record(its.narrator, result.run, closing)
        its.show(
            result_text(result, request.form, sys.stdout, closing),
            (result.verdict.sentence, *asides(result), *closing),
        )


def _simulate(
    request: Request, its: Opened[SimulationSettings, SimulationResult]
) -> SimulationResult:
    source = its.source
    if source.store is None:
        return simulate_pool(source.load, its.settings, threads=request.threads, watch=its.narrator)
    return simulate_exam(
        source.store,
        source.name,
        its.settings,
        dry_run=request.dry_run,
        threads=request.threads,
        watch=its.narrator,
    )
