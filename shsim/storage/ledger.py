"""The ledger of runs in either database: recording, looking up, and its schema's migrations.

Both databases are asked in the same words (`sql/ledger.sql`); what differs stands in
`sql/postgres_ledger.sql` and `sql/sqlite_ledger.sql`, with the migrations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from shsim.errors import DatabaseError, RefusedError
from shsim.model.run_record import Makers, RecordedRun, RunItems, RunRecord, UnreadableRun
from shsim.storage.exam_names import require_spelling
from shsim.storage.ledger_changes import LedgerChanges, Transaction
from shsim.storage.ledger_kept import (
    ItemSums,
    refuse_altered_run,
    refuse_other_sums,
    sums_unaltered,
)
from shsim.storage.ledger_makers import makers_of
from shsim.storage.ledger_numbers import insert_numbered
from shsim.storage.ledger_rows import (
    items_of,
    reading,
    recorded,
    recorded_or_not,
    row_of,
)
from shsim.storage.ledger_schema import migrate
from shsim.storage.ledger_state import LedgerState, ledger_state, newest_schema
from shsim.storage.ledger_statements import ledger_statements
from shsim.storage.moved_on import said_of_moved_on
from shsim.storage.needs import Touched
from shsim.storage.postgres_encoding import codec_of
from shsim.storage.postgres_grants import Lacking, lacking_grants
from shsim.storage.saved_k import refuse_no_k

T = TypeVar("T")


class Ledger:
    """The ledger in one database.

    Parameters
    ----------
    database
        Which statements to use.
    label
        The database as people name it.
    scrub
        Blots secrets out of a text.
    transaction
        How to do a piece of work in the database.
    closed
        Whether nothing may be written, where the database does not know that itself.
    """

    def __init__(
        self,
        database: Literal["postgres", "sqlite"],
        label: str,
        scrub: Callable[[str], str],
        transaction: Transaction,
        closed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database: Literal["postgres", "sqlite"] = database
        self._label = label
        self._scrub = scrub
        self._transaction = transaction
        self._closed = closed

    @property
    def _sql(self) -> Mapping[str, str]:
        return ledger_statements(self._database)

    @property
    def changes(self) -> LedgerChanges:
        """What has become of the k that runs left."""
        return LedgerChanges(self._transaction, self._sql)

    @property
    def latest(self) -> int:
        """The newest schema that this program knows."""
        return newest_schema(self._sql)

    def state(self) -> LedgerState:
        """Whether runs can be recorded.

        Raises
        ------
        DatabaseError
            The schema is newer than this program.
        """
        return self._transaction(self._state)

    def record(self, record: RunRecord) -> int:
        """Put a run that saved no k on record, in a transaction of its own; its number."""
        former: list[int] = []

        def work(cursor: Any) -> int:
            if former and self.is_recorded(cursor, former[-1], record):
                return former[-1]  # the answer to the COMMIT was lost, and it stands
            former.append(self.insert_run(cursor, record))
            if "end_deferring" in self._sql:  # SQLite defers no trigger
                cursor.execute(self._sql["end_deferring"])
            refuse_altered_run(
                cursor, self._sql, former[-1], self._row(cursor, record), self._label
            )
            return former[-1]

        return self._transaction(work, write=True)

    def history(
        self, exam: str | None, limit: int
    ) -> tuple[list[RecordedRun | UnreadableRun], int]:
        """The newest runs (without their iterations), and how many there are."""
        if exam is not None:
            require_spelling(exam)

        def work(cursor: Any) -> tuple[list[RecordedRun | UnreadableRun], int]:
            self._require(cursor)
            of_exam = "" if exam is None else "_of_exam"
            parameters = {"exam": exam, "limit": limit}
            cursor.execute(self._sql[f"history{of_exam}"], parameters)
            found = [recorded_or_not(row) for row in cursor.fetchall()]
            cursor.execute(self._sql[f"count_runs{of_exam}"], parameters)
            return found, int(cursor.fetchone()[0])

        return self._transaction(work)

    def exams(self) -> list[str]:
        """Exams that have runs on record, whether or not they are still published."""

        def work(cursor: Any) -> list[str]:
            self._require(cursor)
            cursor.execute(self._sql["exams_on_record"])
            return [str(exam) for (exam,) in cursor.fetchall()]

        return self._transaction(work)

    def run(self, run: int) -> RecordedRun | None:
        """A run by its number."""

        def work(cursor: Any) -> RecordedRun | None:
            self._require(cursor)
            cursor.execute(self._sql["run"], {"run": run})
            row = cursor.fetchone()
            return None if row is None else self._recorded(row)

        return self._transaction(work)

    def items(self, run: int) -> RunItems:
        """What a run did to each item; nothing for one that saved nothing."""
        return self._items("items", run)

    def items_to_restore(self, run: int) -> RunItems:
        """What a rollback of a run would do to each item, whatever k are in force."""
        return self._items("items_to_restore", run)

    def makers(self, exam: str) -> Makers:
        """The calibrations, of whatever exam, that made an exam's k in force."""
        require_spelling(exam)

        def work(cursor: Any) -> tuple[list[tuple[int, int]], int, str | None]:
            state = self._state(cursor)
            if not state.readable:
                return [], 0, state.unread
            return *makers_of(cursor, self._sql, exam), None

        found, of, unread = self._transaction(work)
        runs = ((self.run(run), count) for run, count in found)
        return Makers(tuple((run, count) for run, count in runs if run is not None), of, unread)

    def in_force(self, exam: str) -> RecordedRun | None:
        """The calibration, of whatever exam, that made the most k in force; see `Makers.first`."""
        return self.makers(exam).first

    def newest_saved(self, exam: str, *, whole: bool = False) -> RecordedRun | None:
        """The newest run that saved k of an exam, a rollback perhaps; None without a ledger.

        One that changed a single item by hand, or undid that, is passed over where `whole`,
        unless there is no other.
        """
        require_spelling(exam)
        query = self._sql["newest_whole" if whole else "newest_saved"]

        def work(cursor: Any) -> int | None:
            if not self._state(cursor).readable:
                return None
            cursor.execute(query, {"exam": exam})
            row = cursor.fetchone()
            return None if row is None else int(row[0])

        run = self._transaction(work)
        return None if run is None else self.run(run)

    def moved_on(self, run: int) -> str | None:
        """Why the run cannot be rolled back: k are no longer what it left; None: nothing does."""
        return self._transaction(lambda cursor: self._said_of_moved_on(cursor, run))

    def still_live(self, run: int, exam: str) -> tuple[int, int]:
        """How many items an exam publishes, and how many of them are of a run."""
        require_spelling(exam)

        def work(cursor: Any) -> tuple[int, int]:
            cursor.execute(self._sql["still_live"], {"run": run, "exam": exam})
            live, of_run = cursor.fetchone()
            return int(live), int(of_run)

        return self._transaction(work)

    # What follows is called within a transaction of the Store's.

    def migrate(self, cursor: Any) -> tuple[str, ...]:
        """Make what is missing and bring the schema up to date; what was made or changed."""
        return migrate(cursor, self._sql, self._state(cursor), self._label)

    def insert_run(self, cursor: Any, record: RunRecord) -> int:
        """Put the run on record; its number."""
        row = self._row(cursor, record)
        run = insert_numbered(cursor, self._sql, row, self._label)
        refuse_altered_run(cursor, self._sql, run, row, self._label)
        cursor.execute(self._sql["leftover_items"], {"run": run})
        if cursor.fetchone() is not None:
            raise DatabaseError(
                f"{self._label}: this would be run {run}, and shsim_run_item has k of another run"
                " of that number, which is no longer in shsim_run: a rollback would mix them."
                f" Nothing was written. Clear shsim_run_item of run {run}, and run again."
            )
        return run

    def insert_items(self, cursor: Any, run: int) -> ItemSums | None:
        """Put k before and after on record, from the table `shsim_k`; sums to know them by."""
        cursor.execute(self._sql["insert_items"], {"run": run})
        return sums_unaltered(cursor, self._sql, run, self._label)

    def refuse_altered(
        self, cursor: Any, run: int, record: RunRecord, sums: ItemSums | None
    ) -> None:
        """Raise, before the COMMIT, where the run is no longer on record as it was put there."""
        refuse_altered_run(cursor, self._sql, run, self._row(cursor, record), self._label)
        if sums is not None:
            refuse_other_sums(cursor, self._sql, run, sums, self._label)

    def stage_rollback(self, cursor: Any, run: int) -> None:
        """Fill the table `shsim_k` with the k before a run; refuses what is no k."""
        cursor.execute(self._sql["stage_rollback"], {"run": run})
        refuse_no_k(cursor, run)

    def is_recorded(self, cursor: Any, run: int, record: RunRecord) -> bool:
        """Whether the run stands in the ledger, after the answer to a COMMIT was lost."""
        cursor.execute(self._sql["is_recorded"], {**self._row(cursor, record), "run": run})
        return cursor.fetchone() is not None

    def refuse_moved_on(self, cursor: Any, run: int) -> None:
        """Raise where k in force are no longer what the run left.

        Raises
        ------
        RefusedError
            Names the items (the first 20, then a count), and who changed them if known.
        """
        said = self._said_of_moved_on(cursor, run)
        if said is not None:
            raise RefusedError(said)

    def _said_of_moved_on(self, cursor: Any, run: int) -> str | None:
        return said_of_moved_on(cursor, self._sql, run, self._label)

    def _row(self, cursor: Any, record: RunRecord) -> dict[str, Any]:
        return row_of(record, self._scrub, codec_of(cursor))

    def _items(self, statement: str, run: int) -> RunItems:
        def work(cursor: Any) -> RunItems:
            cursor.execute(self._sql[statement], {"run": run})
            with reading(run, self._label):
                return items_of(cursor)

        return self._transaction(work)

    def _recorded(self, row: Sequence[Any]) -> RecordedRun:
        with reading(row[0], self._label):
            return recorded(row)

    def _require(self, cursor: Any) -> None:
        """Raise where there is no ledger, or it may not be read."""
        state = self._state(cursor)
        if not state.readable:
            raise DatabaseError(f"{self._label}: {state.unread or state.lack}.")

    def _state(self, cursor: Any) -> LedgerState:
        def lacking(touched: Touched) -> Lacking:
            # SQLite knows no roles.
            return lacking_grants(cursor, touched) if self._database == "postgres" else []

        state = ledger_state(cursor, self._sql, self._label, lacking)
        return replace(state, read_only=True) if self._closed() else state
