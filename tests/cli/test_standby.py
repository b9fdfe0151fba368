"""On a hot standby, a real one that streams, whatever only reads works; the rest names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from front_door import QUICK, QUICK_CALIBRATION, Run
from postgres_server import Server, own_server, standby_of
from psycopg2.extensions import make_dsn, parse_dsn
from storage.databases import item_rows, query
from storage.waiting import wait_until

from shsim.storage.open import open_store

EXAM = ("--exam", "DEMO-EXAM")
CALIBRATION = ("calibrate", *EXAM, *QUICK_CALIBRATION)
SIMULATION = ("simulate", *EXAM, *QUICK)
READING = (
    SIMULATION, (*SIMULATION, "--dry-run"), ("simulate", *EXAM, "--method", "exact"),
    ("sweep", *EXAM, "--tau", "0.5", "--len", "5"), ("trace", *EXAM, "--len", "5", "--seed", "1"),
    ("audit", *EXAM), ("export", *EXAM), ("history",), ("show", "1"), ("diff", "1", "2"),
    (*CALIBRATION, "--dry-run"), ("calibrate", "--from-run", "1", "--dry-run"),
    ("rollback", "2", "--dry-run"), ("import", "POOL", *EXAM, "--dry-run"),
)  # fmt: skip
WRITING = (
    CALIBRATION, ("calibrate", "--from-run", "1"), ("rollback", "2"), ("import", "POOL", *EXAM),
)  # fmt: skip
CHECKING = (("db", "check"), ("doctor",))
RUNS = "SELECT count(*) FROM shsim_run"


@pytest.fixture
def primary() -> Iterator[Server]:
    with own_server() as server:
        yield server


def test_all_that_reads_works_and_what_writes_names_the_replica(
    here: Run, primary: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = primary.create_database()
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.add_demo()
    monkeypatch.setenv("SHSIM_DSN", dsn)
    for seed in ("1", "2"):
        assert here(*CALIBRATION, "--seed", seed).code == 0
    pool = str(tmp_path / "pool.csv")
    assert here("export", *EXAM, "--output", pool).code == 0
    with standby_of(primary) as standby:
        there = make_dsn(standby.dsn, dbname=parse_dsn(dsn)["dbname"])
        assert query(there, "SELECT pg_is_in_recovery()") == [(True,)]
        assert here(*SIMULATION).code == 0
        wait_until(lambda: query(there, RUNS) == [(3,)])  # it streams
        monkeypatch.setenv("SHSIM_DSN", there)
        before = item_rows(there)
        for words in READING:
            ended = here(*(pool if word == "POOL" else word for word in words))
            assert ended.code == 0, (words, ended.err)
        assert "this run is not recorded: the database is read-only" in here(*SIMULATION).err
        for words in WRITING:
            typed = [pool if word == "POOL" else word for word in words]
            ended = here(*typed, "--log-format", "json")
            assert (ended.code, ended.out) == (4, ""), words
            events = [json.loads(line) for line in ended.err.splitlines()]
            said = "is read-only (a replica?). Nothing was written. Give the primary's address."
            assert said in next(each for each in events if each["event"] == "error")["message"]
            assert not {"stage", "iteration"} & {each["event"] for each in events}
        for words in CHECKING:
            ended = here(*words)
            assert ended.code == 4, words
            assert "is read-only (a replica?): simulate, sweep and audit work" in " ".join(
                ended.out.split()
            )
        assert (query(there, RUNS), item_rows(there)) == ([(3,)], before)
