"""Every command under a role with the grants of the README, with one less, and read-only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from extras.served import SECRET, serving
from front_door import Ended, Run
from operators import Operator, atoms, granted
from psycopg2.extensions import make_dsn, parse_dsn
from redis_server import running_redis

from shsim.cli.app import COMMANDS
from shsim.cli.database import group
from shsim.extras.admin_api.paths import PREFIX
from shsim.storage.open import open_store

ITEMS = "question_id,a,b,c\n" + "".join(
    f"{number},{0.6 + number % 7 / 10},{number / 10 - 2},0.2\n" for number in range(1, 41)
)
DELIVERY = ("--len", "5", "--seed", "1")
EASY = ("--tau", "0.5", *DELIVERY)
CALIBRATION = ("calibrate", "--exam", "E", *EASY, "--n", "2000", "--verify-n", "5000")
SIMULATION = ("simulate", "--exam", "E", *EASY, "--n", "2000")
SWEEP = ("sweep", "--exam", "E", "--tau", "0.5", "--len", "5")
TRACE = ("trace", "--exam", "E", *DELIVERY)
EXPORT = ("export", "--exam", "E")
AUDIT = ("audit", "--exam", "E")
SAVING = (CALIBRATION, CALIBRATION, ("calibrate", "--from-run", "1"))
CHANGING = (("rollback", "1", "--force"), ("import", "pool.csv", "--exam", "E"))
CHECKING = (("db", "check"), ("doctor",))
#: Run with an address of their own, of a Redis and to listen at.
COUNTED = ("proposals", "--exam", "E", "--since", "2026-01-30", "--until", "2026-01-30")
SERVE = ("serve",)

#: These need to own the tables, and this no database.
OWNERS, UNCONNECTED = {"db init", "db demo"}, {"token"}

#: What reads and no more; there are two runs on record.
READING = (
    EXPORT, SWEEP, TRACE, SIMULATION, (*SIMULATION, "--dry-run"), (*CALIBRATION, "--dry-run"),
    ("history",), ("show", "1"), ("diff", "1", "2"), ("rollback", "2", "--dry-run"), AUDIT,
    ("import", "pool.csv", "--exam", "E", "--dry-run"),
)  # fmt: skip


@pytest.fixture
def run(here: Run, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command as the operator types it; the pool is in the database already."""
    (tmp_path / "pool.csv").write_text(ITEMS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHSIM_DSN", operator.dsn)
    ended = here("import", "pool.csv", "--exam", "E")
    assert ended.code == 0, ended.err
    return here


def all_of(run: Run, commands: Sequence[Sequence[str]]) -> None:
    for words in commands:
        ended = run(*words)
        assert ended.code == 0, (words, ended.err)


def refused(ended: Ended, privilege: str) -> None:
    assert ended.code == 4, (privilege, ended.err)
    assert privilege in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


def hindered(run: Run, lacking: str) -> None:
    """The check and the doctor say what a save lacks, and no more than that."""
    for words in (("db", "check"), ("doctor",)):
        ended = run(*words)
        assert ended.code == 4
        said = " ".join(ended.out.split())
        grant = f"GRANT {lacking.partition(' on ')[0]} ON "
        assert f"This user may not save. Ask for {lacking}: {grant}" in said
        assert "is missing" not in said


def test_every_command_runs_under_the_grants_of_the_readme(run: Run) -> None:
    all_of(run, [*SAVING, *READING, *CHANGING, *CHECKING])
    assert "not recorded" not in run(*SIMULATION).err


def test_proposals_of_an_exam_are_told_under_the_grant_of_reading(
    run: Run, operator: Operator
) -> None:
    for privilege, thing in atoms():
        beyond = thing == "user_responses" or thing.startswith("shsim_")
        if beyond or privilege in {"INSERT", "UPDATE", "TEMPORARY"}:
            operator.revoke(privilege, thing)
    with running_redis() as server:
        server.client().set("proposed:20260130:17:1", 4)
        ended = run(*COUNTED, "--redis", server.url)
    assert ended.code == 0, ended.err
    assert "17/1" in ended.out


def test_a_server_serves_under_the_grants_of_the_readme(
    run: Run, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHSIM_JWT_SECRET", SECRET)
    one = {"question_id": 17, "version": 1, "sh_p": 0.5}
    with serving() as server, server.ask() as client:
        assert client.get(f"{PREFIX}/items", params={"exam": "E"}).json()[16]["question_id"] == 17
        assert client.post(f"{PREFIX}/set", json=one).json()["ok"]
        assert client.get(f"{PREFIX}/runs").status_code == 200
        assert server.stop() == 0
    assert run("history").out.count("set") == 1


def test_no_command_is_left_out() -> None:
    tried = {
        " ".join(words[:2] if words[0] == "db" else words[:1])
        for words in (*SAVING, *READING, *CHANGING, *CHECKING, COUNTED, SERVE)
    }
    there = {*COMMANDS, *(f"db {name}" for name in group.commands)} - {"db"}
    assert tried | OWNERS | UNCONNECTED == there
    assert not tried & (OWNERS | UNCONNECTED)


def test_one_grant_less_is_named(run: Run, operator: Operator) -> None:
    assert run(*CALIBRATION).code == 0
    wanted = atoms()
    assert len(wanted) == 21
    for privilege, thing in wanted:
        operator.revoke(privilege, thing)
        name = thing.split(" ")[-1]
        if thing.startswith("DATABASE"):
            said = f"{privilege} on {'it' if privilege == 'CONNECT' else 'the database'}"
            refused(run(*CALIBRATION), said)
            hindered(run, f"{privilege} on the database") if privilege != "CONNECT" else None
        elif thing.startswith("SCHEMA"):
            for words in (EXPORT, ("history",), CALIBRATION):
                refused(run(*words), f"Ask for {privilege} on schema {name}, or take another user:")
            hindered(run, f"{privilege} on schema {name}")
        elif name.startswith("shsim_") and privilege == "SELECT":
            refused(run("history"), f"Ask for SELECT on {name}, or take another user:")
        elif name.startswith("shsim_"):
            ended = run(*SIMULATION, "--quiet")
            assert ended.code == 0
            said = "warning: this run is not recorded: its ledger may not be written; ask for"
            grant = f"(GRANT INSERT ON {name} TO {operator.name};)"
            assert f"{said} INSERT on {name} {grant}\n" in ended.err
        elif name == "user_responses":
            refused(run(*AUDIT), f"SELECT on {name}")
        elif privilege == "SELECT":
            refused(run(*EXPORT), f"SELECT on {name}")
        elif name == "item_exposure_control":
            refused(run(*CALIBRATION), f"Ask for {privilege} on {name},")
            refused(run("rollback", "1", "--force"), f"Ask for {privilege} on {name},")
            hindered(run, f"{privilege} on {name}")
        else:
            refused(run("import", "pool.csv", "--exam", "E"), f"Ask for {privilege} on {name},")
        operator.execute(f"GRANT {privilege} ON {thing} TO {operator.name}")
    assert run(*CALIBRATION).code == 0


def test_another_role_that_has_the_exam_is_named_as_far_as_may_be_seen(
    run: Run, operator: Operator
) -> None:
    for store, seen in (
        (operator.owner, "; pg_read_all_stats would show its host and since when it is connected)"),
        (operator.dsn, f", user {operator.name}, from the same machine, connected since 20"),
        (make_dsn(operator.dsn, host="127.0.0.1"), ", from 127.0.0.1, connected since 20"),
    ):
        with closing(open_store(store)) as other, other.exam_lock("E"):
            ended = run(*CALIBRATION)
        assert ended.code == 4
        assert "held by shsim (process " in ended.err
        assert seen in ended.err


def test_what_reads_works_for_a_role_that_may_only_read(run: Run, operator: Operator) -> None:
    all_of(run, [CALIBRATION, CALIBRATION])
    for privilege, thing in atoms():
        if privilege in {"INSERT", "UPDATE", "TEMPORARY"}:
            operator.revoke(privilege, thing)
    all_of(run, READING)
    lacking = "INSERT, UPDATE on item_exposure_control; TEMPORARY on the database"
    refused(run(*CALIBRATION), f"Nothing was written. Ask for {lacking}, or take another user: ")
    grant = f"GRANT INSERT, UPDATE ON item_exposure_control TO {operator.name};"
    refused(run("rollback", "2"), grant)
    hindered(run, "INSERT, UPDATE on item_exposure_control")
    hindered(run, "TEMPORARY on the database")


@pytest.mark.parametrize(
    "command",
    [
        *(CALIBRATION, ("calibrate", "--from-run", "2"), ("rollback", "1", "--force")),
        *(SIMULATION, SWEEP, AUDIT, EXPORT),
        *(("history",), ("diff", "1", "2")),
        ("import", "pool.csv", "--exam", "E"),
    ],
    ids=" ".join,
)
def test_a_role_that_may_connect_is_told_at_once_all_that_a_command_needs(
    run: Run, operator: Operator, command: Sequence[str]
) -> None:
    all_of(run, [CALIBRATION, CALIBRATION])
    for privilege, thing in atoms():
        if privilege != "CONNECT":
            operator.revoke(privilege, thing)
    ended = run(*command)
    refused(ended, "Ask for USAGE on schema public; ")
    grants = re.findall(r"(GRANT [^;]+);", ended.err)
    for statement in grants:
        assert statement.endswith(f" TO {operator.name}")
        operator.execute(statement)
    ended = run(*command)
    assert (ended.code, "ledger" in ended.err, "not recorded" in ended.err) == (0, False, False)
    operator.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {operator.name}")
    given = {part for each in granted() for part in re.split(r"GRANT | ON |, ", each)}
    told = {part for each in grants for part in re.split(r"GRANT | ON |, | TO ", each)}
    assert told - given <= {operator.name, f"DATABASE {operator.database}"}


def test_columns_that_were_granted_alone_are_enough(run: Run, operator: Operator) -> None:
    for privilege in ("SELECT", "INSERT", "UPDATE"):
        operator.revoke(privilege, "item_exposure_control")
    columns = "(question_id, version, sh_p, updated_at)"
    operator.grant(
        f"GRANT SELECT {columns}, INSERT {columns}, UPDATE {columns} ON item_exposure_control"
    )
    all_of(run, [CALIBRATION, ("db", "check"), ("doctor",)])


def test_a_role_of_the_ledger_alone_reads_the_history(run: Run, operator: Operator) -> None:
    assert run(*SIMULATION).code == 0
    operator.revoke("SELECT", "question_publications")
    assert "simulate" in run("history", "--exam", "E").out
    ended = run("history", "--exam", "NOSUCH")
    assert (ended.code, ended.out) == (
        0, "No run of NOSUCH is on record. Exams that have runs: E.\n",
    )  # fmt: skip


def test_what_reads_works_in_a_read_only_database(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of(run, [CALIBRATION, CALIBRATION])
    with monkeypatch.context() as read_only:  # and over before the tests' own clearing up
        read_only.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
        all_of(run, READING)
        for words in (("db", "check"), ("doctor",)):
            ended = run(*words)
            assert ended.code == 4
            assert ended.out.count("FAIL") == 1
            said = "is read-only (a replica?): simulate, sweep and audit work, and nothing can be"
            assert said in " ".join(ended.out.split())
        assert re.search(r"exams +E \(40\)", ended.out)
        assert "this run is not recorded: the database is read-only" in run(*SIMULATION).err
        for writing in (CALIBRATION, ("rollback", "2"), ("import", "pool.csv", "--exam", "E")):
            refused(run(*writing), "is read-only (a replica?). Nothing was written.")


def test_a_sequence_of_somebody_elses_is_named(run: Run, operator: Operator) -> None:
    operator.execute("ALTER TABLE item_exposure_control ADD COLUMN id serial")
    operator.execute("DELETE FROM item_exposure_control")
    refused(run(*CALIBRATION), "Ask for USAGE on sequence item_exposure_control_id_seq,")
    operator.grant("GRANT USAGE ON SEQUENCE item_exposure_control_id_seq")
    assert run(*CALIBRATION).code == 0


def test_a_password_file_is_read(
    run: Run, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:{operator.database}:{operator.name}:x\n")
    passfile.chmod(0o600)
    known = parse_dsn(operator.dsn)
    del known["password"]
    monkeypatch.setenv("SHSIM_DSN", make_dsn(**known))
    refused(run(*EXPORT), "refuses the user or the password. Set PGPASSFILE or PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    assert run(*CALIBRATION).code == 0
