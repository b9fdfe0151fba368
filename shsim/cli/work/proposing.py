"""What `shsim proposals` does."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from shsim.cli.log_lines import bind
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.moments import day
from shsim.cli.work.sources import DatabaseRequest, file_label, named_database, open_database
from shsim.cli.work.taken_files import output_asked
from shsim.errors import PROBLEMS_SHOWN, DataError, UsageError
from shsim.extras.proposal_reader import ProposalReader
from shsim.extras.redis_address import VARIABLE, RedisAddress
from shsim.model.audit import ItemKey
from shsim.model.proposals import ProposalTable
from shsim.report.canvas import Canvas
from shsim.report.proposals import proposal_data, proposal_text
from shsim.report.render import Format
from shsim.storage.embedded import embedded_path
from shsim.storage.needs import READING

#: Days that are shown where none is named.
_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(DatabaseRequest):
    """The options of `proposals`."""

    since: str | None
    until: str | None
    redis: str | None
    exam: str | None
    form: Format
    output: str | None
    daily: bool

    def days(self) -> tuple[date, date]:
        """The first and the last day.

        Raises
        ------
        UsageError
            They are none, or in no order.
        """
        until = datetime.now(UTC).date() if self.until is None else day("--until", self.until)
        try:
            default = until - timedelta(_DAYS - 1)
        except OverflowError:
            default = until
        since = default if self.since is None else day("--since", self.since)
        if since > until:
            raise UsageError(f"--since {since} is after --until {until}. Give days in order.")
        return since, until

    def reader(self) -> ProposalReader:
        """The counters.

        Raises
        ------
        UsageError, MissingExtraError
            No Redis is named, or there is no client for it.
        """
        if not self.redis:
            raise UsageError(f"no Redis is named. Set {VARIABLE}, or give --redis URL.")
        return ProposalReader(RedisAddress.parse(self.redis))


def run(request: Request) -> None:
    """Read and render."""
    bind(exam=request.exam)
    since, until = request.days()
    if request.daily and request.form == "table" and request.output is None:
        raise UsageError("--daily is for --format csv or json, or --output. Give one of these.")
    reader = request.reader()
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        data = partial(proposal_data, daily=request.daily)
        output = output_asked(request, data, stack)
        if request.exam is None:
            table = reader.every(since, until)
        else:
            items = _items_of(request.exam, request, narrator)
            table = reader.of_items(request.exam, items, since, until)
        narrator.note(f"Redis {reader.label}")
        _tell_skipped(table, narrator)
        closing = []
        if output is not None:
            output.stage(table)
            output.publish()
            closing.append(f"Wrote {file_label(output.path)}.")
        if request.form == "table":
            emit(proposal_text(table, Canvas.of(sys.stdout), closing))
        else:
            emit(data(table, request.form))
            for sentence in closing:
                narrator.note(sentence)


def _items_of(exam: str, request: Request, narrator: Narrator) -> list[ItemKey]:
    if named_database(request) is None and not embedded_path().exists():
        raise DataError("there is no database yet, hence no exam. Name one by --dsn.")
    with open_database(request, narrator, read_only=True, needs=READING) as store:
        return store.load_pool(exam).keys


def _tell_skipped(table: ProposalTable, narrator: Narrator) -> None:
    for sentence in table.skipped[:PROBLEMS_SHOWN]:
        narrator.warn(f"skipped {sentence}")
    hidden = len(table.skipped) - PROBLEMS_SHOWN
    if hidden > 0:
        narrator.warn(f"skipped {hidden:,} more of the kind.")
