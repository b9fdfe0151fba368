"""k that another exam's run made, or that a ledger which cannot be read tells nothing of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from front_door import QUICK, Run
from live_tests import respond
from postgres_server import Server
from psycopg2.extensions import make_dsn
from storage.databases import execute, query

SHORT = (*QUICK, "--len", "10", "--iters", "4", "--verify-n", "2000")
EXAMINEE = ("--rejection", "examinee")
BRIEF = (*QUICK, "--len", "10", "--dry-run")
SHARE = "INSERT INTO question_publications SELECT 'F', question_id, live_version"
SINCE = ("--since", "2020-01-01")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Sequence[str]:
    """The option that names a database of either kind, with the demo in it."""
    if request.param == "sqlite":
        return tuple(request.getfixturevalue("demo"))[:2]
    return ("--dsn", request.getfixturevalue("postgres_demo_dsn"))


def test_another_exams_run_is_told_with_its_exam(here: Run, database: Sequence[str]) -> None:
    ours = (*database, "--exam", "DEMO-EXAM")
    execute(database[1], f"{SHARE} FROM question_publications")
    assert here("calibrate", *database, "--exam", "F", *SHORT, *EXAMINEE).code == 0
    said = (
        "warning: the k in force of DEMO-EXAM were made by run 1 of F for --rejection examinee,"
        " and this run is for --rejection position. k hold the cap only in the test"
    )
    simulated = here("simulate", *ours, *BRIEF)
    assert said in simulated.err
    assert "simulate --exam DEMO-EXAM --tau 0.2 --len 10 --rejection examinee" in simulated.err
    assert said in here("calibrate", *ours, *SHORT, "--dry-run").err
    assert "warning: the k" not in here("simulate", *ours, *BRIEF, *EXAMINEE).err
    audited = here("audit", *ours, *SINCE)
    assert (
        "warning: the k in force of DEMO-EXAM were made by run 1 of F, since the exams share items,"
        " or did: the prediction is for the test of run 1 of F, and the cap is that run's"
    ) in audited.err
    words = " ".join(audited.out.split())
    assert "with the settings of run 1 of F, which made them" in words
    audited = here("audit", *ours, *SINCE, "--format", "json")
    found = json.loads(audited.out)
    assert (found["made_by"], found["made_by_exam"]) == (1, "F")
    assert found["settings"]["rejection"] == "examinee"


def test_an_exam_without_runs_is_counted_from_the_run_that_made_its_k(
    here: Run, database: Sequence[str]
) -> None:
    ours = (*database, "--exam", "DEMO-EXAM")
    execute(database[1], f"{SHARE} FROM question_publications")
    assert here("calibrate", *database, "--exam", "F", *SHORT).code == 0
    for asked in ((), ("--since-run", "1")):
        audited = here("audit", *ours, *asked, "--format", "json")
        assert audited.code == 0, audited.err
        found = json.loads(audited.out)
        assert (found["since_run"], found["made_by"], found["made_by_exam"]) == (1, 1, "F")
    assert here("calibrate", *ours, *SHORT, *EXAMINEE).code == 0
    assert json.loads(here("audit", *ours, "--format", "json").out)["since_run"] == 2
    refused = here("audit", *ours, "--since-run", "1")
    assert refused.code == 3
    assert "run 1 (calibrate of F) is no run of DEMO-EXAM, nor is it known to" in refused.err
    offered = re.search(r"(--since) (\S+Z)\.", refused.err)
    assert offered is not None
    assert here("audit", *ours, *offered.groups()).code == 0


def test_runs_of_one_test_that_made_a_third_each_are_all_named(
    here: Run, database: Sequence[str]
) -> None:
    ours = (*database, "--exam", "DEMO-EXAM")
    counts = {}
    for run, exam in enumerate("FGH", 1):
        third = f"{SHARE} FROM question_publications WHERE exam_code = 'DEMO-EXAM'"
        third += f" AND question_id % 3 = {run - 1}"
        execute(database[1], third.replace("'F'", f"'{exam}'"))
        assert here("calibrate", *database, "--exam", exam, *SHORT).code == 0
        below = f"SELECT count(*) FROM shsim_run_item WHERE k_after < 1 AND run = {run}"  # noqa: S608
        counts[f"run {run} of {exam}"] = query(database[1], below)[0][0]
    most, *less = sorted(counts, key=lambda name: (counts[name], name), reverse=True)
    audited = here("audit", *ours, *SINCE)
    assert (
        f"warning: {counts[most]} k in force of DEMO-EXAM were made by {most},"
        f" {counts[less[0]]} by {less[0]} and {counts[less[1]]} by {less[1]}, since the exams share"
        f" items, or did: the prediction is for the test of {most}, and the cap is that run's"
    ) in audited.err
    assert "most of the k" not in audited.err
    words = " ".join(audited.out.split())
    assert (
        f"with the settings of {most}, which made some of them, and none on record more." in words
    )


def test_k_of_several_runs_for_several_tests_are_told(here: Run, database: Sequence[str]) -> None:
    ours = (*database, "--exam", "DEMO-EXAM")
    assert here("calibrate", *ours, *SHORT).code == 0
    few = "ORDER BY question_id LIMIT 30"
    execute(database[1], f"{SHARE} FROM question_publications {few}")
    assert here("calibrate", *database, "--exam", "F", *SHORT, *EXAMINEE, "--tau", "0.6").code == 0
    count = query(
        database[1],
        "SELECT count(*) FROM item_exposure_control e JOIN shsim_run_item i"
        " ON i.run = 2 AND i.question_id = e.question_id AND i.k_after = e.sh_p WHERE sh_p < 1",
    )[0][0]
    assert count > 1
    theirs = f"warning: {count} k in force of DEMO-EXAM were made by run 2 of F for {EXAMINEE[0]}"
    theirs += f" {EXAMINEE[1]}"
    simulated = here("simulate", *ours, *BRIEF)
    assert f"{theirs}, and this run is for --rejection position." in simulated.err
    assert simulated.err.count("k in force of DEMO-EXAM were") == 1
    simulated = here("simulate", *ours, *BRIEF, *EXAMINEE)
    assert "were made by run 1 for --rejection position, and this run" in simulated.err
    audited = here("audit", *ours, *SINCE)
    assert f"{theirs}, and the prediction is for --rejection position, as run 1 was" in audited.err
    assert "most of the k" not in audited.err


@dataclass(frozen=True)
class Blind:
    """DEMO-EXAM, calibrated at another cap than the default one, and used."""

    owner: Sequence[str]
    reader: Sequence[str]


@pytest.fixture
def blind(here: Run, postgres_server: Server, postgres_demo_dsn: str) -> Iterator[Blind]:
    """The reader may look at everything but the ledger."""
    owner = ("--dsn", postgres_demo_dsn, "--exam", "DEMO-EXAM")
    assert here("calibrate", *owner, *SHORT, *EXAMINEE, "--tau", "0.6").code == 0
    keys = query(postgres_demo_dsn, "SELECT question_id, version FROM question_versions")
    respond(postgres_demo_dsn, {keys[0]: 800, **dict.fromkeys(keys[1:], 60)})
    name = "shsim_blind_reader"
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    for table in ("question_publications", "question_versions", "item_calibration",
                  "item_exposure_control", "user_responses", "shsim_schema"):  # fmt: skip
        execute(postgres_demo_dsn, f"GRANT SELECT ON {table} TO {name}")
    dsn = make_dsn(postgres_demo_dsn, user=name, password="x")  # noqa: S106
    yield Blind(owner, ("--dsn", dsn, *owner[2:]))
    execute(postgres_demo_dsn, f"DROP OWNED BY {name}")
    postgres_server.execute(f"DROP ROLE {name}")


def told_nothing(here: Run, options: Sequence[str], lack: str) -> None:
    """What an audit and a simulation say where the ledger lacks something."""
    capped = ("audit", *options, "--tests", "2000", "--require-cap", "--quiet")
    ended = here(*capped, *SINCE)
    assert (ended.code, ended.out) == (4, ""), ended.err
    assert f": {lack}. The audit would take" in ended.err
    assert ended.err.rstrip().endswith("or give --tau.")
    ended = here(*capped)
    assert ended.code == 4
    assert ended.err.rstrip().endswith("or give --since, --tau.")
    ended = here("audit", *options, *SINCE, "--require-cap", "--tau", "0.6", "--quiet")
    assert ended.code == 4
    assert ended.err.rstrip().endswith("or give --len.")
    assert here(*capped, *SINCE, "--tau", "0.6").code == 0
    assert here(*capped, *SINCE, "--tau", "0.2").code == 5
    ended = here("audit", *options, *SINCE)
    assert ended.code == 0
    said = f"which run made the k in force of DEMO-EXAM cannot be told: {lack}. The prediction is"
    default = "for the default test, 30 items at the true theta, and the cap is 0.2."
    assert f"{said} {default}" in ended.err
    ended = here("audit", *options, *SINCE, "--len", "25", "--tau", "0.4")
    given = "for a test of 25 items at the true theta, and the cap is 0.4, as given."
    assert f"{said} {given}" in ended.err
    words = " ".join(ended.out.split())
    assert "under the k in force, with the default settings and 25 items a test." in words
    assert "no run on record" not in ended.err
    for words in (("simulate", *options, *BRIEF), ("calibrate", *options, *SHORT, "--dry-run")):
        ended = here(*words, "--quiet")
        assert ended.code == 0, ended.err
        said = "warning: which test the k in force of DEMO-EXAM were made for cannot be told:"
        assert f"{said} {lack}\n" in ended.err


def test_a_ledger_that_may_not_be_read_is_no_missing_one(here: Run, blind: Blind) -> None:
    ended = here("audit", *blind.owner, *SINCE, "--tests", "2000", "--require-cap")
    assert ended.code == 0, ended.err
    lack = "its ledger may not be read; ask for SELECT on shsim_run, shsim_run_item"
    lack += " (GRANT SELECT ON shsim_run, shsim_run_item TO shsim_blind_reader;)"
    told_nothing(here, blind.reader, lack)


def test_a_ledger_that_lacks_a_table_is_no_missing_one(here: Run, blind: Blind) -> None:
    execute(blind.owner[1], "ALTER TABLE shsim_run_item RENAME TO elsewhere")
    lack = "its ledger lacks the table shsim_run_item; `shsim db init` makes it anew"
    told_nothing(here, blind.owner, lack)


def test_without_any_ledger_nothing_is_amiss(here: Run, blind: Blind) -> None:
    execute(blind.owner[1], "DROP TABLE shsim_run_item, shsim_run, shsim_schema")
    assert "cannot be told" not in here("simulate", *blind.owner, *BRIEF).err
    ended = here("audit", *blind.owner, *SINCE, "--tests", "2000", "--require-cap")
    assert ended.code == 5
    assert "no run on record made the k in force" in ended.err
