"""Looking runs up, comparing them, undoing them, repeating them: from the front door."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from front_door import QUICK, SHORT_CALIBRATION, Run
from storage.databases import execute, query

from shsim.storage.embedded import embedded_path

COMMANDS = (("history",), ("show", "1"), ("diff", "1", "2"), ("rollback", "1", "--dry-run"))


@pytest.fixture
def two_runs(here: Run, demo: Sequence[str]) -> Sequence[str]:
    """The option that names a database with two calibrations in it."""
    for extra in ((), ("--tau", "0.25", "--seed", "2")):
        assert here("calibrate", *demo, *SHORT_CALIBRATION, *extra).code == 0
    return demo[:2]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_each_command_in_each_format(
    here: Run, two_runs: Sequence[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    if arguments[0] == "rollback":
        arguments = ("rollback", "2", "--dry-run")
    table = here(*arguments, *two_runs)
    assert table.code == 0, table.err
    assert max(map(len, table.out.splitlines())) <= 80
    assert "\x1b" not in table.out
    assert here(*arguments, *two_runs).out == table.out
    for form in ("csv", "json"):
        file = tmp_path / f"x.{form}"
        ended = here(*arguments, *two_runs, "--format", form, "--output", str(file), "--quiet")
        assert (ended.code, ended.err) == (0, "")
        assert file.read_text() == ended.out
        if form == "csv":
            assert len(rows(ended.out)) >= 2
        else:
            assert json.loads(ended.out)


def test_history_lists_the_newest_first(here: Run, two_runs: Sequence[str]) -> None:
    found = rows(here("history", *two_runs, "--format", "csv").out)
    assert [(row["run"], row["tau"], row["outcome"]) for row in found] == [
        ("2", "0.25", "saved"),
        ("1", "0.2", "saved"),
    ]
    one = here("history", *two_runs, "--limit", "1")
    assert "1 run, of 2; --limit shows more" in one.out


def test_the_history_of_an_exam_without_runs_names_those_that_have_some(
    here: Run, ours: Sequence[str]
) -> None:
    database = ours[:2]
    execute(ours[1], "INSERT INTO question_publications SELECT 'OTHER', question_id, live_version"
            " FROM question_publications")  # fmt: skip
    assert here("history", *database, "--exam", "OTHER").out == "No run is on record yet.\n"
    here("simulate", *ours, *QUICK)
    here("simulate", *database, "--exam", "OTHER", *QUICK)
    execute(ours[1], "UPDATE shsim_run SET exam = 'GONE' WHERE exam = 'OTHER'")
    words = "No run of OTHER is on record. Exams that have runs: DEMO-EXAM, GONE."
    for form in ("table", "csv", "json"):
        ended = here("history", *database, "--exam", "OTHER", "--format", form)
        assert ended.code == 0
        told, other = (ended.out, ended.err) if form == "table" else (ended.err, ended.out)
        assert words in " ".join(told.split())
        assert "OTHER" not in other
    assert "1 run. " in here("history", *database, "--exam", "GONE").out
    unknown = here("history", *database, "--exam", "NOSUCH")
    assert (unknown.code, unknown.out) == (3, "")
    assert "exam NOSUCH is unknown in" in unknown.err
    assert "The exams there are: DEMO-EXAM, GONE, OTHER." in " ".join(unknown.err.split())


def test_show_tells_everything(here: Run, two_runs: Sequence[str]) -> None:
    text = here("show", "2", *two_runs).out
    for words in (
        "Run 2: calibrate of DEMO-EXAM, saved",
        " UTC, ",
        "largest exposure rate",
        "Items changed most",
        "Undo it: shsim rollback 2",
        "Repeat it: shsim calibrate --from-run 2",
    ):
        assert words in text
    shown = json.loads(here("show", "2", *two_runs, "--format", "json").out)
    assert shown["settings"]["tau"] == 0.25
    assert len(shown["history"]) == 12
    assert len(shown["items"]) == 480
    first = rows(here("show", "1", *two_runs, "--format", "csv").out)
    assert {row["sh_p_before"] for row in first} == {""}


def test_diff_tells_settings_measures_and_k(here: Run, two_runs: Sequence[str]) -> None:
    text = here("diff", "1", "2", *two_runs).out
    assert "tau" in text
    assert "k that differ: " in text
    told = json.loads(here("diff", "1", "2", *two_runs, "--format", "json").out)
    assert told["settings"] == {"tau": [0.2, 0.25], "seed": [1, 2]}
    one = {row["question_id"]: row["sh_p"] for row in rows(
        here("show", "1", *two_runs, "--format", "csv").out
    )}  # fmt: skip
    for item in told["items"]:
        assert str(item["sh_p_first"]) == one[str(item["question_id"])]
        assert item["sh_p_first"] != item["sh_p_second"]
    assert json.loads(here("diff", "2", "2", *two_runs, "--format", "json").out)["items"] == []


def test_diff_compares_what_both_runs_hold(here: Run, two_runs: Sequence[str]) -> None:
    """Run 2 becomes one of a few items: k set by hand, say."""
    dsn, least = two_runs[1], "(SELECT min(question_id) FROM item_exposure_control)"
    execute(dsn, f"DELETE FROM shsim_run_item WHERE run = 2 AND question_id > {least}")  # noqa: S608
    execute(dsn, "UPDATE shsim_run_item SET k_after = 0.125 WHERE run = 2")
    for pair, first, second in (("12", 0, 479), ("21", 479, 0)):
        text = here("diff", *pair, *two_runs).out
        assert "k that differ: 1 of the 1 item that both hold; 479 are not in run 2" in text
        assert "none" not in text
        told = json.loads(here("diff", *pair, *two_runs, "--format", "json").out)
        counts = [told[name] for name in ("in_both", "not_in_first", "not_in_second")]
        assert counts == [1, first, second]
        (item,) = told["items"]
        assert 0.125 in (item["sh_p_first"], item["sh_p_second"])
        assert len(rows(here("diff", *pair, *two_runs, "--format", "csv").out)) == 1
    execute(dsn, "UPDATE shsim_run_item SET version = 99 WHERE run = 2")
    text = " ".join(here("diff", "1", "2", *two_runs).out.split())
    assert "The runs hold no item in common: 1 is not in run 1; 480 are not in run 2." in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "99"), 3, "run 99 is unknown in"),
        (("show", str(2**70)), 3, "is unknown in"),
        (("show", "0"), 2, "'RUN': 0 is not in the range"),
        (("show", "first"), 2, "'first' is not a valid integer."),
        (("show", "\u0663"), 2, "is not a number in the digits 0 to 9"),
        (("show", "1_0"), 2, "is not a number in the digits 0 to 9"),
        (("history", "--limit", "1_0"), 2, "'--limit': '1_0' is not a number in the digits"),
        (("calibrate", "--tau", "\u0660.\u0662"), 2, "is not a number in the digits 0 to 9"),
        (("show",), 2, "Missing argument 'RUN'"),
        (("diff", "1", "99"), 3, "run 99 is unknown in"),
        (("rollback", "99"), 3, "run 99 is unknown in"),
        (("calibrate", "--from-run", "99"), 3, "run 99 is unknown in"),
        (("history", "--limit", "0"), 2, "--limit"),
        (("show", "1", "--output", "x.txt"), 2, "must end in .csv or .json"),
    ],
)
def test_bad_numbers_are_refused(
    here: Run, two_runs: Sequence[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = here(*arguments, *two_runs)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_looking_makes_no_database(here: Run) -> None:
    assert here("history").out == "No run is on record yet.\n"
    for arguments in (("show", "1"), ("diff", "1", "2"), ("rollback", "1"),
                      ("calibrate", "--from-run", "1")):  # fmt: skip
        assert here(*arguments).code == 3
    assert not embedded_path().parent.exists()


def test_a_database_without_a_ledger_ends_with_4(here: Run, ours: Sequence[str]) -> None:
    for table in ("shsim_schema", "shsim_run", "shsim_run_item"):
        execute(ours[1], f"DROP TABLE {table}")
    for arguments in COMMANDS:
        ended = here(*arguments, *ours[:2])
        assert (ended.code, ended.out) == (4, "")
        assert "it keeps no ledger of runs; `shsim db init` makes one" in ended.err


def test_what_saved_nothing_cannot_be_rolled_back_or_repeated(
    here: Run, demo: Sequence[str]
) -> None:
    here("simulate", *demo, *QUICK)
    ended = here("rollback", "1", *demo[:2])
    assert ended.code == 3
    assert "run 1 saved no k (simulate, done)" in ended.err
    assert here("calibrate", "--from-run", "1", *demo[:2]).code == 3


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize(
    "options",
    [(), ("--rejection", "examinee", "--restart"), ("--ability", "eap", "--blueprint", "BLUE")],
    ids=["plain", "examinee", "eap"],
)
def test_a_run_from_the_ledger_gives_the_same_bytes(
    here: Run, ours: Sequence[str], tmp_path: Path, options: tuple[str, ...], threads: str
) -> None:
    blueprint = tmp_path / "content.toml"
    blueprint.write_text("[topics.1]\nleast = 2\nmost = 6\n[topics.2]\nmost = 5\n")
    abilities = tmp_path / "theta.txt"
    abilities.write_text("".join(f"{i / 10 - 2}\n" for i in range(41)))
    chosen = [str(blueprint) if word == "BLUE" else word for word in options]
    here("calibrate", *ours, *SHORT_CALIBRATION, "--seed", "7")
    run = ("calibrate", *ours, *SHORT_CALIBRATION, *chosen, "--theta", f"file:{abilities}")
    first = here(*run, "--format", "csv", "--threads", "1")
    assert first.code == 0, first.err
    blueprint.unlink()
    again = here("calibrate", "--from-run", "2", *ours[:2], "--format", "csv", "--threads", threads)
    assert again.code == 0, again.err
    assert again.out == first.out
    repeated = here("show", "3", *ours[:2])
    assert "It repeats run 2." in repeated.out
    settings = json.loads(here("diff", "2", "3", *ours[:2], "--format", "json").out)["settings"]
    assert settings == {}
    abilities.write_text("0\n1\n")
    changed = here("calibrate", "--from-run", "2", *ours[:2])
    assert changed.code == 3
    assert "holds other abilities than when run 2 read it" in changed.err


def test_a_repeat_is_refused_where_the_items_changed(here: Run, ours: Sequence[str]) -> None:
    here("calibrate", *ours, *SHORT_CALIBRATION)
    fingerprint = rows(here("history", *ours[:2], "--format", "csv").out)[0]["fingerprint"]
    execute(ours[1], "UPDATE item_calibration SET b = b + 0.1 WHERE question_id = 900001")
    ended = here("calibrate", "--from-run", "1", *ours[:2])
    assert ended.code == 4
    assert f"and was {fingerprint[:16]}" in ended.err


def test_a_repeat_takes_no_other_option(
    here: Run, two_runs: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = here("calibrate", "--from-run", "1", *two_runs, "--tau", "0.3", "--len", "5", "--force")
    assert ended.code == 2
    assert "would ignore --force, --len, --tau" in ended.err
    monkeypatch.setenv("SHSIM_TAU", "0.9")
    ended = here("calibrate", "--from-run", "1", *two_runs, "--dry-run", "--format", "json")
    assert json.loads(ended.out)["settings"]["tau"] == 0.2


def test_a_read_only_server_can_be_looked_into(here: Run, postgres_demo_dsn: str) -> None:
    database = ("--dsn", postgres_demo_dsn)
    for seed in ("1", "2"):
        run = ("calibrate", *database, "--exam", "DEMO-EXAM", *SHORT_CALIBRATION)
        assert here(*run, "--seed", seed).code == 0
    name = query(postgres_demo_dsn, "SELECT current_database()")[0][0]
    execute(postgres_demo_dsn, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    for arguments in (*COMMANDS[:3], ("rollback", "2", "--dry-run")):
        assert here(*arguments, *database).code == 0
    refused = here("rollback", "2", *database)
    assert refused.code == 4
    assert "is read-only" in refused.err


def test_a_hostile_exam_is_data_in_the_history(here: Run, demo: Sequence[str]) -> None:
    name = "\x1b[31m'; DROP TABLE shsim_run; --"
    quoted = name.replace("'", "''")
    execute(demo[1], f"UPDATE question_publications SET exam_code = '{quoted}'")  # noqa: S608
    here("calibrate", *demo[:2], "--exam", name, *SHORT_CALIBRATION)
    for arguments in (("history",), ("show", "1"), ("diff", "1", "1"), ("rollback", "1")):
        ended = here(*arguments, *demo[:2])
        assert ended.code == 0, ended.err
        assert "\x1b" not in ended.out + ended.err
