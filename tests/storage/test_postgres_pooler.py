"""The exam's lock behind a pooler that gives every transaction another connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from pgbouncer_server import pgbouncer
from storage.databases import connect, execute, pool_of, query
from storage.waiting import wait_until

from shsim.errors import DatabaseError, RefusedError
from shsim.storage.base import SaveOutcome, Store
from shsim.storage.open import open_store

K = np.array([0.1, 0.2, 0.3])
SAVED = [(0.1,), (0.2,), (0.3,)]
ALL_K = "SELECT sh_p FROM item_exposure_control ORDER BY question_id"
LOCKS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture(params=["transaction", "session"])
def through(request: pytest.FixtureRequest, filled_dsn: str) -> Iterator[str]:
    """The way to exam E that leads through PgBouncer."""
    with pgbouncer(filled_dsn, request.param) as dsn:
        yield dsn


@pytest.fixture
def pooled(through: str) -> Iterator[Store]:
    with closing(open_store(through, application_name="pooled")) as store:
        yield store


def shuffle(dsn: str) -> None:
    """Make other clients come and go, so that the pool's connections change hands."""
    others = [connect(dsn) for _ in range(4)]
    for other in others:
        other.cursor().execute("SELECT 1")
    for other in others:
        other.rollback()
        other.close()


def test_the_lock_is_kept_from_load_to_save(pooled: Store, through: str, filled_dsn: str) -> None:
    with pooled.exam_lock("E"):
        pool = pooled.load_pool("E")
        shuffle(through)
        for dsn in (through, filled_dsn):
            with (
                closing(open_store(dsn)) as other,
                pytest.raises(RefusedError, match=r"E is in use: .* held by pooled \(process \d+ "),
                other.exam_lock("E"),
            ):
                pass
        shuffle(through)
        assert pooled.save_k(pool, K) == SaveOutcome(3, 0)
        assert len(query(filled_dsn, LOCKS)) == 1
    wait_until(lambda: not query(filled_dsn, LOCKS))
    assert query(filled_dsn, ALL_K) == SAVED
    with closing(open_store(filled_dsn)) as other, other.exam_lock("E"):
        pass


def test_a_direct_run_keeps_a_pooled_one_out(
    filled_postgres: Store, pooled: Store, filled_dsn: str
) -> None:
    pool = pooled.load_pool("E")
    with filled_postgres.exam_lock("E"), pytest.raises(RefusedError, match="held by first"):
        pooled.save_k(pool, K)
    since = "held by .*, in a transaction since 20"
    with pooled.exam_lock("E"), pytest.raises(RefusedError, match=since):
        filled_postgres.save_k(pool, K)
    assert query(filled_dsn, ALL_K) == [(0.5,), (0.25,)]


def test_what_holds_the_lock_holds_nothing_else_and_is_not_timed_out(
    pooled: Store, filled_dsn: str
) -> None:
    """Neither a snapshot, which would keep rows from being vacuumed, nor any table."""
    name = query(filled_dsn, "SELECT current_database()")[0][0]
    execute(filled_dsn, f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '250ms'")
    with pooled.exam_lock("E"):
        ((holder,),) = query(filled_dsn, LOCKS)
        state = (
            "SELECT state, backend_xmin, backend_xid, now() - state_change > interval '300 ms'"  # noqa: S608
            f" FROM pg_stat_activity WHERE pid = {holder}"
        )
        wait_until(lambda: query(filled_dsn, state)[0][3])
        assert query(filled_dsn, state) == [("idle in transaction", None, None, True)]
        kinds = f"SELECT DISTINCT locktype FROM pg_locks WHERE pid = {holder} ORDER BY 1"  # noqa: S608
        assert query(filled_dsn, kinds) == [("advisory",), ("virtualxid",)]


def test_a_lock_that_was_lost_is_taken_again(pooled: Store, filled_dsn: str) -> None:
    with pooled.exam_lock("E"):
        pool = pooled.load_pool("E")
        ((holder,),) = query(filled_dsn, LOCKS)
        query(filled_dsn, f"SELECT pg_terminate_backend({holder})")
        wait_until(lambda: not query(filled_dsn, LOCKS))
        pooled.save_k(pool, K)
        assert len(query(filled_dsn, LOCKS)) == 1
    assert query(filled_dsn, ALL_K) == SAVED


def test_a_working_connection_that_was_lost_is_made_anew(pooled: Store, filled_dsn: str) -> None:
    with pooled.exam_lock("E"):
        pool = pooled.load_pool("E")
        query(
            filled_dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
            " AND datname = current_database() AND pid <> pg_backend_pid()",
        )
        pooled.save_k(pool, K)
    wait_until(lambda: not query(filled_dsn, LOCKS))
    assert query(filled_dsn, ALL_K) == SAVED


def test_several_exams_are_held_by_one_connection(pooled: Store, filled_dsn: str) -> None:
    with pooled.exam_lock("E"), pooled.exam_lock("F"):
        assert len(query(filled_dsn, f"SELECT DISTINCT pid FROM ({LOCKS}) locks")) == 1  # noqa: S608
        assert len(query(filled_dsn, LOCKS)) == 2
    wait_until(lambda: not query(filled_dsn, LOCKS))


def test_a_run_that_took_the_lock_meanwhile_is_named(
    pooled: Store, filled_postgres: Store, filled_dsn: str
) -> None:
    with pooled.exam_lock("E"):
        pool = pooled.load_pool("E")
        ((holder,),) = query(filled_dsn, LOCKS)
        query(filled_dsn, f"SELECT pg_terminate_backend({holder})")
        wait_until(lambda: not query(filled_dsn, LOCKS))
        with filled_postgres.exam_lock("E"), pytest.raises(RefusedError, match="held by first"):
            pooled.save_k(pool, K)
    assert query(filled_dsn, ALL_K) == [(0.5,), (0.25,)]


def test_importing_works_as_well(pooled: Store) -> None:
    assert pooled.import_pool(pool_of("F")).changed == 3
    assert pooled.exams() == {"E": 3, "F": 3}


def test_a_pool_of_one_connection_is_an_error_that_says_so(
    filled_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_session.BACKOFF", (0.01,))
    with (
        pgbouncer(filled_dsn, "transaction", default_pool_size="1", query_wait_timeout="1") as dsn,
        closing(open_store(dsn)) as store,
        pytest.raises(DatabaseError, match=r"A pooler .* a run that saves takes two \(pool_size"),
        store.exam_lock("E"),
    ):
        store.load_pool("E")


def test_without_a_pooler_there_is_one_connection(filled_postgres: Store, filled_dsn: str) -> None:
    with filled_postgres.exam_lock("E"):
        filled_postgres.load_pool("E")
        ours = "SELECT pid FROM pg_stat_activity WHERE application_name = 'first'"
        assert query(filled_dsn, ours) == query(filled_dsn, LOCKS)
