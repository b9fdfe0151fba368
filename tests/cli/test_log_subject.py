"""What a JSON log of several exams is told apart by: the exam on its lines, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from cli.test_log_format import JSON, lines, of
from front_door import QUICK, Run
from live_tests import respond
from storage.databases import execute, query
from storage.exams import published

#: One that changes k.
CALIBRATION = (*QUICK, "--iters", "3", "--verify-n", "20000", "--tau", "0.4")
SINCE = ("--since", "2020-01-01")
NOWHERE = ("--dsn", "postgresql://nobody@127.0.0.1:1/nowhere", "--exam", "FAR-1")


def exams(err: str, code: int) -> set[str | None]:
    """The exams that the lines name, but for the notes before one is known."""
    return {each.get("exam") for each in lines(err, code) if each["event"] != "note"}


def take_tests(dsn: str, most: int) -> None:
    """Attempts of some 200 tests: `most` on one item, twelve on each other; nothing else."""
    execute(dsn, "DELETE FROM user_responses")
    items = query(dsn, "SELECT question_id, version FROM item_calibration")
    attempts = dict.fromkeys(items, 12)
    respond(dsn, {**attempts, next(iter(attempts)): most})


def test_an_audit_over_the_cap_warns(here: Run, demo: Sequence[str]) -> None:
    take_tests(demo[1], 150)
    ended = here("audit", *demo, *SINCE, *JSON, "--quiet")
    found = lines(ended.err, 0)
    (verdict,) = of(found, "verdict")
    assert (verdict["level"], verdict["held"], verdict["tau"]) == ("warning", False, 0.2)
    assert verdict["max_exposure"] == pytest.approx(0.78, abs=0.01)
    assert "1 item is over it beyond noise" in verdict["message"]
    assert exams(ended.err, 0) == {"DEMO-EXAM"}
    ended = here("audit", *demo, *SINCE, *JSON, "--quiet", "--require-cap")
    assert exams(ended.err, 5) == {"DEMO-EXAM"}
    assert [each["event"] for each in lines(ended.err, 5)][-3:] == ["verdict", "error", "end"]


def test_an_audit_that_holds_the_cap_or_can_tell_nothing(here: Run, demo: Sequence[str]) -> None:
    execute(demo[1], "DELETE FROM user_responses")
    ended = here("audit", *demo, *SINCE, *JSON, "--quiet", "--format", "csv")
    (verdict,) = of(lines(ended.err, 0), "verdict")
    assert (verdict["level"], verdict["held"]) == ("warning", None)
    assert verdict["max_exposure"] is None
    assert ended.err.count("can't be told") == 1
    take_tests(demo[1], 12)
    found = lines(here("audit", *demo, *SINCE, *JSON, "--tau", "0.9").err, 0)
    (verdict,) = of(found, "verdict")
    assert (verdict["level"], verdict["held"], verdict["tau"]) == ("info", True, 0.9)


def test_in_text_a_miss_that_no_table_shows_is_a_warning(here: Run, demo: Sequence[str]) -> None:
    take_tests(demo[1], 150)
    ended = here("audit", *demo, *SINCE, "--format", "csv")
    assert ended.err.count("is not held live") == 1
    assert "warning: The cap of 0.2 is not held live" in ended.err
    ended = here("audit", *demo, *SINCE, "--format", "csv", "--quiet", "--require-cap")
    assert ended.err.count("is not held live") == 1


def test_each_command_names_its_exam(here: Run, demo: Sequence[str], tmp_path: Path) -> None:
    """On every line but the notes before: what they say is not about an exam."""
    pool, dsn = str(tmp_path / "pool.csv"), demo[:2]
    for words in (
        ("calibrate", *demo, *CALIBRATION),
        ("simulate", *demo, *QUICK),
        ("simulate", *demo, *QUICK, "--compare", "sh,none"),
        ("sweep", *demo, "--tau", "0.3", "--len", "10"),
        ("trace", *demo, "--seed", "1"),
        ("audit", *demo),
        ("export", *demo, "--output", pool),
        ("import", pool, *demo),
        ("history", *demo),
        ("show", "1", *dsn),
        ("diff", "1", "2", *dsn),
        ("calibrate", "--from-run", "1", "--dry-run", *dsn),
        ("rollback", "1", *dsn),
        ("db", "demo", *dsn),
    ):
        ended = here(*words, *JSON)
        assert exams(ended.err, 0) == {"DEMO-EXAM"}, words


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("calibrate", *NOWHERE), 4),
        (("simulate", *NOWHERE), 4),
        (("sweep", *NOWHERE), 4),
        (("trace", *NOWHERE), 4),
        (("audit", *NOWHERE), 4),
        (("export", *NOWHERE), 4),
        (("history", *NOWHERE), 4),
        (("proposals", *NOWHERE, "--redis", "redis://127.0.0.1:1/0"), 4),
        (("import", "/nowhere.csv", *NOWHERE), 3),
        (("import", "/nowhere.csv", *NOWHERE, "--dry-run", "--wait", "3"), 2),
        (("audit", *NOWHERE, "--tau", "7"), 2),
        (("calibrate", *NOWHERE, "--tau", "7"), 2),
        (("audit", "--exam", "FAR-1"), 3),
        (("simulate", "--exam", "FAR-1"), 3),
        (("proposals", "--exam", "FAR-1", "--since", "never"), 2),
    ],
)
def test_a_refusal_names_the_exam_that_was_typed(
    here: Run, words: tuple[str, ...], code: int
) -> None:
    assert exams(here(*words, *JSON).err, code) == {"FAR-1"}


def test_the_refusals_of_a_past_run_name_its_exam(here: Run, demo: Sequence[str]) -> None:
    dsn = demo[:2]
    here("calibrate", *demo, *CALIBRATION)
    here("rollback", "1", *dsn)
    here("simulate", *demo, *QUICK)
    for words, code in (
        (("rollback", "1", *dsn), 4),  # rolled back already
        (("rollback", "3", *dsn), 3),  # saved nothing
        (("calibrate", "--from-run", "3", *dsn), 3),
    ):
        assert exams(here(*words, *JSON).err, code) == {"DEMO-EXAM"}, words
    assert exams(here("rollback", "9", *dsn, *JSON).err, 3) == {None}


def test_two_runs_of_two_exams_name_none(here: Run, demo: Sequence[str]) -> None:
    published(demo[1], "OTHER", range(1, 51))
    here("simulate", *demo, *QUICK)
    here("simulate", *demo[:2], "--exam", "OTHER", *QUICK)
    assert exams(here("diff", "1", "2", *demo[:2], *JSON).err, 0) == {None}


def test_a_file_is_named_and_no_exam(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = str(tmp_path / "pool.csv")
    here("export", *demo, "--output", pool)
    monkeypatch.setenv("SHSIM_EXAM", "FAR-1")
    found = lines(here("simulate", "--pool", pool, *QUICK, *JSON).err, 0)
    assert {each.get("exam") for each in found} == {None}
    assert found[-1]["pool"] == pool
