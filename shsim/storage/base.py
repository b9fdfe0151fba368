"""The Store protocol: what workflow asks of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shsim.arrays import FloatArray
from shsim.model.audit import LiveCounts
from shsim.model.item_exposure import ItemPage
from shsim.model.item_pool import ItemPool
from shsim.model.run_record import RecordedRun, RunRecord
from shsim.storage.exam_waiting import Patience
from shsim.storage.ledger import Ledger
from shsim.storage.needs import Needs


@dataclass(frozen=True, slots=True)
class SaveOutcome:
    """What a save did: rows of k inserted or changed, and rows that already stood so.

    `run` is the save's number in the ledger, None where it was not recorded; `warning` is a
    sentence about a COMMIT that stands, and yet not as it should.
    """

    changed: int
    unchanged: int
    run: int | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do.

    Attributes
    ----------
    changed, unchanged
        Items of the pool that are new or change, and those that stand so already.
    published
        Items that the exam publishes now.
    kept
        Those of them that the pool has no version of: they stay published.
    shared
        Other exams that publish what the exam will, with how many of its items.
    """

    changed: int
    unchanged: int
    published: int = 0
    kept: int = 0
    shared: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `db check`: `blocking` is True where a run would fail."""

    blocking: bool
    sentence: str


class Store(Protocol):
    """A database with the QBank tables.

    Every method raises `DatabaseError` (one line, no password) when the database is
    down, refuses, lacks a table or drops the connection, and `DataError` for bad rows.
    """

    @property
    def label(self) -> str:
        """The database as people name it, without the password."""

    @property
    def ledger(self) -> Ledger:
        """The runs on record."""

    def require_tables(self) -> None:
        """Raise where a table that runs need is missing or may not be read; costs next to nothing.

        `check` says more, and reads every pool.
        """

    def require_privileges(self, needs: Needs) -> None:
        """Raise where what is needed cannot be done here, or not by this role; names it all."""

    def exams(self) -> dict[str, int]:
        """Exam codes and how many items each publishes, by code."""

    def load_pool(self, exam: str) -> ItemPool:
        """The exam's live, published items; refuses an unknown exam, naming those there are."""

    def shared_exams(self, exam: str) -> dict[str, int]:
        """Other exams that publish items of this one, with the number of such items."""

    def live_counts(self, exam: str, since: datetime, until: datetime) -> LiveCounts:
        """Attempts in `user_responses` from `since` to before `until`, whichever exam's they are.

        A time that is stored without a zone is in UTC.
        """

    def exposure_items(
        self, exam: str | None, since: datetime, *, limit: int, offset: int = 0
    ) -> ItemPage:
        """Live, published items of one exam or of all, with their attempts since a moment.

        The most attempted come first, then by question and version. Refuses an unknown exam.
        """

    def publishing_exams(self, question_id: int, version: int) -> tuple[str, ...]:
        """Exams that publish this version of a question, by code; refuses one that is not there."""

    def exam_lock(
        self, exam: str, patience: Patience | None = None
    ) -> AbstractContextManager[None]:
        """Held for a whole run; a second run on the exam is refused, naming the holder.

        With `patience` it waits for the holder's end first. Refuses a database that
        cannot be written, since nobody locks what is only read.
        """

    def save_k(
        self,
        pool: ItemPool,
        k: FloatArray,
        *,
        force: bool = False,
        record: RunRecord | None = None,
    ) -> SaveOutcome:
        """Upsert k for every item of `pool` in one transaction, all rows or none.

        The pool is read again first; where a published version, a, b, c or an sh_p is
        not what was loaded, nothing is written and the error names the items, unless
        `force`. Takes the exam's lock (again, if this process holds it already). The
        record goes into the ledger, with k before and after, in the same transaction.
        """

    def save_item(
        self, exam: str, item: tuple[int, int], sh_p: float, *, record: RunRecord | None = None
    ) -> SaveOutcome:
        """Write the k of one item (question and version), in one transaction with its record.

        Locks and records as :meth:`save_k`.
        """

    def restore_k(
        self, run: RecordedRun, *, force: bool = False, record: RunRecord | None = None
    ) -> SaveOutcome:
        """Write the k before a saved run for all its items, in one transaction.

        Where none was stored then, sh_p becomes 1. Where k in force are no longer what
        the run left, nothing is written and the error names the items, unless `force`.
        Locks and records as :meth:`save_k`.
        """

    def record_aside(self, record: RunRecord, patience: float) -> None:
        """Record a run that ended badly, on a connection of its own; never fails, nor lasts.

        After `patience` seconds it is left to its fate.
        """

    def plan_import(self, pool: ItemPool) -> ImportPlan:
        """What `import_pool` would do as things stand; nothing is written, nor locked."""

    def import_pool(self, pool: ItemPool, patience: Patience | None = None) -> SaveOutcome:
        """Publish the pool's items under the exam `pool.name`, in one transaction.

        Takes the exam's lock, for which it waits as :meth:`exam_lock` does.
        """

    def create_tables(self) -> tuple[str, ...]:
        """Make what is missing of the QBank tables and the ledger; bring the ledger up to date.

        Returns
        -------
        tuple[str, ...]
            What was made, empty if nothing was.
        """

    def add_demo(self) -> bool:
        """Put the exam DEMO-EXAM in, with some weeks of responses; False if it is there.

        Refuses to overwrite another exam of that name (`DataError`).
        """

    def check(self) -> list[Finding]:
        """What is missing or odd."""

    def close(self) -> None:
        """Give the connection back; safe to call twice."""
