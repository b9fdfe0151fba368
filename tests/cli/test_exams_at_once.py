"""Runs on two exams at once: they don't wait for each other, and lose nothing that they share."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from forked_runs import starter
from front_door import Run, command
from storage.databases import connect, execute, query
from storage.exams import published
from storage.waiting import wait_until, waiting

BRIEF = ("--n", "1024", "--iters", "2", "--verify-n", "2048", "--len", "5", "--tau", "0.4")
CALIBRATION = ("calibrate", *BRIEF, "--threads", "1")


def started(dsn: str, exam: str) -> subprocess.Popen[str]:
    """A run that the server shows under its exam's name."""
    return subprocess.Popen(
        command(*CALIBRATION, "--exam", exam, "--dsn", dsn, "--seed", "1"),
        env={**os.environ, "PGAPPNAME": f"exam {exam}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_rows(dsn: str, run: subprocess.Popen[str], exam: str) -> None:
    """Until the run is saving, and somebody has its rows."""
    for _ in range(12):
        try:
            wait_until(lambda: waiting(dsn, f"exam {exam}") or run.poll() is not None)
        except pytest.fail.Exception:
            continue
        break
    assert run.poll() is None, run.stderr and run.stderr.read()


def broken_chains(dsn: str) -> list[tuple[object, ...]]:
    """Items that a saved run found with another k than the saved run before had left."""
    return query(
        dsn,
        "SELECT * FROM (SELECT run, question_id, k_before, lag(k_after) OVER"
        " (PARTITION BY question_id ORDER BY run) AS left_before FROM shsim_run_item) found"
        " WHERE left_before IS NOT NULL AND k_before IS DISTINCT FROM left_before",
    )


def test_an_exam_is_saved_while_another_is_being_saved(here: Run, postgres_dsn: str) -> None:
    published(postgres_dsn, "E", range(1, 41))
    published(postgres_dsn, "F", range(101, 141))
    with closing(connect(postgres_dsn)) as blocker:
        blocker.cursor().execute(
            "SELECT 1 FROM item_exposure_control WHERE question_id < 100 FOR UPDATE"
        )
        run = started(postgres_dsn, "E")
        wait_for_rows(postgres_dsn, run, "E")
        ended = here(*CALIBRATION, "--exam", "F", "--dsn", postgres_dsn)
        assert ended.code == 0, ended.err
        assert query(postgres_dsn, "SELECT exam FROM shsim_run") == [("F",)]
        blocker.rollback()
    _, said = run.communicate(timeout=60)
    assert run.returncode == 0, said
    assert query(postgres_dsn, "SELECT exam FROM shsim_run ORDER BY id") == [("F",), ("E",)]


@pytest.mark.parametrize(("first", "second"), [("E", "F"), ("F", "E")])
def test_the_later_save_of_shared_items_is_refused_and_names_them(
    here: Run, postgres_dsn: str, first: str, second: str
) -> None:
    """Both have loaded the same k, and hold some rows while they wait for others."""
    published(postgres_dsn, "E", range(1, 41))
    published(postgres_dsn, "F", range(60, 20, -1))
    with closing(connect(postgres_dsn)) as blocker:
        blocker.cursor().execute(
            "SELECT 1 FROM item_exposure_control WHERE question_id = 30 FOR UPDATE"
        )
        runs = []
        for exam in (first, second):
            runs.append(started(postgres_dsn, exam))
            wait_for_rows(postgres_dsn, runs[-1], exam)
        blocker.rollback()
    said = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 4], said
    assert "shsim: item 21/1: sh_p was 0.9 and is " in said[1]
    assert not broken_chains(postgres_dsn)
    outcomes = "SELECT exam, outcome FROM shsim_run ORDER BY id"
    assert query(postgres_dsn, outcomes) == [(first, "saved"), (second, "refused")]
    assert here(*CALIBRATION, "--exam", second, "--dsn", postgres_dsn).code == 0
    assert not broken_chains(postgres_dsn)
    # Shared items are with the second now; the rest of the first is as that left it.
    assert query(postgres_dsn, "SELECT count(*) FROM shsim_run_item") == [(80,)]


def test_many_runs_on_exams_that_share_items_lose_no_update(dsn: str, tmp_path: Path) -> None:
    published(dsn, "E", range(1, 41))
    published(dsn, "F", range(60, 20, -1))
    execute(dsn, "DELETE FROM item_exposure_control WHERE question_id BETWEEN 25 AND 35")
    same = (*CALIBRATION, "--dsn", dsn)
    commands = [
        (*same, "--exam", "EF"[seed % 2], "--seed", str(seed), "--wait", "500") for seed in range(8)
    ]
    with starter((*same, "--exam", "E", "--dry-run"), tmp_path) as started:
        ended = [run.ended() for run in started.start(commands)]
    saved = [each for each in ended if each.code == 0]
    assert saved
    for each in ended:
        if each.code != 0:
            assert each.code == 4
            assert "sh_p was " in each.err
    assert not broken_chains(dsn)
    assert query(dsn, "SELECT count(*) FROM shsim_run WHERE outcome = 'saved'") == [(len(saved),)]
    if not dsn.startswith("sqlite:"):
        # A deadlock is begun anew and so does no harm that would show here.
        seen = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert query(dsn, seen) == [(0,)]
