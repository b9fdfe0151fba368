"""Commands behind a real PgBouncer, in each of its modes."""

from __future__ import annotations

import pytest
from front_door import QUICK_CALIBRATION, Run
from pgbouncer_server import pgbouncer
from storage.databases import query

EXAM = ("--exam", "DEMO-EXAM")


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_everything_works_through_it(here: Run, postgres_demo_dsn: str, mode: str) -> None:
    with pgbouncer(postgres_demo_dsn, mode) as dsn:
        name = ("--dsn", dsn)
        ended = here("calibrate", *name, *EXAM, *QUICK_CALIBRATION, "--format", "csv")
        assert ended.code == 0, ended.err
        assert "Recorded as run 1" in ended.err
        assert here("history", *name).out.count("saved") == 1
        assert here("rollback", *name, "1").code == 0
        for command in (
            ("calibrate", *EXAM, *QUICK_CALIBRATION, "--dry-run"),
            ("simulate", *EXAM, "--n", "2000", "--seed", "1"),
            ("export", *EXAM),
            ("audit", *EXAM, "--since", "2020-01-01"),
            ("db", "check"),
            ("db", "init"),
        ):
            ended = here(*command, *name)
            assert ended.code == 0, ended.err
        outcomes = query(postgres_demo_dsn, "SELECT command, outcome FROM shsim_run ORDER BY id")
        assert outcomes == [("calibrate", "saved"), ("rollback", "saved"), ("simulate", "dry")]


@pytest.mark.parametrize("command", ["calibrate", "export", "simulate"])
def test_statement_mode_is_refused_and_named(
    here: Run, postgres_demo_dsn: str, command: str
) -> None:
    with pgbouncer(postgres_demo_dsn, "statement") as dsn:
        ended = here(command, *EXAM, "--quiet", "--dsn", dsn)
    assert ended.code == 4
    assert len(ended.err.splitlines()) == 1
    assert "is behind a pooler in statement mode, which has no transactions." in ended.err
    assert "pool_mode = transaction or session" in ended.err


def test_options_that_it_does_not_pass_on_are_an_error_with_a_remedy(
    here: Run, postgres_demo_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pgbouncer(postgres_demo_dsn, "transaction") as dsn, monkeypatch.context() as environment:
        environment.setenv("PGOPTIONS", "-c lock_timeout=5s -c statement_timeout=60s")
        environment.setenv("PGAPPNAME", "night")
        ended = here("export", *EXAM, "--quiet", "--dsn", dsn)
        assert ended.code == 4
        assert len(ended.err.splitlines()) == 1
        assert "passes no options on. Leave them out of the DSN and PGOPTIONS" in ended.err
        environment.delenv("PGOPTIONS")
        assert here("export", *EXAM, "--quiet", "--dsn", dsn).code == 0


def test_a_server_that_is_gone_behind_it_ends_a_run(here: Run, postgres_demo_dsn: str) -> None:
    nowhere = "host=127.0.0.1 port=1 user=shsim_test dbname=qbank"
    with pgbouncer(nowhere, "transaction", query_wait_timeout="2") as dsn:
        ended = here("export", *EXAM, "--quiet", "--dsn", dsn)
    assert ended.code == 4
    assert len(ended.err.splitlines()) == 1
