"""A run killed at any moment: k are all old or all new, and so the ledger; the next run works."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from forked_runs import ForkedRun, Starter, starter
from storage.databases import query
from storage.exams import drawn

from shsim.storage.open import open_store

#: As large as saving needs to be to take a while.
ITEMS = 20_000

#: Each makes a table that differs from the other's in every row.
CEILINGS = ("0.9", "0.8")

Table = tuple[tuple[int, float], ...]


def calibration(dsn: str, *options: str) -> list[str]:
    """A calibration of exam E that is soon over."""
    return [
        "calibrate", "--dsn", dsn, "--exam", "E", "--restart", "--n", "1024", "--iters", "2",
        "--theta", "fixed:0", "--tau", "1", "--verify-n", "2000", "--seed", "1", "--quiet",
        *options,
    ]  # fmt: skip


@dataclass(slots=True)
class Exam:
    """An exam, its two possible tables, and how long one takes to be saved."""

    dsn: str
    folder: Path
    starter: Starter
    tables: dict[str, Table] = field(default_factory=dict)
    seconds: float = 0.0

    def start(self, ceiling: str) -> ForkedRun:
        (run,) = self.starter.start([calibration(self.dsn, "--ceil", ceiling, "--output",
                                                 str(self.folder / "k.csv"))])  # fmt: skip
        return run

    def wait_for_saving(self, run: ForkedRun) -> None:
        """Until the file is staged, which is what a run does just before it saves."""
        while not self.staged() and run.poll() is None:
            time.sleep(0.001)

    def staged(self) -> list[Path]:
        return list(self.folder.glob(".shsim-*.tmp"))

    def stored(self) -> Table:
        return tuple(
            query(self.dsn, "SELECT question_id, sh_p FROM item_exposure_control ORDER BY 1")
        )

    def saved(self) -> int:
        """Saved runs on record."""
        return int(query(self.dsn, "SELECT count(*) FROM shsim_run WHERE outcome = 'saved'")[0][0])

    def last_saved(self) -> tuple[Table, Table]:
        """What the last of them found and left, by its record."""
        rows = query(
            self.dsn,
            "SELECT question_id, k_before, k_after FROM shsim_run_item WHERE run ="
            " (SELECT max(id) FROM shsim_run WHERE outcome = 'saved') ORDER BY 1",
        )
        return tuple(row[:2] for row in rows), tuple((row[0], row[2]) for row in rows)

    def finish(self, ceiling: str) -> None:
        """A run that nobody kills."""
        run = self.start(ceiling)
        self.wait_for_saving(run)
        begun = time.monotonic()
        ended = run.ended()
        assert ended.code == 0, ended.err
        self.seconds = time.monotonic() - begun

    def kill(self, number: signal.Signals, moment: float, ceiling: str) -> tuple[bool, bool]:
        """Kill a run at a share of its saving; whether it was, and the table is the new one.

        That this run gets as far as saving shows that the one killed before left no lock.
        """
        before, recorded = self.stored(), self.saved()
        run = self.start(ceiling)
        self.wait_for_saving(run)
        time.sleep(moment * self.seconds)
        run.send_signal(number)
        found = run.ended(60)
        ended, err = found.code, found.err
        assert ended in {-signal.SIGKILL, -signal.SIGTERM, 130, 0}, err
        assert "Traceback" not in err
        for left in self.staged():
            assert ended == -signal.SIGKILL
            left.unlink()
        if self.dsn.startswith("postgresql") or "host=" in self.dsn:
            self._wait_for_the_server()
        after = self.stored()
        new = self.tables[ceiling]
        assert after in (before, new)
        # A run is on record as saved if and only if its k are.
        assert self.saved() - recorded == (after == new)
        found, left_behind = self.last_saved()
        assert left_behind == after
        if after == new:
            assert found == before
        rows = query(self.dsn, "SELECT count(*) FROM shsim_run_item")[0][0]
        assert rows == self.saved() * ITEMS
        if ended in {0, -signal.SIGTERM}:  # the latter kills a process that is done, and leaving
            assert after == new
        return ended != 0, after == new

    def _wait_for_the_server(self) -> None:
        """Until it has seen that its client is gone."""
        deadline = time.monotonic() + 30
        while query(self.dsn, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"):
            assert time.monotonic() < deadline, "the lock of a killed run stays"
            time.sleep(0.02)


@pytest.fixture
def exam(dsn: str, tmp_path: Path) -> Iterator[Exam]:
    """Exam E with many items."""
    with closing(open_store(dsn)) as store:
        store.import_pool(drawn("E", ITEMS, k_stored=False))
    folder = tmp_path / "out"
    folder.mkdir()
    with starter(calibration(dsn, "--dry-run"), tmp_path) as started:
        yield from known(Exam(dsn, folder, started))


def known(made: Exam) -> Iterator[Exam]:
    """The exam with both of its tables known; in the end it is as sound as before."""
    for ceiling in CEILINGS:
        made.finish(ceiling)
        made.tables[ceiling] = made.stored()
        assert len(made.tables[ceiling]) == ITEMS
    first, second = (made.tables[ceiling] for ceiling in CEILINGS)
    assert sum(a != b for a, b in zip(first, second, strict=True)) > 0.99 * ITEMS
    yield made
    made.finish(CEILINGS[0])
    assert made.stored() == made.tables[CEILINGS[0]]
    assert [path.name for path in made.folder.iterdir()] == ["k.csv"]
    if made.dsn.startswith("sqlite:"):  # a lock or journal that was left is gone with the next run
        beside = [path.name for path in made.folder.parent.glob("qbank*")]
        assert beside == ["qbank.sqlite"]


def kill_often(exam: Exam, times: int, seed: int) -> None:
    """Kill so many runs by SIGKILL, and some between by SIGTERM, all over the saving."""
    rng = np.random.default_rng(seed)
    in_force = CEILINGS[1]
    killed = 0
    for turn in itertools.count():
        if killed == times:
            break
        assert turn < 3 * times, "runs end before they are killed"
        number = signal.SIGTERM if turn % 6 == 5 else signal.SIGKILL
        other = CEILINGS[1 - CEILINGS.index(in_force)]
        # One in each part of the saving, and some beyond it.
        moment = 1.1 * (rng.random() + turn % times) / times
        was_killed, is_new = exam.kill(number, moment, other)
        killed += was_killed and number == signal.SIGKILL
        if is_new:
            in_force = other


def test_killed_runs_leave_all_of_the_old_k_or_all_of_the_new(exam: Exam) -> None:
    kill_often(exam, 20, seed=os.getpid())


@pytest.mark.long
def test_hundreds_of_killed_runs(exam: Exam) -> None:
    kill_often(exam, 150, seed=os.getpid())
