"""What `shsim trace` does."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from shsim.cli.work.delivery import TestRequest
from shsim.cli.work.opening import opened
from shsim.cli.work.problems import Problems
from shsim.model.trace import TraceSettings
from shsim.report.trace import trace_data, trace_notes, trace_text
from shsim.workflow.run import trace_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(TestRequest):
    """The options of `trace`."""

    tests: int | None
    first: int | None


def run(request: Request) -> None:
    """Give the tests and show them; nothing is written to a database."""

    def settings(problems: Problems) -> TraceSettings:
        return TraceSettings(
            delivery=request.delivery(problems), **request.chosen("tests", "first")
        )

    with opened(request, (), trace_data, settings) as its:
        result = trace_pool(its.source.load, its.settings, watch=its.narrator)
        closing = [*trace_notes(result), *its.write(result)]
        its.show(trace_text(result, request.form, sys.stdout, closing), closing)
