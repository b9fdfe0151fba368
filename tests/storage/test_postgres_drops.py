"""Connections that break, at every moment of a run, on a real server."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, closing
from types import SimpleNamespace

import numpy as np
import pytest
from storage.cutting_proxy import cutting_proxy
from storage.databases import connect, execute, pool_of, query
from storage.waiting import wait_until, waiting

from shsim.errors import DatabaseError, UnsettledError
from shsim.storage.base import SaveOutcome, Store
from shsim.storage.exam_waiting import Patience
from shsim.storage.open import open_store

K = np.array([0.1, 0.2, 0.3])
SAVED = [(0.1,), (0.2,), (0.3,)]
ALL_K = "SELECT sh_p FROM item_exposure_control ORDER BY question_id"


def kill_sessions(dsn: str, application: str) -> int:
    killed = query(
        dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608
        f" WHERE application_name = '{application}' AND datname = current_database()",
    )
    return len(killed)


def test_a_session_killed_between_load_and_save_is_made_anew(
    filled_postgres: Store, filled_dsn: str
) -> None:
    with filled_postgres.exam_lock("E"):
        pool = filled_postgres.load_pool("E")
        assert kill_sessions(filled_dsn, "first") == 1
        assert filled_postgres.save_k(pool, K) == SaveOutcome(3, 0)
        with closing(open_store(filled_dsn)) as other, pytest.raises(DatabaseError):
            other.save_k(pool, K)
    assert query(filled_dsn, ALL_K) == SAVED


def test_an_edit_while_the_session_was_gone_is_seen(
    filled_postgres: Store, filled_dsn: str
) -> None:
    with filled_postgres.exam_lock("E"):
        pool = filled_postgres.load_pool("E")
        kill_sessions(filled_dsn, "first")
        execute(filled_dsn, "UPDATE item_calibration SET a = 1.5 WHERE question_id = 11")
        with pytest.raises(DatabaseError, match=r"a was 1\.2 and is 1\.5"):
            filled_postgres.save_k(pool, K)


def test_a_run_that_took_the_lock_while_the_session_was_gone_is_named(
    filled_postgres: Store, filled_dsn: str
) -> None:
    with filled_postgres.exam_lock("E"):
        pool = filled_postgres.load_pool("E")
        kill_sessions(filled_dsn, "first")
        with closing(open_store(filled_dsn, application_name="second")) as other:
            wait_until(lambda: not query(filled_dsn, "SELECT 1 FROM pg_locks"
                                         " WHERE locktype = 'advisory'"))  # fmt: skip
            with (
                other.exam_lock("E"),
                pytest.raises(DatabaseError, match=r"is held by second \(process"),
            ):
                filled_postgres.save_k(pool, K)


def test_a_session_killed_during_the_save_begins_anew(
    filled_postgres: Store, filled_dsn: str
) -> None:
    pool = filled_postgres.load_pool("E")
    outcomes: list[SaveOutcome] = []
    with closing(connect(filled_dsn)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        saving = threading.Thread(target=lambda: outcomes.append(filled_postgres.save_k(pool, K)))
        saving.start()
        wait_until(lambda: waiting(filled_dsn, "first"))
        kill_sessions(filled_dsn, "first")
        blocker.rollback()
    saving.join(30)
    assert outcomes == [SaveOutcome(3, 0)]
    assert query(filled_dsn, ALL_K) == SAVED


@pytest.mark.parametrize("lose_answer", [True, False])
def test_a_commit_cut_off_is_settled(filled_dsn: str, *, lose_answer: bool) -> None:
    with cutting_proxy(filled_dsn) as (proxy, through), closing(open_store(through)) as store:
        pool = store.load_pool("E")
        with store.exam_lock("E"):
            proxy.cuts, proxy.lose_answer = 1, lose_answer
            assert store.save_k(pool, K) == SaveOutcome(3, 0)
        assert proxy.cuts == 0
        store.close()
    assert query(filled_dsn, ALL_K) == SAVED


@pytest.mark.parametrize("lose_answer", [True, False])
def test_an_import_cut_off_is_settled(postgres_dsn: str, *, lose_answer: bool) -> None:
    with cutting_proxy(postgres_dsn) as (proxy, through), closing(open_store(through)) as store:
        store.exams()
        with store.exam_lock("E"):
            proxy.cuts, proxy.lose_answer = 1, lose_answer
            assert store.import_pool(pool_of("E")) == SaveOutcome(3, 0)
            proxy.cuts = 1
            assert store.add_demo()
        store.close()
    with closing(open_store(postgres_dsn)) as store:
        assert store.exams() == {"DEMO-EXAM": 480, "E": 3}


def test_what_may_stand_is_not_said_to_be_none_where_another_run_came_next(
    filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_locks._RELOCK_ATTEMPTS", 1)
    with (
        cutting_proxy(filled_dsn) as (proxy, through),
        closing(open_store(through)) as store,
        closing(open_store(filled_dsn)) as other,
        ExitStack() as others,
    ):
        pool = store.load_pool("E")

        def meanwhile(_delay: float) -> None:
            others.enter_context(other.exam_lock("E", Patience(30, str)))

        with store.exam_lock("E"):
            proxy.cuts, proxy.lose_answer = 1, True
            clock = SimpleNamespace(monotonic=time.monotonic, sleep=meanwhile)
            monkeypatch.setattr("shsim.storage.postgres_session.time", clock)
            with pytest.raises(UnsettledError, match="all of that stands or nothing"):
                store.save_k(pool, K)
        store.close()
    assert query(filled_dsn, ALL_K) == SAVED


def test_a_connection_that_drops_for_good_is_an_error(
    filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_session.BACKOFF", (0.01, 0.02))
    with cutting_proxy(filled_dsn) as (proxy, through), closing(open_store(through)) as store:
        pool = store.load_pool("E")
        proxy.cuts = 99
        with pytest.raises(DatabaseError, match="dropped the connection") as raised:
            store.save_k(pool, K)
        assert not isinstance(raised.value, UnsettledError)  # nothing had been sent to be saved
        store.close()
    assert query(filled_dsn, ALL_K) == [(0.5,), (0.25,)]
