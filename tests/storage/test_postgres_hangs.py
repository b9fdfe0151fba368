"""A PostgreSQL that takes too long, or says nothing any more, for those who don't wait for it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from children import children_of
from postgres_server import own_server
from storage.databases import query

from shsim.errors import DatabaseError
from shsim.storage.dsn import Dsn
from shsim.storage.postgres_session import Session

#: Seconds after which a server goes on by itself, and a test has failed.
PATIENCE = 20


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


def test_a_server_that_hangs_holds_nobody_else_up() -> None:
    with own_server() as server:
        assert server._process is not None
        its = session(server.dsn, 0.3)
        its._within = None
        its.run(asks("SELECT 1"))
        its._within = 0.3
        hung = [server._process.pid, *children_of(server._process.pid)]
        for pid in hung:
            os.kill(pid, signal.SIGSTOP)
        # Not a thread: where the lock of the interpreter is held, none of ours runs.
        going_on = f"sleep {PATIENCE}; kill -CONT {' '.join(map(str, hung))}"
        rescue = subprocess.Popen(["sh", "-c", going_on])
        begun = time.monotonic()
        try:
            with pytest.raises(DatabaseError, match="does not answer"):
                its.run(asks("SELECT 1"))
            while time.monotonic() < begun + 1:
                time.sleep(0.05)  # while the server is asked to end it
            assert time.monotonic() < begun + PATIENCE / 2
        finally:
            rescue.kill()
            rescue.wait()
            for pid in hung:
                os.kill(pid, signal.SIGCONT)
        its._within = None
        its.run(asks("SELECT 1"))
        its.close()
