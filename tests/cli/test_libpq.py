"""What is libpq's to say is passed on: time limits, names, password and service files, TLS."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from front_door import Ended, Run
from psycopg2.extensions import make_dsn, parse_dsn
from storage.databases import connect

from shsim.storage.open import open_store

CALIBRATION = (
    "calibrate", "--exam", "DEMO-EXAM", "--tau", "0.5", "--len", "5", "--seed", "1", "--n", "2000",
    "--verify-n", "5000", "--restart",
)  # fmt: skip


def one_line(ended: Ended, *sentences: str) -> None:
    """It ended with 4, and the fault is the last line: one."""
    assert ended.code == 4, ended.err
    fault = [line for line in ended.err.splitlines() if "database postgresql" not in line][-1]
    for sentence in sentences:
        assert sentence in fault
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("by", ["PGOPTIONS", "dsn"])
def test_a_statement_timeout_ends_a_run(
    here: Run, postgres_demo_dsn: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = "-c statement_timeout=300ms"
    dsn = postgres_demo_dsn
    with closing(connect(dsn)) as other, monkeypatch.context() as limited:
        other.cursor().execute("LOCK TABLE question_publications IN ACCESS EXCLUSIVE MODE")
        if by == "PGOPTIONS":
            limited.setenv("PGOPTIONS", options)
        else:
            dsn = make_dsn(dsn, options=options)
        one_line(
            here(*CALIBRATION, "--quiet", "--dsn", dsn),
            "cancelled the query: canceling statement due to statement timeout",
            "Nothing was written. Raise statement_timeout",
        )


@pytest.mark.parametrize("what", ["rows", "table"])
def test_a_lock_timeout_ends_a_save(here: Run, postgres_demo_dsn: str, what: str) -> None:
    assert here(*CALIBRATION, "--dsn", postgres_demo_dsn).code == 0
    lock = {
        "rows": "SELECT * FROM item_exposure_control FOR UPDATE",
        "table": "LOCK TABLE item_exposure_control IN SHARE MODE",
    }[what]
    dsn = make_dsn(postgres_demo_dsn, options="-c lock_timeout=300ms")
    with closing(connect(postgres_demo_dsn)) as other:
        other.cursor().execute(lock)
        # Were it the save's own 30 s, the test would be that slow.
        began = time.monotonic()
        one_line(here(*CALIBRATION, "--quiet", "--dsn", dsn), "is busy: another session holds")
        assert time.monotonic() - began < 25


def shown(dsn: str, store_dsn: str, **options: str) -> str:
    """What the server shows of a session of ours."""
    with closing(open_store(store_dsn, read_only=True, **options)) as store:  # type: ignore[arg-type]
        store.exams()
        with closing(psycopg2.connect(dsn, application_name="looking")) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT application_name FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            ((name,),) = cursor.fetchall()
            return str(name)


def test_the_server_shows_shsim_unless_told_another_name(
    postgres_demo_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(postgres_demo_dsn, postgres_demo_dsn) == "shsim"
    named = make_dsn(postgres_demo_dsn, application_name="night")
    assert shown(postgres_demo_dsn, named) == "night"
    monkeypatch.setenv("PGAPPNAME", "from the environment")
    assert shown(postgres_demo_dsn, postgres_demo_dsn) == "from the environment"


@pytest.fixture
def service(postgres_demo_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    lines = [f"{name}={value}\n" for name, value in parse_dsn(postgres_demo_dsn).items()]
    file = tmp_path / "services"
    file.write_text("[qbank]\n" + "".join(lines) + "application_name=of the service\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    return postgres_demo_dsn


@pytest.mark.parametrize("spelling", ["service=qbank", "postgresql://?service=qbank"])
def test_a_service_file_is_read(here: Run, service: str, spelling: str) -> None:
    ended = here("export", "--exam", "DEMO-EXAM", "--dsn", spelling)
    assert ended.code == 0, ended.err
    assert "database postgresql service qbank" in ended.err
    assert len(ended.out.splitlines()) == 481
    assert shown(service, spelling) == "of the service"


def test_a_service_by_the_environment(
    here: Run, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICE", "qbank")
    assert here("export", "--exam", "DEMO-EXAM", "--dsn", "postgresql://").code == 0


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"sslmode": "require"}, "does not agree on SSL. Check sslmode and the certificates."),
        (
            {"sslmode": "verify-full", "sslrootcert": "/nowhere/root.crt"},
            "does not agree on SSL. Check sslmode and the certificates.",
        ),
        ({"sslmode": "sometimes"}, "invalid sslmode value"),
    ],
)
def test_tls_is_asked_for_as_told(
    here: Run, postgres_demo_dsn: str, extra: dict[str, str], sentence: str
) -> None:
    dsn = make_dsn(postgres_demo_dsn, host="127.0.0.1", **extra)
    one_line(here("export", "--exam", "DEMO-EXAM", "--quiet", "--dsn", dsn), sentence)


@pytest.mark.parametrize("variable", [("PGSSLMODE", "require"), ("PGSSLMODE", "verify-full")])
def test_tls_by_the_environment(
    here: Run, postgres_demo_dsn: str, variable: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = make_dsn(postgres_demo_dsn, host="127.0.0.1")
    with monkeypatch.context() as environment:
        environment.setenv(*variable)
        ended = here("export", "--exam", "DEMO-EXAM", "--quiet", "--dsn", dsn)
    one_line(ended, "does not agree on SSL")
