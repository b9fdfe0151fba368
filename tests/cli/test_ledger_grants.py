"""What a role lacks on the ledger is told at once, with the GRANTs that mend it."""

from __future__ import annotations

import re

import pytest
from front_door import QUICK, Ended, Run
from operators import Operator, atoms

EXAM = ("--exam", "DEMO-EXAM")
BRIEF = (*EXAM, *QUICK, "--len", "10", "--quiet")
LEDGER = "shsim_schema, shsim_run, shsim_run_item"


@pytest.fixture
def run(here: Run, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command as the operator types it; the demo exam is there, and a run on record."""
    monkeypatch.setenv("SHSIM_DSN", operator.dsn)
    assert here("db", "demo", "--dsn", operator.owner).code == 0
    assert here("simulate", *BRIEF).code == 0
    return here


def paste(operator: Operator, text: str) -> list[str]:
    """Type the GRANTs that were told, each once."""
    told = list(dict.fromkeys(re.findall(r"(GRANT [^;]+);", " ".join(text.split()))))
    for grant in told:
        operator.execute(grant)
    return told


def without_ledger(operator: Operator) -> None:
    for privilege, thing in atoms():
        if thing.startswith("shsim_"):
            operator.revoke(privilege, thing)


def recorded(ended: Ended) -> bool:
    return ended.code == 0 and "recorded" not in ended.err and "ledger" not in ended.err


def test_one_round_of_grants_puts_runs_on_record(run: Run, operator: Operator) -> None:
    without_ledger(operator)
    ended = run("simulate", *BRIEF)
    assert ended.code == 0
    (said,) = (line for line in ended.err.splitlines() if "this run is not recorded" in line)
    asked = "ask for SELECT on shsim_schema; SELECT, INSERT on shsim_run, shsim_run_item (GRANT"
    assert f"its ledger may not be read; {asked}" in said
    assert len(paste(operator, said)) == 2
    assert recorded(run("simulate", *BRIEF))


@pytest.mark.parametrize("words", [("db", "check"), ("doctor",)], ids=" ".join)
def test_the_grants_of_a_check_mend_all_that_it_finds(
    run: Run, operator: Operator, words: tuple[str, ...]
) -> None:
    for privilege, thing in atoms():
        if privilege != "CONNECT":
            operator.revoke(privilege, thing)
    ended = run(*words)
    assert ended.code == 4
    assert "Table user_responses may not be read." in " ".join(ended.out.split())
    paste(operator, ended.out)
    ended = run(*words)
    assert ended.code == 0
    assert "GRANT" not in ended.out
    assert recorded(run("simulate", *BRIEF))
    assert "may not be" not in run("audit", *EXAM).err


def test_an_audit_that_needs_the_ledger_is_told_with_the_grant(
    run: Run, operator: Operator
) -> None:
    without_ledger(operator)
    monitor = ("audit", *EXAM, "--require-cap", "--quiet")
    ended = run(*monitor)
    assert ended.code == 4
    assert paste(operator, ended.err) == [f"GRANT SELECT ON {LEDGER} TO {operator.name}"]
    assert "ledger" not in run(*monitor).err


def test_the_numbers_of_a_ledger_with_a_sequence_are_asked_for(
    run: Run, operator: Operator
) -> None:
    operator.execute("ALTER TABLE shsim_run ALTER id DROP IDENTITY")
    operator.execute("CREATE SEQUENCE numbers START 100")
    operator.execute("ALTER TABLE shsim_run ALTER id SET DEFAULT nextval('numbers')")
    ended = run("simulate", *BRIEF)
    assert "its ledger may not be written; ask for USAGE on sequence numbers (GRANT" in ended.err
    paste(operator, ended.err)
    assert recorded(run("simulate", *BRIEF))


@pytest.mark.parametrize("name", ["init", "demo"])
def test_tables_that_are_there_ask_for_reading_the_ledger_alone(
    run: Run, operator: Operator, name: str
) -> None:
    without_ledger(operator)
    ended = run("db", name)
    assert ended.code == 4
    assert f"its ledger may not be read; ask for SELECT on {LEDGER} (GRANT" in ended.err
    paste(operator, ended.err)
    assert run("db", name).code == 0
