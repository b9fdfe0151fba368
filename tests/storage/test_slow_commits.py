"""A COMMIT that a standby keeps waiting, and a wire that breaks meanwhile."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import numpy as np
import pytest
from front_door import command
from pgbouncer_server import pgbouncer
from postgres_server import Server, own_server
from storage.cutting_proxy import cutting_proxy
from storage.databases import pool_of, query
from storage.hung_server import PATIENCE, hung
from storage.records import record
from storage.waiting import wait_until

from shsim.errors import UnsettledError
from shsim.storage.base import Store
from shsim.storage.open import open_store

RUNS = "SELECT id, command, outcome FROM shsim_run ORDER BY id"
HELD_UP = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
#: What a second try does: wait for the first, or (which is wrong) commit beside it.
WAITS = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' OR wait_event_type = 'Lock'"

Work = Callable[[Store], Any]


def saves(store: Store) -> int | None:
    pool = store.load_pool("E")
    return store.save_k(pool, np.full(len(pool), 0.125), record=record()).run


def rolls_back(store: Store) -> int | None:
    run = store.ledger.run(1)
    assert run is not None
    return store.restore_k(run, record=record(command="rollback")).run


def records(store: Store) -> int | None:
    return store.ledger.record(record(command="simulate", outcome="dry"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server(durable=True) as server:
        yield server


@pytest.fixture
def saved(server: Server) -> str:
    """A database in which run 1 has saved k of exam E."""
    dsn = server.create_database()
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
        pool = store.load_pool("E")
        store.save_k(pool, np.full(len(pool), 0.5), record=record())
    return dsn


@contextmanager
def slow_commits(server: Server) -> Iterator[Callable[[], None]]:
    """Every COMMIT waits for a standby that is not there; what is given lets them go."""

    def wait_for(standby: str) -> None:
        server.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'")
        server.execute("SELECT pg_reload_conf()")
        wait_until(lambda: query(server.dsn, "SHOW synchronous_standby_names") == [(standby,)])

    wait_for("nobody")
    try:
        yield lambda: wait_for("")
    finally:
        wait_for("")


def cut_at_commit(
    server: Server, dsn: str, work: Work, meanwhile: Callable[[Callable[[], None]], None]
) -> list[Any]:
    """Do `work`, cut its wire while it commits; what it gave, or its fault."""
    given: list[Any] = []

    def doing(store: Store) -> None:
        try:
            given.append(work(store))
        except Exception as fault:  # noqa: BLE001  it is what the test is about
            given.append(fault)

    with (
        cutting_proxy(dsn) as (proxy, through),
        closing(open_store(through)) as store,
        slow_commits(server) as let_go,
    ):
        thread = threading.Thread(target=doing, args=(store,))
        thread.start()
        wait_until(lambda: bool(query(server.dsn, HELD_UP)))
        proxy.cut()
        meanwhile(let_go)
        thread.join(60)
        store.close()
    return given


@pytest.fixture(params=["direct", "transaction", "session"])
def way(request: pytest.FixtureRequest, saved: str) -> Iterator[str]:
    """The way to the database, perhaps through PgBouncer in one of its modes."""
    with ExitStack() as stack:
        pooled = request.param != "direct"
        yield stack.enter_context(pgbouncer(saved, request.param)) if pooled else saved


@pytest.mark.parametrize(
    ("work", "command", "outcome"),
    [
        (saves, "calibrate", "saved"),
        (rolls_back, "rollback", "saved"),
        (records, "simulate", "dry"),
    ],
)
def test_a_commit_that_ends_after_the_wire_broke_is_done_once(
    server: Server, saved: str, way: str, work: Work, command: str, outcome: str
) -> None:
    def meanwhile(let_go: Callable[[], None]) -> None:
        if way != saved:  # else the former session is ended, with its COMMIT
            wait_until(lambda: len(query(server.dsn, WAITS)) > 1)
        let_go()

    assert cut_at_commit(server, way, work, meanwhile) == [2]
    assert query(saved, RUNS) == [(1, "calibrate", "saved"), (2, command, outcome)]


@pytest.mark.parametrize("work", [saves, records])
def test_a_commit_that_does_not_end_is_not_said_to_be_none(
    server: Server, saved: str, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_waiting._LOCK_TIMEOUT", "200ms")
    ended = threading.Event()

    def watched(store: Store) -> Any:
        try:
            return work(store)
        finally:
            ended.set()

    with pgbouncer(saved, "transaction") as way:
        (fault,) = cut_at_commit(server, way, watched, lambda _let_go: wait_until(ended.is_set))
    assert isinstance(fault, UnsettledError), fault
    assert "has not ended yet" in str(fault)
    assert "all of that stands or nothing" in str(fault)
    assert "Nothing was written" not in str(fault)
    assert len(query(saved, RUNS)) == 2


def test_an_interrupt_while_it_commits_says_what_may_stand(
    server: Server, saved: str, way: str
) -> None:
    with slow_commits(server):
        run = subprocess.Popen(
            command("rollback", "1", "--dsn", way), stderr=subprocess.PIPE, text=True
        )
        wait_until(lambda: bool(query(server.dsn, HELD_UP)))
        with hung(server):
            run.send_signal(signal.SIGINT)
            _, said = run.communicate(timeout=2 * PATIENCE)
    assert run.returncode == 130, said
    assert "interrupted; it was saving: all of that stands or nothing. See which with" in said
    assert "nothing was saved" not in said
