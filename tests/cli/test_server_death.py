"""The PostgreSQL server dies under a run and comes back: k are all old or all new, as on record."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from front_door import command
from postgres_server import Server, own_server
from storage.databases import query
from storage.exams import drawn

from shsim.errors import DatabaseError
from shsim.storage.open import open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

ITEMS = 10_000

#: The server's postmaster and its children are killed, or it leaves without saying good-bye.
DEATHS = (signal.SIGKILL, signal.SIGQUIT)

Table = list[tuple[int, float]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that keeps what it has committed."""
    with own_server(durable=True) as started:
        yield started


@dataclass(slots=True)
class Exam:
    """Exam E with many items, on a server that dies."""

    server: Server
    dsn: str
    folder: Path
    seconds: float = 0.0

    def start(self, seed: int) -> subprocess.Popen[str]:
        """A run whose k differ from those of another seed."""
        return subprocess.Popen(
            command(
                "calibrate", "--dsn", self.dsn, "--exam", "E", "--restart", "--method", "damped",
                "--ceil", f"{0.9 - seed / 1000}", "--n", "1024", "--iters", "30", "--verify-n",
                "2000", "--seed", str(seed), "--output", str(self.folder / "k.csv"),
                "--log-format", "json",
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def wait_for_saving(self, run: subprocess.Popen[str]) -> None:
        """Until the file is staged, which is what a run does just before it saves."""
        while not list(self.folder.glob(".shsim-*.tmp")) and run.poll() is None:
            time.sleep(0.001)

    def stored(self) -> Table:
        return query(self.dsn, "SELECT question_id, sh_p FROM item_exposure_control ORDER BY 1")

    def saved(self) -> int:
        return int(query(self.dsn, "SELECT count(*) FROM shsim_run WHERE outcome = 'saved'")[0][0])

    def last_saved(self) -> Table:
        return query(
            self.dsn,
            "SELECT question_id, k_after FROM shsim_run_item WHERE run ="
            " (SELECT max(id) FROM shsim_run WHERE outcome = 'saved') ORDER BY 1",
        )

    def judge(self, run: subprocess.Popen[str], before: Table, recorded: int) -> None:
        """The run has said what is true, and k agree with the ledger."""
        _, said = run.communicate(timeout=300)
        events = [json.loads(line) for line in said.splitlines()]
        assert run.returncode in {0, 4}, said
        after, new = self.stored(), self.saved() - recorded
        assert new in {0, 1}
        assert (after == before) != new
        assert self.last_saved() == after
        assert query(self.dsn, "SELECT count(*) FROM shsim_run_item") == [(ITEMS * self.saved(),)]
        if run.returncode == 0:
            assert new
            assert [each["changed"] for each in events if each["event"] == "saved"] == [ITEMS]
        else:
            (fault,) = [each["message"] for each in events if each["event"] == "error"]
            assert "\n" not in fault
            assert "all of that stands or nothing" in fault or not new

    def finish(self, seed: int) -> None:
        """A run on a server that lives."""
        before, recorded = self.stored(), self.saved()
        run = self.start(seed)
        self.wait_for_saving(run)
        begun = time.monotonic()
        self.judge(run, before, recorded)
        assert run.returncode == 0
        self.seconds = time.monotonic() - begun


@pytest.fixture
def exam(server: Server, tmp_path: Path) -> Exam:
    dsn = server.create_database()
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(drawn("E", ITEMS, k_stored=True))
    return Exam(server, dsn, tmp_path)


def test_a_server_that_dies_during_the_iterations_is_back_for_the_save(exam: Exam) -> None:
    before, recorded = exam.stored(), exam.saved()
    run = exam.start(1)
    assert run.stderr is not None
    for line in run.stderr:
        if json.loads(line)["event"] == "iteration":
            break
    exam.server.crash(signal.SIGKILL)
    exam.server.start()
    exam.judge(run, before, recorded)
    assert run.returncode == 0
    exam.finish(2)


def die_often(exam: Exam, times: int) -> None:
    """Let the server die at moments spread over the saving, and somewhat beyond."""
    exam.finish(1)
    for turn, death in zip(range(times), cycle(DEATHS), strict=False):
        before, recorded = exam.stored(), exam.saved()
        run = exam.start(2 + turn)
        exam.wait_for_saving(run)
        time.sleep(1.1 * exam.seconds * turn / times)
        exam.server.crash(death)
        exam.server.start()
        exam.judge(run, before, recorded)
    exam.finish(2 + times)


def test_a_server_that_dies_during_the_save(exam: Exam) -> None:
    die_often(exam, 3)


@pytest.mark.long
def test_a_server_that_dies_often(exam: Exam) -> None:
    die_often(exam, 40)


@pytest.mark.parametrize("death", DEATHS)
def test_a_server_that_stays_down_is_an_error(
    exam: Exam, death: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.postgres_session.BACKOFF", (0.01, 1.0))
    with closing(open_store(exam.dsn)) as store:
        with store.exam_lock("E"):
            pool = store.load_pool("E")
            exam.server.crash(death)
            with pytest.raises(DatabaseError, match=r"is listening there\. Start it") as said:
                store.save_k(pool, np.full(ITEMS, 0.5))
            assert str(said.value).endswith("was waited for in vain for 1 s. Nothing was saved.")
        with pytest.raises(DatabaseError, match="no server is listening there") as said:
            store.load_pool("E")
        assert str(said.value).endswith("was waited for in vain for 1 s.")
        exam.server.start()
        assert (store.load_pool("E").k == pool.k).all()


@pytest.mark.long
def test_a_run_whose_server_stays_down_ends_with_one_line(exam: Exam) -> None:
    run = exam.start(1)
    exam.wait_for_saving(run)
    exam.server.crash(signal.SIGKILL)
    _, said = run.communicate(timeout=120)
    exam.server.start()
    assert run.returncode == 4
    (fault,) = [each for each in map(json.loads, said.splitlines()) if each["event"] == "error"]
    assert "no server is listening there" in fault["message"]
    assert re.search(r"was waited for in vain for 3\d s\. Nothing was saved\.", fault["message"])
    assert "\n" not in fault["message"]
