"""What `shsim simulate --compare` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack

from shsim.cli.output_file import OutputFile
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.problems import Problems
from shsim.cli.work.simulation import Request, closing_of
from shsim.cli.work.sources import Source, open_source
from shsim.cli.work.verdict import tell_record
from shsim.model.comparison import DEFAULT_COMPARE_N, ComparisonResult
from shsim.model.control import Control
from shsim.model.options import ignored_by_simulation
from shsim.model.settings import SimulationSettings
from shsim.report.comparison_data import headline
from shsim.report.render import comparison_data, comparison_text
from shsim.workflow.run import compare_exam, compare_pool


def compare(request: Request, controls: tuple[Control, ...]) -> None:
    """Simulate under each control and show them together; the run goes on record."""
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        problems = Problems([*_rivals(request), *ignored_by_simulation(request.options)])
        output = problems.without(lambda: _output(request, stack))
        settings = SimulationSettings(
            delivery=request.delivery(problems),
            n=DEFAULT_COMPARE_N if request.n is None else request.n,
            **request.chosen("tau", "tol"),
        )
        problems.end_here(request, settings)
        source = stack.enter_context(open_source(request, narrator, read_only=request.dry_run))
        request.say_seed(settings.delivery, narrator)
        result = _compare(request, settings, controls, source, narrator)
        narrator.clear()
        if output is not None:
            output.stage(result)
            output.publish()
        closing = closing_of(request, result.run)
        tell_record(narrator, result.run, closing)
        emit(comparison_text(result, request.form, sys.stdout, closing))
        if request.form != "table":
            for sentence in (headline(result), *closing):
                narrator.note(sentence)


def _compare(
    request: Request,
    settings: SimulationSettings,
    controls: tuple[Control, ...],
    source: Source,
    narrator: Narrator,
) -> ComparisonResult:
    if source.store is None:
        return compare_pool(
            source.load, settings, controls, threads=request.threads, watch=narrator
        )
    return compare_exam(
        source.store,
        source.name,
        settings,
        controls,
        dry_run=request.dry_run,
        threads=request.threads,
        watch=narrator,
    )


def _output(request: Request, stack: ExitStack) -> OutputFile[ComparisonResult] | None:
    if request.output is None:
        return None
    return stack.enter_context(OutputFile[ComparisonResult](request.output, comparison_data))


def _rivals(request: Request) -> Iterator[str]:
    """Options that say something else than a comparison."""
    if request.control is not None:
        yield "--compare shows several controls and --control one. Give one or the other."
    if request.method == "exact":
        yield "--compare simulates examinees, as most controls must be. Leave --method exact out."
