"""What `shsim history`, `show`, `diff` and `rollback` do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from shsim.cli.log_lines import bind
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.saving import refuse_waiting
from shsim.cli.work.sources import DatabaseRequest, file_label, named_database, open_database
from shsim.cli.work.taken_files import output_asked
from shsim.errors import DataError
from shsim.model.run_record import PastRun, RecordedRun, Rollback, UnreadableRun
from shsim.report.canvas import Canvas
from shsim.report.delimited import csv_text
from shsim.report.history import history_columns, history_json, history_text
from shsim.report.past_run import (
    past_run_columns,
    past_run_json,
    past_run_text,
    rollback_columns,
    rollback_json,
    rollback_sentences,
    rollback_text,
)
from shsim.report.render import DataFormat, Format
from shsim.report.run_difference import difference_columns, difference_json, difference_text
from shsim.storage.base import Store
from shsim.storage.embedded import embedded_path
from shsim.storage.exam_names import require_spelling
from shsim.storage.needs import LOOKING_BACK, Needs, of_past_run
from shsim.workflow.past_runs import NO_RUN, none_of_exam, recall, recorded_run, rollback

R = TypeVar("R")
_Runs = tuple[list[RecordedRun | UnreadableRun], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRequest(DatabaseRequest):
    """Options of every command that looks into the ledger."""

    form: Format
    output: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRequest(LedgerRequest):
    """The options of `history`."""

    exam: str | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRequest(LedgerRequest):
    """The options of `show`."""

    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest(LedgerRequest):
    """The options of `diff`."""

    first: int
    second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest(LedgerRequest):
    """The options of `rollback`."""

    run: int
    dry_run: bool
    force: bool
    wait: int
    typed: frozenset[str]


def run_history(request: HistoryRequest) -> None:
    """List the newest runs."""
    bind(exam=request.exam)
    if request.exam is not None:
        require_spelling(request.exam)

    def data(found: _Runs, form: DataFormat) -> str:
        return csv_text(history_columns(found[0])) if form == "csv" else history_json(*found)

    with ExitStack() as stack:
        rendering = stack.enter_context(_rendering(request, data))
        narrator = Narrator(quiet=request.quiet)
        found: _Runs = ([], 0)
        none = NO_RUN
        if not _nothing_there(request, read_only=True):
            store = stack.enter_context(
                open_database(request, narrator, read_only=True, needs=LOOKING_BACK)
            )
            found = store.ledger.history(request.exam, request.limit)
            if request.exam is not None and not found[1]:
                none = none_of_exam(store, request.exam)
        for run in found[0]:
            if isinstance(run, UnreadableRun):
                narrator.warn(run.message)
        rendering(found, lambda: history_text(*found, none, Canvas.of(sys.stdout)), narrator)
        if request.form != "table" and none != NO_RUN:
            narrator.note(none)


def run_show(request: ShowRequest) -> None:
    """Show one run."""

    def data(past: PastRun, form: DataFormat) -> str:
        return csv_text(past_run_columns(past)) if form == "csv" else past_run_json(past)

    with ExitStack() as stack:
        rendering = stack.enter_context(_rendering(request, data))
        narrator = Narrator(quiet=request.quiet)
        (past,) = _recalled(request, [request.run], stack, narrator)
        rendering(past, lambda: past_run_text(past, Canvas.of(sys.stdout)), narrator)


def run_diff(request: DiffRequest) -> None:
    """Show two runs side by side."""

    def data(pair: tuple[PastRun, PastRun], form: DataFormat) -> str:
        return csv_text(difference_columns(*pair)) if form == "csv" else difference_json(*pair)

    with ExitStack() as stack:
        rendering = stack.enter_context(_rendering(request, data))
        narrator = Narrator(quiet=request.quiet)
        first, second = _recalled(request, [request.first, request.second], stack, narrator)
        pair = (first, second)
        rendering(pair, lambda: difference_text(*pair, Canvas.of(sys.stdout)), narrator)


def run_rollback(request: RollbackRequest) -> None:
    """Undo a run, or say what that would do."""
    refuse_waiting(request)

    def data(done: Rollback, form: DataFormat) -> str:
        return csv_text(rollback_columns(done)) if form == "csv" else rollback_json(done)

    with ExitStack() as stack:
        rendering = stack.enter_context(_rendering(request, data))
        narrator = Narrator(quiet=request.quiet)
        needs = of_past_run(dry_run=request.dry_run)
        store = _opened(request, [request.run], stack, narrator, needs=needs)
        done = rollback(
            store,
            request.run,
            force=request.force,
            dry_run=request.dry_run,
            wait=request.wait,
            watch=narrator,
        )
        if done.changed is not None:
            narrator.milestone(
                "saved",
                " ".join(rollback_sentences(done)),
                rollback_of=done.undone.run,
                run=done.run,
                changed=done.changed,
                unchanged=done.unchanged,
            )
        try:
            rendering(done, lambda: rollback_text(done, Canvas.of(sys.stdout)), narrator)
        except DataError as error:
            if request.dry_run:
                raise
            raise DataError([*error.problems, "The k before had been put back."]) from error
        if request.form != "table":
            for sentence in rollback_sentences(done):
                narrator.note(sentence)


Rendering = Callable[[R, Callable[[], str], Narrator], None]


@contextmanager
def _rendering(
    request: LedgerRequest, data: Callable[[R, DataFormat], str]
) -> Iterator[Rendering[R]]:
    """Checks `--output` before anything is done; gives what renders a result there and to stdout.

    Parameters
    ----------
    data
        The result for a program.
    """
    with ExitStack() as stack:
        output = output_asked(request, data, stack)

        def render(result: R, text: Callable[[], str], narrator: Narrator) -> None:
            if output is not None:
                output.stage(result)
                output.publish()
                narrator.note(f"wrote {file_label(output.path)}")
            emit(text() if request.form == "table" else data(result, request.form))

        yield render


def _recalled(
    request: LedgerRequest, runs: Sequence[int], stack: ExitStack, narrator: Narrator
) -> list[PastRun]:
    store = _opened(request, runs, stack, narrator, needs=LOOKING_BACK)
    return [recall(store, run) for run in runs]


def _opened(
    request: LedgerRequest,
    runs: Sequence[int],
    stack: ExitStack,
    narrator: Narrator,
    *,
    needs: Needs,
) -> Store:
    """The database, whose runs' exam the log names; looking for a run makes none."""
    if _nothing_there(request, read_only=True):
        raise DataError(f"run {runs[0]} is unknown: there is no database yet. Name one by --dsn.")
    store = stack.enter_context(
        open_database(request, narrator, read_only=not needs.writing, needs=needs)
    )
    exams = {recorded_run(store, run).exam for run in runs}
    if len(exams) == 1:  # what is told of two exams names neither
        bind(exam=exams.pop())
    return store


def _nothing_there(request: DatabaseRequest, *, read_only: bool) -> bool:
    return read_only and named_database(request) is None and not embedded_path().exists()
