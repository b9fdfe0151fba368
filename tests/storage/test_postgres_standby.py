"""A COMMIT that stands here, and perhaps on no standby."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

import numpy as np
import psycopg2
import pytest
from postgres_server import own_server
from psycopg2.extensions import parse_dsn
from storage.databases import pool_of, query
from storage.records import record
from storage.waiting import wait_until

from shsim.errors import DatabaseError
from shsim.storage.dsn import Dsn
from shsim.storage.open import open_store
from shsim.storage.postgres_session import Session
from shsim.workflow.past_runs import rollback
from shsim.workflow.single_item import set_exposure
from shsim.workflow.watch import Silent

CANCEL = (
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE wait_event = 'SyncRep' AND application_name LIKE 'shsim%'"
)


T = TypeVar("T")


class Listening(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warned.append(sentence)


def test_a_cancelled_wait_for_a_standby_is_said_whatever_was_saved() -> None:
    with own_server(durable=True) as server:
        dsn = server.create_database()

        def cancelled(work: Callable[[], T]) -> T:
            cancel = threading.Thread(target=lambda: wait_until(lambda: bool(query(dsn, CANCEL))))
            cancel.start()
            value = work()
            cancel.join()
            return value

        with closing(open_store(dsn)) as store:
            store.create_tables()
            store.import_pool(pool_of("E"))
            pool = store.load_pool("E")
            k = np.full(len(pool), 0.5)
            assert store.save_k(pool, k).warning is None
            for chatty in ("log_statement = 'all'", "client_min_messages = 'debug1'"):
                server.execute(f"ALTER DATABASE {parse_dsn(dsn)['dbname']} SET {chatty}")
            with closing(open_store(dsn)) as told_what_is_logged:
                assert told_what_is_logged.save_k(pool, k, force=True).warning is None
            server.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            server.execute("SELECT pg_reload_conf()")
            entry = record()
            saved = cancelled(lambda: store.save_k(store.load_pool("E"), k / 2, record=entry))
            assert saved.changed == len(pool)
            assert query(dsn, "SELECT DISTINCT sh_p FROM item_exposure_control") == [(0.25,)]
            imported = cancelled(lambda: store.import_pool(pool_of("F")))
            watch = Listening()
            cancelled(lambda: set_exposure(store, 11, 1, 0.125, watch=watch))
            undone = cancelled(lambda: rollback(store, 1, force=True, watch=watch))
        said = [saved.warning, imported.warning, undone.warning, *watch.warned]
        assert len(said) == 5
        assert all("might not have been replicated to the standby" in str(each) for each in said)


@pytest.mark.parametrize(
    "said",
    [
        "canceling statement due to conflict with recovery",
        "terminating connection due to conflict with recovery",
    ],
)
def test_what_a_standby_cancels_is_not_laid_to_other_sessions(
    postgres_dsn: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_session.BACKOFF", (0.01,))
    raising = f"DO $$ BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = '40001'; END $$"
    with (
        closing(Session(Dsn.parse(postgres_dsn), read_only=True, application_name="x")) as session,
        pytest.raises(DatabaseError, match=said) as raised,
    ):
        session.run(lambda cursor: cursor.execute(raising))
    assert "other sessions" not in str(raised.value)
    assert "max_standby_streaming_delay" in str(raised.value)


def test_a_connection_that_a_standby_cancels_is_told_as_that(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancelled() -> None:
        raise psycopg2.OperationalError(
            "connection to server failed: FATAL:  canceling statement due to conflict with recovery"
        )

    its = Session(Dsn.parse(postgres_dsn), read_only=True, application_name="x")
    monkeypatch.setattr(its, "_connect", cancelled)
    with pytest.raises(DatabaseError, match=r"is a standby, .* max_standby_streaming_delay"):
        its.run(lambda cursor: cursor.execute("SELECT 1"))
