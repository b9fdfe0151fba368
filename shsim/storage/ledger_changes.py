"""What has become of the k that runs left: who else changed them, and how many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from shsim.model.run_record import RecordedRun

T = TypeVar("T")

#: k that a run saved are stamped after its end, by so much at most.
_STAMPED = timedelta(minutes=1)


class Transaction(Protocol):
    """Does a piece of work with a cursor in one transaction, which may begin it anew."""

    def __call__(self, work: Callable[[Any], T], /, *, write: bool = False) -> T:
        """What `work` gives."""


class LedgerChanges:
    """Questions about live k of an exam, where there is a ledger that may be read.

    Parameters
    ----------
    transaction
        How to ask the database.
    sql
        The ledger's statements.
    """

    def __init__(self, transaction: Transaction, sql: Mapping[str, str]) -> None:
        self._transaction = transaction
        self._sql = sql

    def since_run(self, run: int, exam: str) -> int:
        """How many k are not what a run left, whoever changed them."""
        return int(self._ask("count_changed", {"run": run, "exam": exam})[0])

    def by_others(self, exam: str, since: datetime) -> tuple[int, int | None]:
        """How many k runs of other exams have changed since a moment, and the last of those."""
        count, last = self._ask("changed_by_others", {"exam": exam, "since": _text(since)})
        return int(count), last

    def off_record(self, run: RecordedRun, exam: str, since: datetime) -> int:
        """How many k are what neither a run nor any after it left.

        Those that were changed before `since` are left out where they are stamped so.
        """
        if not self.since_run(run.run, exam):
            return 0  # looking through all later runs takes a while
        ended = _text(run.finished + _STAMPED)
        named = {"run": run.run, "exam": exam, "ended": ended, "since": _text(since)}
        return int(self._ask("changed_off_record", named)[0])

    def _ask(self, statement: str, named: Mapping[str, Any]) -> Any:
        def work(cursor: Any) -> Any:
            cursor.execute(self._sql[statement], named)
            return cursor.fetchone()

        return self._transaction(work)


def _text(moment: datetime) -> str:
    """A moment as the ledger writes it."""
    return moment.astimezone(UTC).isoformat(" ")
