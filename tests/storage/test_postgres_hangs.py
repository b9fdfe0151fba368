"""A PostgreSQL that takes too long, or says nothing any more, for those who don't wait for it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import psycopg2
import pytest
from front_door import command
from pgbouncer_server import pgbouncer
from postgres_server import Server, own_server
from psycopg2.extensions import make_dsn, parse_dsn
from storage.databases import connect, pool_of, query
from storage.hung_server import PATIENCE, hung
from storage.records import record
from storage.waiting import wait_until, waiting

from shsim.errors import DatabaseError
from shsim.storage.dsn import Dsn
from shsim.storage.open import open_store
from shsim.storage.postgres_cancel import _libpq
from shsim.storage.postgres_session import Session


def session(dsn: str, within: float) -> Session:
    return Session(Dsn.parse(dsn), read_only=True, application_name="hangs", within=within)


def asks(statement: str) -> Callable[[Any], None]:
    def work(cursor: Any) -> None:
        cursor.execute(statement)

    return work


def test_a_query_that_takes_too_long_is_ended(postgres_dsn: str) -> None:
    its = session(postgres_dsn, 0.3)
    with pytest.raises(DatabaseError, match=r"does not answer: 0\.3 s were not enough"):
        its.run(asks(f"SELECT pg_sleep({3 * PATIENCE})"))
    deadline = time.monotonic() + PATIENCE
    while query(postgres_dsn, "SELECT 1 FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'"):
        assert time.monotonic() < deadline
    its._within = None
    its.run(asks("SELECT 1"))  # by another connection
    its.close()


def test_a_query_is_ended_where_no_connection_is_free(postgres_dsn: str) -> None:
    its = session(postgres_dsn, 0.3)
    its._within = None
    its.run(asks("SELECT 1"))
    its._within = 0.3

    def refused() -> Any:
        raise psycopg2.OperationalError("sorry, too many clients already")

    its._connect = refused  # type: ignore[method-assign]
    with pytest.raises(DatabaseError, match="does not answer"):
        its.run(asks(f"SELECT pg_sleep({3 * PATIENCE})"))
    deadline = time.monotonic() + PATIENCE
    while query(postgres_dsn, "SELECT 1 FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'"):
        assert time.monotonic() < deadline
    its.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as server:
        yield server


@pytest.fixture(params=["direct", "transaction", "session"])
def way(request: pytest.FixtureRequest, server: Server) -> Iterator[str]:
    """The way to a database of `server`'s, perhaps through PgBouncer in one of its modes."""
    dsn = server.create_database()
    with ExitStack() as stack:
        pooled = request.param != "direct"
        yield stack.enter_context(pgbouncer(dsn, request.param)) if pooled else dsn


def test_a_server_that_hangs_holds_nobody_else_up(server: Server, way: str) -> None:
    its = session(way, 0.3)
    its._within = None
    its.run(asks("SELECT 1"))
    its._within = 0.3
    with hung(server):
        with pytest.raises(DatabaseError, match="does not answer"):
            its.run(asks("SELECT 1"))
        begun = time.monotonic()
        while time.monotonic() < begun + 1:
            time.sleep(0.05)  # while the server is asked to end it
    its._within = None
    its.run(asks("SELECT 1"))
    its.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_ends_when_told_to_whatever_the_server_does(
    server: Server, way: str, number: signal.Signals
) -> None:
    with closing(open_store(way)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
        pool = store.load_pool("E")
        store.save_k(pool, np.full(len(pool), 0.5), record=record())
    dsn = make_dsn(server.dsn, dbname=parse_dsn(way)["dbname"])
    with closing(connect(dsn)) as other:
        other.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        run = subprocess.Popen(
            command("rollback", "1", "--dsn", way), stderr=subprocess.PIPE, text=True
        )
        wait_until(lambda: waiting(dsn, "shsim"))
        with hung(server):
            run.send_signal(number)
            _, said = run.communicate(timeout=2 * PATIENCE)
    assert run.returncode == 130, said
    assert "interrupted; nothing was saved" in said, said
    assert query(dsn, "SELECT DISTINCT sh_p FROM item_exposure_control") == [(0.5,)]


def test_a_query_behind_a_pooler_is_ended_though_no_function_of_libpq_is_found(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_cancel._libpq", lambda: None)
    cancelled_behind_a_pooler(postgres_dsn)


def test_a_query_behind_a_pooler_is_ended(postgres_dsn: str) -> None:
    assert _libpq() is not None
    cancelled_behind_a_pooler(postgres_dsn)


def cancelled_behind_a_pooler(dsn: str) -> None:
    with pgbouncer(dsn, "transaction") as way, closing(session(way, 0.3)) as its:
        its._within = None
        its.run(asks("SELECT 1"))
        its._within = 0.3
        with pytest.raises(DatabaseError, match="does not answer"):
            its.run(asks(f"SELECT pg_sleep({3 * PATIENCE})"))
        asked = (
            "SELECT 1 FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep' AND state = 'active'"
        )
        wait_until(lambda: not query(dsn, asked))
