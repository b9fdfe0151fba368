"""What `shsim trace` does."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

from shsim.cli.output_file import OutputFile
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.delivery import TestRequest
from shsim.cli.work.problems import Problems
from shsim.cli.work.sources import file_label, open_source
from shsim.model.trace import TraceResult, TraceSettings
from shsim.report.trace import trace_data, trace_notes, trace_text
from shsim.workflow.run import trace_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(TestRequest):
    """The options of `trace`."""

    tests: int | None
    first: int | None


def run(request: Request) -> None:
    """Give the tests and show them; nothing is written to a database."""
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        problems = Problems()
        output = problems.without(lambda: _output(request, stack))
        settings = TraceSettings(
            delivery=request.delivery(problems), **request.chosen("tests", "first")
        )
        problems.end_here(request, settings)
        source = stack.enter_context(open_source(request, narrator, read_only=True))
        request.say_seed(settings.delivery, narrator)
        result = trace_pool(source.load, settings, watch=narrator)
        narrator.clear()
        if output is not None:
            output.stage(result)
            output.publish()
        closing = list(trace_notes(result))
        if request.output is not None:
            closing.append(f"Wrote {file_label(request.output)}.")
        emit(trace_text(result, request.form, sys.stdout, closing))
        if request.form != "table":
            for sentence in closing:
                narrator.note(sentence)


def _output(request: Request, stack: ExitStack) -> OutputFile[TraceResult] | None:
    if request.output is None:
        return None
    return stack.enter_context(OutputFile[TraceResult](request.output, trace_data))
