"""Writing k to PostgreSQL: one transaction, all rows or none, with the run's record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shsim.model.run_record import RunRecord
from shsim.storage.base import SaveOutcome
from shsim.storage.ledger import Ledger
from shsim.storage.ledger_kept import ItemSums
from shsim.storage.postgres_hidden import hiding_words
from shsim.storage.postgres_rounding import refuse_rounding
from shsim.storage.postgres_session import OvertakenError, Session
from shsim.storage.postgres_waiting import limit_waiting
from shsim.storage.saved_k import count_unsaved, refuse_unsaved
from shsim.storage.statements import statements

_SQL = statements("postgres")


def begin_saving(cursor: Any) -> None:
    """Bound the waiting, and see to it that what is staged is found where it was put."""
    limit_waiting(cursor)
    cursor.execute(_SQL["stage_first"])


@dataclass(slots=True)
class Save:
    """The save as one transaction, which may be begun anew.

    `stage` fills the table `shsim_k` with the k to write, and `check` raises where the
    database is not what they were computed from.

    `outcome` is set once everything but the COMMIT is done: begun anew with it set,
    the answer to a COMMIT was lost, and reading back settles whether it stands: that
    transaction has ended by then, which :meth:`Session.run` sees to.
    """

    session: Session
    ledger: Ledger
    exam: str
    stage: Callable[[Any], None]
    check: Callable[[Any], None]
    record: RunRecord | None
    outcome: SaveOutcome | None = None

    def __call__(self, cursor: Any) -> SaveOutcome:
        """Check, record and write; the caller commits."""
        if self.outcome is not None and self._is_recorded(cursor, self.outcome):
            return self.outcome  # before anybody who has the exam by now can be in the way
        self.session.require_lock(cursor, self.exam)
        begin_saving(cursor)
        cursor.execute(_SQL["stage_k"])
        refuse_rounding(cursor, self.session.dsn.label)  # nobody can alter the table from here on
        self.stage(cursor)
        cursor.execute(_SQL["count_staged"])
        size = int(cursor.fetchone()[0])
        cursor.execute(_SQL["lock_rows"])
        present = int(cursor.fetchone()[0])
        if self.outcome is not None:
            if self.record is None and self._stands(cursor):
                return self.outcome
            self.outcome = None
        self.check(cursor)
        run, sums = self._recorded(cursor)
        cursor.execute(_SQL["update_k"])
        changed = int(cursor.rowcount)
        cursor.execute(_SQL["insert_k"])
        if cursor.rowcount != size - present:
            _refuse_overtaken(cursor, present + cursor.rowcount)
        changed += size - present
        cursor.execute(_SQL["end_deferring"])
        refuse_unsaved(cursor, self.session.dsn.label)
        if self.record is not None and run is not None:
            self.ledger.refuse_altered(cursor, run, self.record, sums)
        self.outcome = SaveOutcome(changed=changed, unchanged=size - changed, run=run)
        return self.outcome

    def _recorded(self, cursor: Any) -> tuple[int | None, ItemSums | None]:
        """Put k before and after on record, while what was before still stands."""
        if self.record is None:
            return None, None
        run = self.ledger.insert_run(cursor, self.record)
        return run, self.ledger.insert_items(cursor, run)

    def _is_recorded(self, cursor: Any, outcome: SaveOutcome) -> bool:
        if self.record is None or outcome.run is None:
            return False
        return self.ledger.is_recorded(cursor, outcome.run, self.record)

    def _stands(self, cursor: Any) -> bool:
        return count_unsaved(cursor)[0] == 0


def _refuse_overtaken(cursor: Any, known: int) -> None:
    """Raise where rows stand that were absent a moment ago, and so could not be locked.

    A trigger may instead have dropped what was inserted, which reading back finds, or put it into
    another table of which this one is made up, where all is well.

    Parameters
    ----------
    cursor
        In the transaction, after the insert.
    known
        How many rows were locked or inserted.
    """
    if hiding_words(cursor) is None:
        cursor.execute(_SQL["lock_rows"])
        if int(cursor.fetchone()[0]) <= known or count_unsaved(cursor)[0] == 0:
            return
    raise OvertakenError
