"""Every session locks and inserts rows in one order, so that no two wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import numpy as np
import psycopg2
import pytest
from storage.databases import connect, execute, query
from storage.exams import published
from storage.records import record
from storage.waiting import wait_until, waiting

from shsim.storage.base import Store
from shsim.storage.open import open_store

Work = Callable[[Store], object]

#: What is in the way of a save, and what it has come past and is yet to come to.
BLOCKED, PAST, TO_COME = 30, range(1, 30), range(31, 41)


def save(store: Store) -> object:
    pool = store.load_pool("E")
    return store.save_k(pool, np.full(len(pool), 0.25))


def roll_back(store: Store) -> object:
    run = store.ledger.run(1)
    assert run is not None
    return store.restore_k(run, force=True)


def lay_from_last_to_first(dsn: str, table: str) -> None:
    """Rows in the file in the order that no save may take them in."""
    execute(
        dsn,
        f"CREATE TABLE kept AS SELECT * FROM {table}; DELETE FROM {table};"  # noqa: S608
        f" INSERT INTO {table} SELECT * FROM kept ORDER BY question_id DESC; DROP TABLE kept;"
        f" ANALYZE {table}",
    )


@pytest.fixture
def exam(postgres_dsn: str) -> str:
    """Exam E of forty items with a run on record, all of it in the file the wrong way round."""
    published(postgres_dsn, "E", range(1, 41))
    with closing(open_store(postgres_dsn)) as store:
        pool = store.load_pool("E")
        store.save_k(pool, np.full(len(pool), 0.5), record=record())
    for table in ("shsim_run_item", "item_exposure_control"):
        lay_from_last_to_first(postgres_dsn, table)
    return postgres_dsn


@contextmanager
def kept_waiting(dsn: str, work: Work, obstacle: str) -> Iterator[None]:
    """The work in a thread, until the block ends: it waits for a row of another session's."""
    failed: list[Exception] = []

    def attempt() -> None:
        try:
            with closing(open_store(dsn, application_name="saver")) as store:
                work(store)
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    saving = threading.Thread(target=attempt)
    with closing(connect(dsn)) as blocker:
        blocker.cursor().execute(obstacle)
        saving.start()
        try:
            wait_until(lambda: waiting(dsn, "saver"))
            yield
        finally:
            blocker.rollback()
            saving.join(60)
    assert failed == []


@pytest.mark.parametrize("work", [save, roll_back])
def test_of_the_rows_to_lock_a_save_holds_none_after_the_one_that_it_waits_for(
    exam: str, work: Work
) -> None:
    rows = "SELECT question_id FROM item_exposure_control"
    with kept_waiting(exam, work, f"{rows} WHERE question_id = {BLOCKED} FOR UPDATE"):
        free = query(exam, f"{rows} ORDER BY 1 FOR UPDATE SKIP LOCKED")
    assert free == [(number,) for number in TO_COME]


@pytest.mark.parametrize("work", [save, roll_back])
def test_of_the_rows_to_insert_a_save_has_inserted_none_after_the_one_that_it_waits_for(
    exam: str, work: Work
) -> None:
    execute(exam, "DELETE FROM item_exposure_control")
    insert = "INSERT INTO item_exposure_control (question_id, version, sh_p) VALUES "
    with kept_waiting(exam, work, f"{insert} ({BLOCKED}, 1, 0.9)"), closing(connect(exam)) as other:
        cursor = other.cursor()
        cursor.execute("SET lock_timeout = '300ms'")
        other.commit()
        cursor.execute(insert + ", ".join(f"({number}, 1, 0.9)" for number in TO_COME))
        other.rollback()
        for number in (PAST[0], PAST[-1]):
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                cursor.execute(f"{insert} ({number}, 1, 0.9)")
            other.rollback()
