"""Twenty runs on one exam, two exams at once, exams that share items: real processes."""

from __future__ import annotations

import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from forked_runs import ForkedRun, starter
from front_door import Ended, Run, command
from storage.databases import connect, query
from storage.exams import published
from storage.waiting import wait_until

from shsim.storage.open import open_store

MANY = 20
BRIEF = ("--n", "1024", "--iters", "2", "--verify-n", "2048", "--len", "5", "--tau", "0.4")
CALIBRATION = ("calibrate", *BRIEF, "--threads", "1", "--exam")
#: Longer than twenty runs take, however loaded the machine.
LONG = "500"


@pytest.fixture
def exam(dsn: str) -> str:
    """Exam E, in either database."""
    published(dsn, "E", range(1, 41))
    return dsn


@pytest.fixture
def postgres_exam(postgres_dsn: str) -> str:
    published(postgres_dsn, "E", range(1, 41))
    return postgres_dsn


@contextmanager
def many(dsn: str, folder: Path, *options: str) -> Iterator[list[ForkedRun]]:
    """Twenty runs at once, whose k differ."""
    same = (*CALIBRATION, "E", "--dsn", dsn)
    runs = [(*same, "--seed", str(seed), *options) for seed in range(1, MANY + 1)]
    with starter((*same, "--dry-run", "--seed", "1"), folder) as started:
        yield started.start(runs)


def require_chain(dsn: str, runs: int) -> None:
    """So many saved runs, each from the k that the one before left, none during another."""
    saved = query(
        dsn, "SELECT id, started, finished FROM shsim_run WHERE outcome = 'saved' ORDER BY id"
    )
    assert len(saved) == runs
    # SQLite's are text, which compares alike.
    for (_, _, finished), (_, started, _) in pairwise(saved):
        assert started >= finished
    for (former, _, _), (later, _, _) in pairwise(saved):
        broken = query(
            dsn,
            "SELECT count(*) FROM shsim_run_item a LEFT JOIN shsim_run_item b"  # noqa: S608
            " ON b.question_id = a.question_id AND b.version = a.version"
            f" AND b.run = {later} AND b.k_before = a.k_after"
            f" WHERE a.run = {former} AND b.run IS NULL",
        )
        assert broken == [(0,)]
    last = saved[-1][0]
    assert query(
        dsn,
        "SELECT question_id, k_after FROM shsim_run_item"  # noqa: S608
        f" WHERE run = {last} ORDER BY 1",
    ) == query(dsn, "SELECT question_id, sh_p FROM item_exposure_control ORDER BY 1")


def refused(ended: Ended) -> str:
    """The one line of a run that found the exam taken."""
    assert ended.code == 4, ended.err
    line = ended.err.splitlines()[-1]
    assert line.startswith("shsim: E is in use: its lock in ")
    return line


@pytest.mark.parametrize("dsn", ["sqlite"], indirect=True)
def test_twenty_at_once_save_one_at_a_time_and_name_who_was_first(
    exam: str, tmp_path: Path
) -> None:
    with many(exam, tmp_path) as runs:
        ended = [run.ended() for run in runs]
    codes = Counter(each.code for each in ended)
    assert set(codes) <= {0, 4}
    assert codes[0] >= 1
    named = []
    for run, each in zip(runs, ended, strict=True):
        if each.code == 4:
            # Who has only just taken it has not signed yet, and who has just ended no longer does.
            pid = re.search(
                r" is held by (?:process (\d+) of user \S+ on \S+, since 20|a process that has just"
                r" ended|another process)",
                refused(each),
            )
            assert pid is not None
            assert "or let it wait: --wait SECONDS." in each.err
            if pid[1]:
                named.append(int(pid[1]))
                assert named[-1] != run.pid
    assert bool(named) == bool(codes[4])
    assert set(named) <= {run.pid for run, each in zip(runs, ended, strict=True) if not each.code}
    require_chain(exam, codes[0])


def test_twenty_that_wait_are_all_done_one_after_the_other(exam: str, tmp_path: Path) -> None:
    with many(exam, tmp_path, "--wait", LONG) as runs:
        ended = [run.ended() for run in runs]
    assert [each.code for each in ended] == [0] * MANY, [each.err for each in ended if each.code]
    require_chain(exam, MANY)
    assert any(f"waiting up to {LONG} s for its end" in each.err for each in ended)


def test_nineteen_are_refused_while_one_saves(postgres_exam: str, tmp_path: Path) -> None:
    """The first has the exam for as long as its rows are held."""
    with closing(connect(postgres_exam)) as blocker:
        blocker.cursor().execute("SELECT 1 FROM item_exposure_control FOR UPDATE")
        with many(postgres_exam, tmp_path) as runs:
            wait_for(lambda: sum("is in use" in run.said() for run in runs) == MANY - 1)
            ((holder,),) = query(
                postgres_exam,
                "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            blocker.rollback()
            ended = [run.ended() for run in runs]
    assert sorted(each.code for each in ended) == [0] + [4] * (MANY - 1)
    for each in ended:
        if each.code:
            assert f"held by shsim (process {holder} of the server" in refused(each)
    require_chain(postgres_exam, 1)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait as long as a loaded machine needs to start many processes."""
    for _ in range(10):
        with suppress(pytest.fail.Exception):
            wait_until(condition)
            return
    pytest.fail("what was waited for never happened")


def test_who_is_waited_for_is_said_and_how_long_it_was_in_vain(here: Run, exam: str) -> None:
    with closing(open_store(exam, application_name="night")) as store, store.exam_lock("E"):
        ended = here(*CALIBRATION, "E", "--dsn", exam, "--wait", "1")
    assert ended.code == 4
    assert "shsim: E is held by " in ended.err
    assert ": waiting up to 1 s for its end\n" in ended.err
    assert refused(ended).endswith(
        ", after 1 s of waiting. Nothing was written. Run again when that has ended."
    )
    if not exam.startswith("sqlite"):
        assert "E is held by night (process " in ended.err


@pytest.mark.parametrize("command_line", ["rollback", "import"])
def test_other_commands_that_save_wait_too(
    here: Run, exam: str, tmp_path: Path, command_line: str
) -> None:
    assert here(*CALIBRATION, "E", "--dsn", exam).code == 0
    file = tmp_path / "pool.csv"
    file.write_text(here("export", "--exam", "E", "--dsn", exam).out)
    arguments = {"rollback": ("rollback", "1"), "import": ("import", str(file), "--exam", "E")}
    arguments = (*arguments[command_line], "--dsn", exam)
    with closing(open_store(exam)) as store:
        with store.exam_lock("E"):
            assert "or let it wait: --wait SECONDS" in here(*arguments).err
            waiting_run = subprocess.Popen(
                command(*arguments, "--wait", LONG), stderr=subprocess.PIPE, text=True
            )
            assert waiting_run.stderr is not None
            said = iter(waiting_run.stderr.readline, "")
            assert any("is held by" in line for line in said)
        assert any("E is free, after" in line for line in said)
    waiting_run.communicate(timeout=60)
    assert waiting_run.returncode == 0


def test_ctrl_c_ends_the_waiting_at_once(exam: str) -> None:
    """The exam is still held when the run has ended; nothing stays of it in the server."""
    with closing(open_store(exam, application_name="first")) as store, store.exam_lock("E"):
        run = subprocess.Popen(
            command(*CALIBRATION, "E", "--dsn", exam, "--wait", LONG),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert run.stderr is not None
        said = iter(run.stderr.readline, "")
        assert any("is held by" in line for line in said)
        if not exam.startswith("sqlite"):
            state = (
                "SELECT state, backend_xmin FROM pg_stat_activity WHERE wait_event = 'ClientRead'"
            )
            ours = " AND application_name = 'shsim' AND datname = current_database()"
            wait_until(lambda: set(query(exam, state + ours)) == {("idle", None)})
        run.send_signal(signal.SIGINT)
        _, rest = run.communicate(timeout=60)
    assert run.returncode == 130
    assert rest.endswith("shsim: interrupted; nothing was saved\n")


def test_the_pool_is_loaded_after_the_waiting(here: Run, exam: str) -> None:
    """What the other run saved is where this one begins; else its save would be refused."""
    with closing(open_store(exam)) as store:
        with store.exam_lock("E"):
            pool = store.load_pool("E")
            run = subprocess.Popen(
                command(*CALIBRATION, "E", "--dsn", exam, "--wait", LONG),
                stderr=subprocess.PIPE,
                text=True,
            )
            assert run.stderr is not None
            assert any("is held by" in line for line in iter(run.stderr.readline, ""))
            store.save_k(pool, np.full(40, 0.123))
        _, rest = run.communicate(timeout=60)
    assert run.returncode == 0, rest
    assert query(exam, "SELECT DISTINCT k_before FROM shsim_run_item") == [(0.123,)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("calibrate", "--wait", "5", "--dry-run"), "and --dry-run does not save"),
        (("rollback", "1", "--wait", "5", "--dry-run"), "and --dry-run does not save"),
        (("import", "x.csv", "--exam", "E", "--wait", "5", "--dry-run"), "does not save"),
        (("calibrate", "--wait", "-1"), "'--wait': -1 is not in the range x>=0."),
        (("calibrate", "--wait", "soon"), "'--wait': 'soon' is not a valid integer"),
    ],
)
def test_waiting_that_would_be_ignored_is_refused(
    here: Run, arguments: tuple[str, ...], words: str
) -> None:
    ended = here(*arguments)
    assert ended.code == 2
    assert words in ended.err


def test_waiting_can_be_set_elsewhere(
    here: Run, exam: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it is for the runs that save, and no obstacle to others."""
    (tmp_path / "c.toml").write_text("wait = 1\n")
    monkeypatch.setenv("SHSIM_CONFIG", str(tmp_path / "c.toml"))
    with closing(open_store(exam)) as store, store.exam_lock("E"):
        assert "after 1 s of waiting" in here(*CALIBRATION, "E", "--dsn", exam).err
        monkeypatch.setenv("SHSIM_WAIT", "0")
        assert "of waiting" not in here(*CALIBRATION, "E", "--dsn", exam).err
        monkeypatch.setenv("SHSIM_WAIT", "1")
        assert here(*CALIBRATION, "E", "--dsn", exam, "--dry-run").code == 0
