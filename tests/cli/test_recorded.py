"""Every run is on record, however it ends, and none of it is a password."""

from __future__ import annotations

import getpass
import json
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from front_door import QUICK, SHORT_TESTS, Run, command
from psycopg2.extensions import parse_dsn
from storage.databases import execute, query

from shsim import __version__
from shsim.cli.output_file import OutputFile
from shsim.errors import UnsettledError
from shsim.model.run_record import RecordedRun
from shsim.storage.embedded import embedded_path
from shsim.storage.open import open_store
from shsim.storage.tables import LEDGER_TABLES

BRIEF = (*QUICK, "--len", "10")
MISSING = ("--iters", "1", "--alpha", "0.01", "--nodes", "200")
OUTCOMES = "SELECT id, command, outcome FROM shsim_run ORDER BY id"


def the_run(dsn: str, number: int) -> RecordedRun:
    with closing(open_store(dsn)) as store:
        found = store.ledger.run(number)
    assert found is not None
    return found


def test_a_calibration_is_on_record(here: Run, ours: Sequence[str], tmp_path: Path) -> None:
    file = tmp_path / "k.json"
    ended = here("calibrate", *ours, *SHORT_TESTS, "--output", str(file))
    assert ended.code == 0, ended.err
    words = " ".join(ended.out.split())
    assert "Recorded as run 1; shsim rollback 1 puts the k before it back." in words
    written = json.loads(file.read_text())
    assert written["run"] == 1
    assert [path.name for path in tmp_path.glob(".shsim*")] == []
    run = the_run(ours[1], 1)
    assert (run.command, run.exam, run.outcome, run.seed) == (
        "calibrate", "DEMO-EXAM", "saved", 1,
    )  # fmt: skip
    assert (run.rejection, run.ability, run.tau) == ("position", "true", 0.2)
    whose = (getpass.getuser(), socket.gethostname(), __version__)
    assert (run.os_user, run.host, run.version) == whose
    postgresql = not ours[1].startswith("sqlite:")
    assert run.database_user == (parse_dsn(ours[1])["user"] if postgresql else None)
    assert run.started < run.finished
    assert run.settings == written["settings"]
    assert run.history == written["history"]
    for name in ("verification", "before", "verdict", "stopped", "origin", "when_estimated"):
        assert run.measures[name] == written[name], name
    with closing(open_store(ours[1])) as store:
        pool, items = store.load_pool("DEMO-EXAM"), store.ledger.items(1)
    assert run.fingerprint == pool.fingerprint
    assert run.start != pool.k_fingerprint
    assert items.after.tolist() == pool.k.tolist()
    assert run.saved_items == len(items)
    assert items.absent.all()
    # What a save counts and what is shown of it are the same: a row from none to 1 is one.
    assert (items.after == 1).any()
    assert f"Items changed most ({len(items):,} of {len(items):,} changed)" in (
        here("show", "1", *ours[:2]).out
    )
    assert json.loads(here("calibrate", *ours, *SHORT_TESTS, "--format", "json").out)["run"] == (2)
    assert the_run(ours[1], 2).start == pool.k_fingerprint


def test_simulations_are_recorded_as_dry_and_dry_runs_not_at_all(
    here: Run, ours: Sequence[str]
) -> None:
    for dry in ((), ("--dry-run",)):
        ended = here("simulate", *ours, *BRIEF, "--format", "json", *dry)
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["run"] == (None if dry else 1)
        assert ("Recorded as run 1; it changed no k." in ended.err) != bool(dry)
        assert here("calibrate", *ours, *SHORT_TESTS, "--dry-run").code == 0
    compared = here("simulate", *ours, *BRIEF, "--compare", "none,sh", "--format", "json")
    assert json.loads(compared.out)["run"] == 2
    assert query(ours[1], OUTCOMES) == [(1, "simulate", "dry"), (2, "simulate", "dry")]
    assert the_run(ours[1], 2).settings["control"] == ["none", "sh"]
    # To a person it is no dry run: it did all that it was to do.
    for told in (here("history", *ours[:2]), here("show", "1", *ours[:2])):
        assert "done" in told.out
        assert "dry" not in told.out
    assert here("history", *ours[:2], "--format", "csv").out.count(",dry,") == 2


def test_a_missed_cap_that_is_required_is_recorded_as_refused(
    here: Run, ours: Sequence[str]
) -> None:
    ended = here("calibrate", *ours, *SHORT_TESTS, *MISSING, "--require-cap")
    assert ended.code == 5
    assert "recorded as run 1" in ended.err
    run = the_run(ours[1], 1)
    assert (run.outcome, run.held) == ("refused", False)
    assert run.message.startswith("The cap of 0.2 is NOT held")


def test_a_required_cap_that_nobody_can_tell_of_is_refused_too(
    here: Run, ours: Sequence[str]
) -> None:
    ended = here(
        "calibrate", *ours, *SHORT_TESTS, "--verify-n", "10", "--require-cap", "--format", "csv"
    )
    assert ended.code == 5
    assert "can't be told: 10 examinees are too few" in ended.err
    assert "Give more: --verify-n 640000" in ended.err
    run = the_run(ours[1], 1)
    assert (run.outcome, run.held) == ("refused", None)


@pytest.mark.parametrize(
    ("fault", "outcome", "message"),
    [
        (f"UPDATE {table} SET {change} WHERE question_id = 900001", "refused", sentence)  # noqa: S608
        for table, change, sentence in (
            ("item_calibration", "a = a + 1", "item 900001/1: a was "),
            ("item_calibration", "b = 0.1, c = 0.1", "item 900001/1: b was "),
            ("question_versions", "state = 'retired'", "item 900001/1: it is no longer published"),
            ("question_publications", "exam_code = 'X'", "item 900001/1: it is no longer publ"),
        )
    ]
    + [
        (
            (
                "INSERT INTO question_versions VALUES (900001, 7, 1, 'published');"
                "UPDATE question_publications SET live_version = 7 WHERE question_id = 900001"
            ),
            "refused",
            "item 900001: version 1 was published and version 7 is now",
        ),
        (
            "INSERT INTO item_exposure_control (question_id, version, sh_p) VALUES (900001, 1, .5)",
            "refused",
            "item 900001/1: sh_p was absent and is 0.5",
        ),
        (
            "DELETE FROM item_calibration WHERE question_id = 900001",
            "refused",
            "item 900001/1: a was ",
        ),
        ("DROP TABLE item_exposure_control", "failed", "item_exposure_control"),
    ],
)
def test_what_stopped_a_save_is_recorded(
    here: Run,
    ours: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    outcome: str,
    message: str,
) -> None:
    from shsim.cli.work.saving import Saving

    stage = Saving.stage

    def meddle(self: Saving, result: Any) -> None:
        stage(self, result)
        for statement in fault.split(";"):
            execute(ours[1], statement)

    monkeypatch.setattr(Saving, "stage", meddle)
    ended = here("calibrate", *ours, *SHORT_TESTS)
    assert ended.code == 4
    assert message in ended.err
    run = the_run(ours[1], 1)
    assert run.outcome == outcome
    assert message in run.message
    if outcome == "refused":
        assert "nothing was saved" in ended.err
        by_hand = "INSERT" in fault and "sh_p" in fault
        k = query(ours[1], "SELECT count(*) FROM item_exposure_control")
        assert k == [(1 if by_hand else 0,)]
        assert query(ours[1], "SELECT count(*) FROM shsim_run_item") == [(0,)]


def test_an_interrupted_run_is_recorded_and_ends_at_once(ours: Sequence[str]) -> None:
    run = subprocess.Popen(
        command("calibrate", *ours, "--n", "4000000", "--seed", "1", "--iters", "500"),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert run.stderr is not None
    while b"database" not in run.stderr.readline():
        pass
    time.sleep(3)
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130, err
    assert time.monotonic() - began < 5
    assert query(ours[1], OUTCOMES) == [(1, "calibrate", "interrupted")]


def test_without_a_ledger_a_run_works_and_says_so_once(here: Run, ours: Sequence[str]) -> None:
    for table in LEDGER_TABLES:
        execute(ours[1], f"DROP TABLE {table}")
    for arguments in (("calibrate", *SHORT_TESTS), ("simulate", *BRIEF)):
        ended = here(*arguments, *ours, "--format", "json")
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["run"] is None
        assert ended.err.count("not recorded") == 1
        assert "it keeps no ledger of runs; `shsim db init` makes one" in ended.err
    assert "made shsim_run\n" in here("db", "init", *ours[:2]).out
    assert "Recorded as run 1" in here("simulate", *ours, *BRIEF).out


def test_another_programs_table_of_a_ledgers_name_stops_no_run(
    here: Run, ours: Sequence[str]
) -> None:
    execute(ours[1], "ALTER TABLE shsim_run RENAME TO former")
    execute(ours[1], "CREATE TABLE shsim_run (id int, started text)")
    for arguments in (("calibrate", *SHORT_TESTS), ("simulate", *BRIEF, "--dry-run")):
        ended = here(*arguments, *ours)
        assert ended.code == 0, ended.err
        warned = "warning: this run is not recorded: its ledger is none that shsim has made"
        assert (warned in ended.err) == ("--dry-run" not in arguments)
    assert query(ours[1], "SELECT count(*) FROM shsim_run") == [(0,)]


def test_the_embedded_database_of_an_older_shsim_gets_a_ledger(here: Run) -> None:
    here("simulate", *BRIEF)
    path = f"sqlite:///{embedded_path()}"
    for table in LEDGER_TABLES:
        execute(path, f"DROP TABLE {table}")
    assert "not recorded" not in here("simulate", *BRIEF, "--dry-run").err
    assert "Recorded as run 1" in here("simulate", *BRIEF).out


def test_a_ledger_of_a_newer_shsim_is_refused(here: Run, ours: Sequence[str]) -> None:
    execute(ours[1], "INSERT INTO shsim_schema (version) VALUES (9)")
    for arguments in (("calibrate", *SHORT_TESTS), ("simulate", *BRIEF)):
        ended = here(*arguments, *ours)
        assert (ended.code, ended.out) == (4, "")
        assert "its ledger has schema 9, and this shsim knows 1" in ended.err


def test_a_replica_is_simulated_on_and_nothing_is_recorded(
    here: Run, postgres_demo_dsn: str
) -> None:
    name = query(postgres_demo_dsn, "SELECT current_database()")[0][0]
    execute(postgres_demo_dsn, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    ended = here("simulate", "--dsn", postgres_demo_dsn, "--exam", "DEMO-EXAM", *BRIEF)
    assert ended.code == 0, ended.err
    assert "this run is not recorded: the database is read-only" in ended.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--rejection", "examinee"), ("--rejection position", "--rejection examinee")),
        (("--ability", "eap"), ("--ability true", "--ability eap")),
        (("--len", "12"), ("--len 10", "--len 12")),
        (("--blueprint", "BLUE"), ("no --blueprint", "--blueprint (1: 2 to any)")),
    ],
)
def test_k_made_for_another_test_are_said_loudly(
    here: Run,
    demo: Sequence[str],
    tmp_path: Path,
    options: tuple[str, str],
    told: tuple[str, str],
) -> None:
    blueprint = tmp_path / "content.toml"
    blueprint.write_text("[topics.1]\nleast = 2\n")
    options = (options[0], str(blueprint) if options[1] == "BLUE" else options[1])
    assert "warning: the k" not in here("calibrate", *demo, *SHORT_TESTS).err
    assert "warning: the k" not in here("simulate", *demo, *BRIEF).err
    ended = here("simulate", *demo, *BRIEF, *options, "--quiet")
    assert (
        f"warning: the k in force of DEMO-EXAM were made by run 1 for {told[0]},"
        f" and this run is for {told[1]}."
    ) in ended.err
    other = here("simulate", *demo, *BRIEF, *options, "--control", "none", "--quiet")
    assert "warning: the k" not in other.err


def test_k_made_for_another_test_are_to_be_judged_in_that_one(
    here: Run, demo: Sequence[str]
) -> None:
    rule = ("--tau", "0.25", "--iters", "6", "--n", "2000", "--verify-n", "4000", "--seed", "1")
    assert here("calibrate", *demo, *rule, "--ability", "eap", "--len", "10").code == 0
    missed = here(
        "simulate", *demo, "--len", "25", "--tau", "0.07", "--n", "4000", "--format", "json"
    )
    remedy = json.loads(missed.out)["verdict"]["remedy"]
    _, judge, typed = remedy.partition("Judge them in that test: shsim ")
    assert f" {judge}simulate --exam DEMO-EXAM --tau 0.25 " in missed.err
    assert "shsim calibrate" not in missed.err
    again = here(*shlex.split(typed), "--n", "4000")
    assert again.code == 0, again.err
    assert "warning: the k" not in again.err


def test_tests_that_end_by_their_error_are_another_test(here: Run, demo: Sequence[str]) -> None:
    eap = ("--ability", "eap", "--n", "2000", "--seed", "1")
    rule = ("--iters", "2", "--verify-n", "2000")
    stop = ("--se-stop", "0.4", "--max-len", "10")
    assert here("calibrate", *demo, *eap, *rule, "--len", "10").code == 0
    ended = here("simulate", *demo, *eap, *stop)
    assert ended.code == 0, ended.err
    assert "made by run 1 for no --se-stop, and this run is for --se-stop 0.4." in ended.err


def test_a_calibration_for_another_test_is_warned_of_once(here: Run, demo: Sequence[str]) -> None:
    here("calibrate", *demo, *SHORT_TESTS)
    first = here("calibrate", *demo, *SHORT_TESTS, "--rejection", "examinee")
    assert "made by run 1 for --rejection position" in first.err
    second = here("calibrate", *demo, *SHORT_TESTS, "--rejection", "examinee")
    assert "warning: the k" not in second.err


def test_no_password_is_in_the_ledger(
    here: Run, postgres_demo_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "p@ss/w:rd%'\\ö"  # noqa: S105
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    dsn = f"{postgres_demo_dsn} password='{escaped}'"
    monkeypatch.setenv("PGPASSWORD", "another-secret")
    assert here("calibrate", "--dsn", dsn, "--exam", "DEMO-EXAM", *SHORT_TESTS).code == 0
    assert here("simulate", "--dsn", dsn, "--exam", "DEMO-EXAM", *BRIEF).code == 0
    everything = repr(query(postgres_demo_dsn, "SELECT * FROM shsim_run"))
    assert secret not in everything
    assert "another-secret" not in everything
    assert postgres_demo_dsn not in everything


def test_a_file_that_cannot_be_staged_again_stays_as_it_was_staged(tmp_path: Path) -> None:
    texts = iter(["first", "second", "\ud800"])
    with OutputFile[None](str(tmp_path / "k.json"), lambda _result, _form: next(texts)) as file:
        file.stage(None)
        file.stage(None)
        assert [path.read_text() for path in tmp_path.iterdir()] == ["second"]
        with pytest.raises(UnicodeEncodeError):
            file.stage(None)
        file.publish(7)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("k.json", "second")]


def test_a_record_that_fails_fails_no_simulation(here: Run, ours: Sequence[str]) -> None:
    execute(ours[1], "ALTER TABLE shsim_run ADD COLUMN more integer DEFAULT 0 CHECK (more > 0)")
    ended = here("simulate", *ours, *BRIEF)
    assert ended.code == 0, ended.err
    assert "this run is not recorded: " in ended.err
    before = here("export", *ours).out
    refused = here("calibrate", *ours, *SHORT_TESTS)
    assert refused.code == 4, "a save that cannot be recorded is none"
    assert here("export", *ours).out == before


def test_a_record_that_may_stand_is_not_said_to_be_none(
    here: Run, ours: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_given: object) -> int:
        raise UnsettledError("the connection went")

    monkeypatch.setattr("shsim.storage.ledger.Ledger.record", gone)
    ended = here("simulate", *ours, *BRIEF)
    assert ended.code == 0, ended.err
    assert "this run may not be recorded: the connection went" in ended.err
