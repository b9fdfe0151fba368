"""The QBank tables in a SQLite file, behind the Store protocol."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from shsim.arrays import FloatArray
from shsim.model.audit import LiveCounts
from shsim.model.item_exposure import ItemPage
from shsim.model.item_pool import ItemPool
from shsim.model.run_record import RecordedRun, RunRecord
from shsim.storage.base import Finding, ImportPlan, SaveOutcome
from shsim.storage.changes import refuse_changes
from shsim.storage.demo import DEMO_EXAM, DemoTables
from shsim.storage.driver_errors import read_only
from shsim.storage.dsn import Dsn
from shsim.storage.exam_lock_file import lock_path, locked
from shsim.storage.exam_names import no_item, no_items, require_spelling
from shsim.storage.exam_waiting import Patience
from shsim.storage.import_rows import import_rows
from shsim.storage.inspection import Inspection, TableState
from shsim.storage.interrupt import attempt
from shsim.storage.ledger import Ledger
from shsim.storage.needs import Needs
from shsim.storage.saved_k import count_imported, refuse_unimported, refuse_unsaved
from shsim.storage.sqlite_damage import refuse_damage
from shsim.storage.sqlite_rows import (
    read_import_plan,
    read_items,
    read_live,
    read_pool,
    read_publishers,
    stage_pool,
)
from shsim.storage.sqlite_session import SqliteSession
from shsim.storage.statements import statements
from shsim.storage.tables import TABLES
from shsim.storage.unsaveable import file_hindrances

_SQL = statements("sqlite")
_QUESTIONS = statements("questions")


class SqliteStore:
    """A SQLite file with the QBank tables; see :class:`shsim.storage.base.Store`.

    Parameters
    ----------
    dsn
        The file; it is opened on first use, and made by `create_tables` alone.
    read_only
        Nothing is written, not even beside the file.
    """

    def __init__(self, dsn: Dsn, *, read_only: bool) -> None:
        self._dsn = dsn
        self._session = SqliteSession(dsn, read_only=read_only)
        self._locked: set[str] = set()
        self._ledger = Ledger(
            "sqlite",
            dsn.label,
            dsn.scrub,
            lambda work, *, write=False: self._session.run(
                lambda db: work(db.cursor()), write=write
            ),
            closed=lambda: bool(file_hindrances(dsn.path.resolve())),
        )

    @property
    def label(self) -> str:
        """The database as people name it."""
        return self._dsn.label

    @property
    def ledger(self) -> Ledger:
        """The runs on record."""
        return self._ledger

    def require_tables(self) -> None:
        """Raise where a table that runs need is missing or may not be read."""
        self._session.run(lambda db: db.execute(_QUESTIONS["touch_tables"]).fetchone())

    def require_privileges(self, needs: Needs) -> None:
        """Nothing: a file knows no roles, and :meth:`exam_lock` sees whether it can be written."""

    def exams(self) -> dict[str, int]:
        """Exam codes and how many items each publishes, by code."""
        return self._session.run(lambda db: dict(db.execute(_QUESTIONS["exams"]).fetchall()))

    def load_pool(self, exam: str) -> ItemPool:
        """The exam's live, published items; refuses an unknown exam, naming those there are."""
        require_spelling(exam)
        columns = self._session.run(lambda db: read_pool(db, exam))
        if not len(columns["question_id"]):
            raise no_items(exam, self.label, self.exams())
        return ItemPool.build(exam, columns)

    def shared_exams(self, exam: str) -> dict[str, int]:
        """Other exams that publish items of this one, with the number of such items."""
        require_spelling(exam)
        return self._session.run(
            lambda db: dict(db.execute(_SQL["shared_exams"], {"exam": exam}).fetchall())
        )

    def exposure_items(
        self, exam: str | None, since: datetime, *, limit: int, offset: int = 0
    ) -> ItemPage:
        """Live, published items of one exam or of all, with their attempts since a moment."""
        if exam is not None:
            require_spelling(exam)
        page = self._session.run(lambda db: read_items(db, exam, since, (limit, offset)))
        if exam is not None and not page.total and exam not in (exams := self.exams()):
            raise no_items(exam, self.label, exams)
        return page

    def publishing_exams(self, question_id: int, version: int) -> tuple[str, ...]:
        """Exams that publish this version of a question; refuses one that is not there."""
        rows = self._session.run(lambda db: read_publishers(db, question_id, version))
        if not rows:
            raise no_item(question_id, version, self.label)
        return tuple(exam for (exam,) in rows if exam is not None)

    def live_counts(self, exam: str, since: datetime, until: datetime) -> LiveCounts:
        """Attempts from `since` to before `until`, whichever exam's they are."""
        require_spelling(exam)
        return self._session.run(lambda db: read_live(db, exam, since, until))

    @contextmanager
    def exam_lock(self, exam: str, patience: Patience | None = None) -> Iterator[None]:
        """A lock file beside the database, held for a whole run; a second one waits or is told."""
        require_spelling(exam)
        if exam in self._locked:
            yield
            return
        database = self._dsn.path.resolve()
        if not database.exists():
            raise self._session.missing()
        if not os.access(database, os.W_OK):
            raise read_only(self._dsn)
        with locked(lock_path(database, exam), exam, self.label, patience):
            self._locked.add(exam)
            try:
                yield
            finally:
                self._locked.discard(exam)

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

        def stage(db: sqlite3.Connection) -> None:
            if not force:
                refuse_changes(pool, read_pool(db, pool.name))
            rows = zip(pool.question_id.tolist(), pool.version.tolist(), k.tolist(), strict=True)
            db.executemany(_SQL["copy_k"], rows)

        return self._write_k(pool.name, stage, record)

    def save_item(
        self, exam: str, item: tuple[int, int], sh_p: float, *, record: RunRecord | None = None
    ) -> SaveOutcome:
        """Write the k of one item, in one transaction with its record."""

        def stage(db: sqlite3.Connection) -> None:
            if not read_publishers(db, *item):
                raise no_item(*item, self.label)
            db.execute(_SQL["copy_k"], (*item, sh_p))

        return self._write_k(exam, stage, record)

    def restore_k(
        self, run: RecordedRun, *, force: bool = False, record: RunRecord | None = None
    ) -> SaveOutcome:
        """Write the k before a saved run for all its items, in one transaction."""

        def stage(db: sqlite3.Connection) -> None:
            cursor = db.cursor()
            if not force:
                self.ledger.refuse_moved_on(cursor, run.run)
            self.ledger.stage_rollback(cursor, run.run)

        return self._write_k(run.exam, stage, record)

    def record_aside(self, record: RunRecord, patience: float) -> None:
        """Record a run that ended badly, on a connection of its own; never fails, nor lasts."""
        if self._session.broken:
            return

        def work() -> None:
            store = SqliteStore(self._dsn, read_only=False)
            store.ledger.record(record)
            store.close()

        attempt(work, patience)

    def _write_k(
        self, exam: str, stage: Callable[[sqlite3.Connection], None], record: RunRecord | None
    ) -> SaveOutcome:
        """Write the k that `stage` checks and puts into `shsim_k`, and record it with them."""

        def work(db: sqlite3.Connection) -> SaveOutcome:
            db.execute(_SQL["stage_k"])
            stage(db)
            size = int(db.execute("SELECT count(*) FROM shsim_k").fetchone()[0])
            cursor, run, sums = db.cursor(), None, None
            if record is not None:
                run = self.ledger.insert_run(cursor, record)
                sums = self.ledger.insert_items(cursor, run)
            changed = db.execute(_SQL["upsert_k"]).rowcount
            refuse_unsaved(cursor, self.label)
            if record is not None and run is not None:
                self.ledger.refuse_altered(cursor, run, record, sums)
            db.execute("DROP TABLE shsim_k")
            return SaveOutcome(changed=changed, unchanged=size - changed, run=run)

        with self.exam_lock(exam):
            return self._session.run(work, write=True)

    def plan_import(self, pool: ItemPool) -> ImportPlan:
        """What `import_pool` would do as things stand; nothing is written, nor locked."""
        require_spelling(pool.name)
        return self._session.run(lambda db: read_import_plan(db, pool))

    def import_pool(self, pool: ItemPool, patience: Patience | None = None) -> SaveOutcome:
        """Publish the pool's items under the exam `pool.name`, in one transaction.

        Items that the exam publishes beside them stay as they are; a missing topic,
        calibration or k leaves what the database has.
        """
        rows = import_rows(pool)
        exam = {"exam": pool.name}

        def work(db: sqlite3.Connection) -> SaveOutcome:
            stage_pool(db, rows)
            unchanged = count_imported(db.cursor(), _SQL, pool)
            for step in ("versions", "publications", "calibrations", "k"):
                db.execute(_SQL[f"import_{step}"], exam)
            refuse_unimported(db.cursor(), _SQL, pool, self.label)
            db.execute("DROP TABLE shsim_pool")
            return SaveOutcome(changed=len(pool) - unchanged, unchanged=unchanged)

        with self.exam_lock(pool.name, patience):
            return self._session.run(work, write=True)

    def create_tables(self) -> tuple[str, ...]:
        """Make the file, and what is missing of the QBank tables and the ledger; its names."""

        def work(db: sqlite3.Connection) -> tuple[str, ...]:
            made = tuple(table for table in TABLES if not _columns(db, table))
            for table in made:
                for statement in statements("sqlite_tables")[table].split(";"):
                    db.execute(statement)
            return made + self.ledger.migrate(db.cursor())

        return self._session.run(work, write=True, create=True)

    def add_demo(self) -> bool:
        """Put the exam DEMO-EXAM in, with some weeks of responses; False if it is there."""
        demo = DemoTables.make()

        def work(db: sqlite3.Connection) -> None:
            for table, rows in demo.rows():
                marks = ", ".join("?" * len(TABLES[table]))
                columns = ", ".join(TABLES[table])
                db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608  our own names

        with self.exam_lock(DEMO_EXAM):
            if demo.stands_in(self):
                return False
            self._session.run(work, write=True)
            return True

    def check(self) -> list[Finding]:
        """What is missing or odd; raises where the file is damaged."""
        self._session.run(refuse_damage)
        tables = self._session.run(
            lambda db: {table: TableState(_columns(db, table)) for table in TABLES}
        )

        def ask(question: str) -> list[tuple[Any, ...]]:
            statement = _QUESTIONS.get(question) or _SQL[question]
            return self._session.run(lambda db: db.execute(statement).fetchall())

        lack, hindrances = self.ledger.state().lack, file_hindrances(self._dsn.path.resolve())
        return Inspection(tables, ask, self.load_pool, lack, hindrances).findings()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._session.close()


def _columns(db: sqlite3.Connection, table: str) -> frozenset[str]:
    return frozenset(name for (name,) in db.execute(_SQL["columns"], {"table": table}))
