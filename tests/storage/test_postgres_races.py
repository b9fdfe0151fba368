"""Two at once: exams, processes and programs that write the same rows."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import closing

import numpy as np
import pytest
from storage.databases import connect, execute, item_rows, pool_of, query
from storage.records import record
from storage.waiting import wait_until, waiting

from shsim.errors import DatabaseError
from shsim.storage.base import SaveOutcome, Store
from shsim.storage.open import open_store
from shsim.storage.postgres import PostgresStore

K = np.array([0.1, 0.2, 0.3])
SAVED = [(0.1,), (0.2,), (0.3,)]
ALL_K = "SELECT sh_p FROM item_exposure_control ORDER BY question_id"


def test_two_exams_that_share_items_lose_no_update(filled_postgres: Store, filled_dsn: str) -> None:
    """Both loaded the same k; the one whose save comes second must find it changed."""
    filled_postgres.import_pool(pool_of("F"))
    execute(filled_dsn, "DELETE FROM item_exposure_control WHERE question_id = 11")
    stores = [open_store(filled_dsn, application_name=f"exam {exam}") for exam in "EF"]
    pools = [store.load_pool(exam) for store, exam in zip(stores, "EF", strict=True)]
    results: dict[int, SaveOutcome | DatabaseError] = {}

    def save(i: int) -> None:
        try:
            results[i] = stores[i].save_k(pools[i], K * (i + 1))
        except DatabaseError as error:
            results[i] = error

    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        threads = [threading.Thread(target=save, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(waiting(filled_dsn, f"exam {exam}") for exam in "EF"))
        blocker.rollback()
    for thread in threads:
        thread.join(30)
    for store in stores:
        store.close()
    (winner,) = [i for i, result in results.items() if isinstance(result, SaveOutcome)]
    assert "sh_p was absent and is" in str(results[1 - winner])
    assert query(filled_dsn, ALL_K) == [(value,) for value in (K * (winner + 1)).tolist()]


def test_a_row_that_another_program_is_inserting_is_never_overwritten(
    filled_postgres: Store, filled_dsn: str
) -> None:
    """It was absent when the save compared, and could not be locked."""
    pool = filled_postgres.load_pool("E")
    errors: list[DatabaseError] = []

    def save() -> None:
        try:
            filled_postgres.save_k(pool, K)
        except DatabaseError as error:
            errors.append(error)

    with closing(connect(filled_dsn)) as other:
        other.cursor().execute(
            "INSERT INTO item_exposure_control (question_id, version, sh_p) VALUES (12, 2, 0.9)"
        )
        saving = threading.Thread(target=save)
        saving.start()
        wait_until(lambda: waiting(filled_dsn, "first"))
        other.commit()
    saving.join(30)
    assert "item 12/2: sh_p was absent and is 0.9." in str(errors[0])
    assert query(filled_dsn, ALL_K) == [(0.5,), (0.9,), (0.25,)]


SAVER = """
import sys
import numpy as np
from shsim.errors import DatabaseError
from shsim.storage.open import open_store
from shsim.storage.postgres import PostgresStore
store = open_store(sys.argv[1], application_name="saver")
with store.exam_lock("E"):
    pool = store.load_pool("E")
    print("loaded", flush=True)
    sys.stdin.readline()
    store.save_k(pool, np.array([.1, .2, .3]))
"""


def saver(dsn: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SAVER, dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_on_the_exam_is_told_who_holds_it(dsn: str) -> None:
    with closing(open_store(dsn)) as store:
        store.import_pool(pool_of("E"))
        with saver(dsn) as first:
            assert first.stdout is not None
            assert first.stdin is not None
            first.stdout.readline()
            with pytest.raises(DatabaseError) as caught, store.exam_lock("E"):
                pass
            assert f"process {first.pid} " in str(caught.value) or "saver" in str(caught.value)
            assert "since 20" in str(caught.value)
            first.communicate("go\n", timeout=30)
        assert first.returncode == 0
        assert store.load_pool("E").k.tolist() == K.tolist()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_process_ended_while_its_save_waits_leaves_nothing(
    filled_dsn: str, ending: signal.Signals
) -> None:
    before = item_rows(filled_dsn)
    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        with saver(filled_dsn) as process:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            wait_until(lambda: waiting(filled_dsn, "saver"))
            process.send_signal(ending)
            _, said = process.communicate(timeout=10)
        # The blocker still holds its rows: the process has not waited for them.
        assert process.returncode != 0
        assert ("KeyboardInterrupt" in said) == (ending == signal.SIGINT)
    wait_until(lambda: not query(
        filled_dsn, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'saver'"
    ))  # fmt: skip
    assert item_rows(filled_dsn) == before


def test_an_exam_that_was_lost_unnoticed_is_not_saved(
    filled_postgres: Store, filled_dsn: str
) -> None:
    """Whoever resets a session lets its locks go, and the session doesn't know."""
    assert isinstance(filled_postgres, PostgresStore)
    before = item_rows(filled_dsn)
    reset = "SELECT pg_advisory_unlock_all()"
    with filled_postgres.exam_lock("E"):
        pool = filled_postgres.load_pool("E")
        filled_postgres._session.run(lambda cursor: cursor.execute(reset))
        with (
            closing(open_store(filled_dsn, application_name="second")) as other,
            other.exam_lock("E"),
            pytest.raises(DatabaseError, match=r"held by second \(process \d+ of the server"),
        ):
            filled_postgres.save_k(pool, K)
    assert item_rows(filled_dsn) == before


def test_a_ledger_that_somebody_holds_is_waited_for_and_then_given_up(
    filled_postgres: Store, filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_waiting._LOCK_TIMEOUT", "100ms")
    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("LOCK TABLE shsim_run IN SHARE MODE")
        with pytest.raises(DatabaseError, match="is busy: another session holds"):
            filled_postgres.ledger.record(record())
    assert filled_postgres.ledger.record(record()) > 0


def test_a_stuck_holder_of_rows_is_waited_for_and_then_named(
    filled_postgres: Store, filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_waiting._LOCK_TIMEOUT", "100ms")
    pool = filled_postgres.load_pool("E")
    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        for save in (
            lambda: filled_postgres.save_k(pool, K),
            lambda: filled_postgres.import_pool(pool.with_k(K)),
        ):
            with pytest.raises(DatabaseError, match="session holds rows of the exam locked"):
                save()
    assert filled_postgres.save_k(pool, K) == SaveOutcome(3, 0)
