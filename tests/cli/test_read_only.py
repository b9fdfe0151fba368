"""A run that could not save is refused before it computes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from front_door import QUICK, QUICK_CALIBRATION, Run
from psycopg2.extensions import parse_dsn
from storage.databases import execute

CALIBRATION = ("calibrate", "--exam", "DEMO-EXAM", *QUICK_CALIBRATION, "--log-format", "json")
SIMULATION = ("simulate", "--exam", "DEMO-EXAM", *QUICK, "--log-format", "json")


@pytest.mark.parametrize("command", [CALIBRATION, ("rollback", "1", "--log-format", "json")])
def test_a_database_that_is_read_only(
    here: Run, postgres_demo_dsn: str, command: tuple[str, ...]
) -> None:
    dsn = ("--dsn", postgres_demo_dsn)
    assert here(*CALIBRATION, *dsn).code == 0
    name = parse_dsn(postgres_demo_dsn)["dbname"]
    execute(postgres_demo_dsn, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    ended = here(*command, *dsn)
    assert ended.code == 4
    events = [json.loads(line) for line in ended.err.splitlines()]
    assert "is read-only (a replica?). Nothing was written." in ended.err
    assert not {"stage", "iteration"} & {each["event"] for each in events}
    assert here(*CALIBRATION, *dsn, "--dry-run").code == 0


def test_a_file_that_is_read_only(
    here: Run, demo_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The superuser, who runs the tests in many places, may write to every file.
    monkeypatch.setattr("shsim.storage.sqlite.os.access", lambda path, _mode: path != demo_file)
    ended = here(*CALIBRATION, "--dsn", f"sqlite:///{demo_file}")
    assert ended.code == 4
    assert "is read-only. Nothing was written. Check the permissions" in ended.err
    assert '"event": "stage"' not in ended.err


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_simulation_in_a_file_that_is_read_only_says_first_that_it_is_not_recorded(
    here: Run, demo_file: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    closed = demo_file if what == "file" else demo_file.parent
    monkeypatch.setattr("shsim.storage.unsaveable.os.access", lambda path, _mode: path != closed)
    content = demo_file.read_bytes()
    ended = here(*SIMULATION, "--dsn", f"sqlite:///{demo_file}")
    assert ended.code == 0
    events = [json.loads(line) for line in ended.err.splitlines()]
    told = [each for each in events if "not recorded" in each.get("message", "")]
    assert [(each["level"], each["message"]) for each in told] == [
        ("info", "this run is not recorded: the database is read-only")
    ]
    assert events.index(told[0]) < [each["event"] for each in events].index("stage")
    assert demo_file.read_bytes() == content


@pytest.mark.parametrize("what", ["file", "folder"])
def test_the_check_of_a_file_that_nothing_can_be_saved_in(
    here: Run, demo_file: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    closed = demo_file if what == "file" else demo_file.parent
    monkeypatch.setattr("shsim.storage.unsaveable.os.access", lambda path, _mode: path != closed)
    for command in (("db", "check"), ("doctor",)):
        ended = here(*command, "--dsn", f"sqlite:///{demo_file}")
        assert ended.code == 4
        assert ended.out.count("FAIL") == 1
        assert f"The {what} {closed} may not be written: simulate, sweep and audit" in ended.out
