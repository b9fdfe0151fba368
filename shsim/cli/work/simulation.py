"""What `shsim simulate` does."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace

from shsim.cli.output_file import OutputFile
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.delivery import RunRequest
from shsim.cli.work.problems import Problems
from shsim.cli.work.sources import Source, as_typed, file_label, open_source
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
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        problems = Problems(ignored_by_simulation(request.options))
        output = problems.without(lambda: _output(request, stack))
        settings = SimulationSettings(
            delivery=request.delivery(problems),
            **request.chosen("tau", "n", "tol", "method", "nodes", "control"),
        )
        problems.end_here(request, settings)
        source = stack.enter_context(open_source(request, narrator, read_only=request.dry_run))
        request.say_seed(settings.delivery, narrator)
        result = _simulate(request, settings, source, narrator)
        verdict = with_source(result.verdict, as_typed(request, source))
        result = replace(result, verdict=verdict)
        narrator.clear()
        if output is not None:
            output.stage(result)
            output.publish()
        closing = closing_of(request, result.run)
        tell_verdict(narrator, result.verdict, result.measures)
        tell_record(narrator, result.run, closing)
        emit(result_text(result, request.form, sys.stdout, closing))
        if request.form != "table":
            for sentence in (result.verdict.sentence, *asides(result), *closing):
                narrator.note(sentence)


def _simulate(
    request: Request, settings: SimulationSettings, source: Source, narrator: Narrator
) -> SimulationResult:
    if source.store is None:
        return simulate_pool(source.load, settings, threads=request.threads, watch=narrator)
    return simulate_exam(
        source.store,
        source.name,
        settings,
        dry_run=request.dry_run,
        threads=request.threads,
        watch=narrator,
    )


def closing_of(request: Request, run: int | None) -> list[str]:
    """What was written, and where."""
    sentences = recorded_sentences(run)
    if request.output is not None:
        sentences.append(f"Wrote {file_label(request.output)}.")
    return sentences


def _output(request: Request, stack: ExitStack) -> OutputFile[SimulationResult] | None:
    if request.output is None:
        return None
    return stack.enter_context(OutputFile[SimulationResult](request.output, result_data))
