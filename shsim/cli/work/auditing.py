"""What `shsim audit` does."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

from shsim.cli.log_lines import bind
from shsim.cli.progress import Narrator, seen_in_table
from shsim.cli.streams import emit
from shsim.cli.work.moments import moment
from shsim.cli.work.sources import (
    DatabaseRequest,
    file_label,
    named_database,
    open_database,
    require_exam,
)
from shsim.cli.work.taken_files import output_asked
from shsim.cli.work.verdict import tell_live_verdict
from shsim.errors import CapNotHeldError, DataError, UsageError
from shsim.extras.proposal_reader import ProposalReader
from shsim.extras.redis_address import RedisAddress
from shsim.model.audit import AuditResult, AuditSettings
from shsim.report.audit_data import audit_data
from shsim.report.audit_summary import audit_sentences, audit_text
from shsim.report.render import Format
from shsim.storage.embedded import embedded_path
from shsim.storage.needs import AUDITING
from shsim.workflow.audit import audit_exam


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(DatabaseRequest):
    """The options of `audit`."""

    exam: str | None
    since: str | None
    since_run: int | None
    tests: int | None
    length: int | None
    tau: float | None
    form: Format
    output: str | None
    require_cap: bool
    threads: int | None
    redis: str | None

    def settings(self) -> AuditSettings:
        """What to audit.

        Raises
        ------
        UsageError
            The date is none, there are two beginnings, or a number is out of its range.
        """
        if self.since is not None and self.since_run is not None:
            raise UsageError("--since and --since-run both say from when. Give one of them.")
        settings = AuditSettings(
            since=None if self.since is None else moment("--since", self.since),
            since_run=self.since_run,
            tests=self.tests,
            length=self.length,
            tau=self.tau,
            require_cap=self.require_cap,
        )
        if problems := list(settings.problems()):
            raise UsageError("\n".join(problems))
        return settings


def run(request: Request) -> None:
    """Audit and render; an item over the cap raises where the cap is required."""
    bind(exam=request.exam)
    settings = request.settings()
    proposals = ProposalReader(RedisAddress.parse(request.redis)) if request.redis else None
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        output = output_asked(request, audit_data, stack)
        if named_database(request) is None and not embedded_path().exists():
            raise DataError("there is no database yet, hence no attempt. Name one by --dsn.")
        store = stack.enter_context(
            open_database(request, narrator, read_only=True, needs=AUDITING)
        )
        exam = require_exam(request, request.exam, store, narrator)
        result = audit_exam(
            store, exam, settings, proposals=proposals, threads=request.threads, watch=narrator
        )
        narrator.clear()
        closing = []
        if output is not None:
            output.stage(result)
            output.publish()
            closing.append(f"Wrote {file_label(output.path)}.")
        tell_live_verdict(narrator, result)
        emit(audit_text(result, request.form, sys.stdout, closing))
        if request.form != "table":
            held = [result.sentence] * (result.held is True)  # what else it is, is judged below
            for sentence in (*held, *audit_sentences(result), *closing):
                narrator.note(sentence)
        _judge(request, result, narrator)


def _judge(request: Request, result: AuditResult, narrator: Narrator) -> None:
    """Warn, or raise where the cap is required; a verdict that is on the screen is not repeated."""
    shown = seen_in_table(request.form)
    if request.require_cap and result.held is None:
        # A monitor must not take silence for health.
        raise DataError("--require-cap: nothing can be told." if shown else result.sentence)
    if request.require_cap and result.held is False:
        raise CapNotHeldError("--require-cap: the cap is not held." if shown else result.sentence)
    if not result.held and not shown:
        narrator.warn(result.sentence)
