"""The QBank tables in PostgreSQL, behind the Store protocol."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from shsim.arrays import FloatArray
from shsim.model.audit import LiveCounts
from shsim.model.item_exposure import ItemPage
from shsim.model.item_pool import ItemPool
from shsim.model.run_record import RecordedRun, RunRecord
from shsim.storage.base import Finding, ImportPlan, SaveOutcome
from shsim.storage.changes import refuse_changes
from shsim.storage.demo import DEMO_EXAM, DemoTables
from shsim.storage.dsn import Dsn
from shsim.storage.exam_names import no_item, no_items, require_spelling
from shsim.storage.exam_waiting import Patience
from shsim.storage.import_rows import import_rows
from shsim.storage.inspection import Inspection
from shsim.storage.interrupt import attempt
from shsim.storage.ledger import Ledger
from shsim.storage.needs import IMPORTING, OWNING, Needs
from shsim.storage.postgres_import import Import, read_import_plan
from shsim.storage.postgres_locks import lock_key
from shsim.storage.postgres_rows import (
    copy_text,
    read_items,
    read_live,
    read_pool,
    read_publishers,
)
from shsim.storage.postgres_save import Save
from shsim.storage.postgres_session import PATIENCE, Session
from shsim.storage.postgres_tables import create_missing, exams, insert_demo, look_at_tables
from shsim.storage.postgres_waiting import limit_waiting
from shsim.storage.statements import statements

T = TypeVar("T")

_SQL = statements("postgres")
_QUESTIONS = statements("questions")


class PostgresStore:
    """A PostgreSQL database with the QBank tables; see :class:`shsim.storage.base.Store`.

    Parameters
    ----------
    dsn
        The database; it is connected to on first use.
    read_only
        Every transaction is read-only: fit for a replica, or a role with SELECT alone.
    application_name
        What the server shows, unless the DSN or PGAPPNAME names another.
    patience
        Seconds for which a server that has dropped the connection is tried again.
    within
        Seconds that a transaction may take; None: any.
    """

    def __init__(
        self,
        dsn: Dsn,
        *,
        read_only: bool,
        application_name: str,
        patience: float = PATIENCE,
        within: float | None = None,
    ) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._session = Session(
            dsn,
            read_only=read_only,
            application_name=application_name,
            patience=patience,
            within=within,
        )
        self._ledger = Ledger(
            "postgres",
            dsn.label,
            dsn.scrub,
            self._in_ledger,
        )

    @property
    def label(self) -> str:
        """The database as people name it, without the password."""
        return self._dsn.label

    @property
    def ledger(self) -> Ledger:
        """The runs on record."""
        return self._ledger

    def require_tables(self) -> None:
        """Raise where a table that runs need is missing or may not be read."""

        def work(cursor: Any) -> None:
            cursor.execute(_QUESTIONS["touch_tables"])

        self._session.run(work)

    def require_privileges(self, needs: Needs) -> None:
        """Raise where what is needed cannot be done here, or not by this role; names it all."""
        self._session.require(needs)

    def exams(self) -> dict[str, int]:
        """Exam codes and how many items each publishes, by code."""
        return self._session.run(exams)

    def load_pool(self, exam: str) -> ItemPool:
        """The exam's live, published items; refuses an unknown exam, naming those there are."""
        require_spelling(exam)
        columns = self._session.run(lambda cursor: read_pool(cursor, exam))
        if not len(columns["question_id"]):
            raise no_items(exam, self.label, self.exams())
        return ItemPool.build(exam, columns)

    def shared_exams(self, exam: str) -> dict[str, int]:
        """Other exams that publish items of this one, with the number of such items."""
        require_spelling(exam)

        def work(cursor: Any) -> dict[str, int]:
            cursor.execute(_SQL["shared_exams"], {"exam": exam})
            return dict(cursor.fetchall())

        return self._session.run(work)

    def exposure_items(
        self, exam: str | None, since: datetime, *, limit: int, offset: int = 0
    ) -> ItemPage:
        """Live, published items of one exam or of all, with their attempts since a moment."""
        if exam is not None:
            require_spelling(exam)
        page = self._session.run(lambda cursor: read_items(cursor, exam, since, (limit, offset)))
        if exam is not None and not page.total and exam not in (exams := self.exams()):
            raise no_items(exam, self.label, exams)
        return page

    def publishing_exams(self, question_id: int, version: int) -> tuple[str, ...]:
        """Exams that publish this version of a question; refuses one that is not there."""
        rows = self._session.run(lambda cursor: read_publishers(cursor, question_id, version))
        if not rows:
            raise no_item(question_id, version, self.label)
        return tuple(exam for (exam,) in rows if exam is not None)

    def live_counts(self, exam: str, since: datetime, until: datetime) -> LiveCounts:
        """Attempts from `since` to before `until`, whichever exam's they are."""
        require_spelling(exam)
        return self._session.run(lambda cursor: read_live(cursor, exam, since, until))

    def exam_lock(
        self, exam: str, patience: Patience | None = None
    ) -> AbstractContextManager[None]:
        """An advisory lock, held for a whole run; a second run waits, or is told who holds it."""
        require_spelling(exam)
        return self._session.exam_lock(exam, patience)

    def save_k(
        self,
        pool: ItemPool,
        k: FloatArray,
        *,
        force: bool = False,
        record: RunRecord | None = None,
    ) -> SaveOutcome:
        """Upsert k for every item of `pool` in one transaction, all rows or none."""
        pool.with_k(k)  # refuses a k that is no k, before anything is written

        def stage(cursor: Any) -> None:
            rows = zip(pool.question_id.tolist(), pool.version.tolist(), k.tolist(), strict=True)
            cursor.copy_expert(_SQL["copy_k"], copy_text(rows))

        def check(cursor: Any) -> None:
            if not force:
                refuse_changes(pool, read_pool(cursor, pool.name))

        return self._write_k(Save(self._session, self.ledger, pool.name, stage, check, record))

    def save_item(
        self, exam: str, item: tuple[int, int], sh_p: float, *, record: RunRecord | None = None
    ) -> SaveOutcome:
        """Write the k of one item, in one transaction with its record."""

        def stage(cursor: Any) -> None:
            cursor.copy_expert(_SQL["copy_k"], copy_text([(*item, sh_p)]))

        def check(cursor: Any) -> None:
            if not read_publishers(cursor, *item):
                raise no_item(*item, self.label)

        return self._write_k(Save(self._session, self.ledger, exam, stage, check, record))

    def restore_k(
        self, run: RecordedRun, *, force: bool = False, record: RunRecord | None = None
    ) -> SaveOutcome:
        """Write the k before a saved run for all its items, in one transaction."""
        number = run.run

        def check(cursor: Any) -> None:
            if not force:
                self.ledger.refuse_moved_on(cursor, number)

        def stage(cursor: Any) -> None:
            self.ledger.stage_rollback(cursor, number)

        return self._write_k(Save(self._session, self.ledger, run.exam, stage, check, record))

    def record_aside(self, record: RunRecord, patience: float) -> None:
        """Record a run that ended badly, on a connection of its own; never fails, nor lasts."""

        def work() -> None:
            store = PostgresStore(
                self._dsn, read_only=False, application_name=self._application_name
            )
            store.ledger.record(record)
            store.close()

        attempt(work, patience)

    def _in_ledger(self, work: Callable[[Any], T], *, write: bool = False) -> T:
        def bounded(cursor: Any) -> T:
            limit_waiting(cursor)
            return work(cursor)

        return self._session.run(bounded if write else work, final=write)

    def _write_k(self, save: Save) -> SaveOutcome:
        with self._session.exam_lock(save.exam):
            return self._committed(save)

    def _committed(self, work: Callable[[Any], SaveOutcome]) -> SaveOutcome:
        """Save, and have with the outcome what the server said of the COMMIT."""
        outcome = self._session.run(work, final=True)
        said = " ".join(" ".join(self._session.said_at_commit).split())
        if not said:
            return outcome
        # A wait for a standby that was cancelled, say: the server has told us, and nobody else.
        return replace(outcome, warning=f"it is saved, and {self.label} said of its COMMIT: {said}")

    def plan_import(self, pool: ItemPool) -> ImportPlan:
        """What `import_pool` would do as things stand; nothing is written, nor locked."""
        require_spelling(pool.name)
        return self._session.run(lambda cursor: read_import_plan(cursor, pool))

    def import_pool(self, pool: ItemPool, patience: Patience | None = None) -> SaveOutcome:
        """Publish the pool's items under the exam `pool.name`, in one transaction.

        Items that the exam publishes beside them stay as they are; a missing topic,
        calibration or k leaves what the database has.
        """
        require_spelling(pool.name)
        publishing = Import(self._session, pool, import_rows(pool))
        with self._session.exam_lock(pool.name, patience, IMPORTING):
            return self._committed(publishing)

    def create_tables(self) -> tuple[str, ...]:
        """Make what is missing of the QBank tables and the ledger; its names."""

        def work(cursor: Any) -> tuple[str, ...]:
            cursor.execute(_SQL["wait_for_lock"], {"key": lock_key("")})
            return create_missing(cursor) + self.ledger.migrate(cursor)

        return self._session.run(work, final=True)

    def add_demo(self) -> bool:
        """Put the exam DEMO-EXAM in, with some weeks of responses; False if it is there."""
        with self._session.exam_lock(DEMO_EXAM, needs=OWNING):
            demo = DemoTables.make()
            if demo.stands_in(self):
                return False
            self._session.run(lambda cursor: insert_demo(cursor, demo), final=True)
            return True

    def check(self) -> list[Finding]:
        """What is missing or odd."""
        tables, hindrances = self._session.run(look_at_tables)

        def ask(question: str) -> list[tuple[Any, ...]]:
            def work(cursor: Any) -> list[tuple[Any, ...]]:
                cursor.execute(_QUESTIONS.get(question) or _SQL[question])
                return list(cursor.fetchall())

            return self._session.run(work)

        lack = self.ledger.state().lack
        return Inspection(tables, ask, self.load_pool, lack, hindrances).findings()

    def close(self) -> None:
        """Give the connection back; safe to call twice."""
        self._session.close()
