"""A calibration killed at any moment goes on to the bytes of one that nobody killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from front_door import Run, command
from storage.databases import query

from shsim.storage.embedded import embedded_dsn

pytestmark = pytest.mark.compiled

#: shsim itself, but for the checkpoint: it is written after every iteration, so that a kill
#: meets the writing as often as it can.
EAGER = """
import shsim.workflow.checkpoints as checkpoints
checkpoints.PERIOD = checkpoints.SHARE = 0.0
from shsim.cli.app import main
main()
"""

#: Iterations that take half a second and more, and never meet their tolerance.
CASES = {
    "classical, position": ("--iters", "150", "--n", "6000", "--tol", "1e-6"),
    "classical, examinee": ("--rejection", "examinee", "--iters", "100", "--tol", "1e-6"),
    "eap": ("--ability", "eap", "--iters", "15", "--n", "4000", "--tol", "1e-6"),
    "damped": ("--method", "damped", "--iters", "90", "--n", "6000", "--tol", "1e-6"),
}


@dataclass(slots=True)
class Chain:
    """A run that is killed and started anew with the same command, as cron would."""

    folder: Path
    options: tuple[str, ...]
    form: str
    whole: object
    kills: int = 0
    resumed: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def place(self) -> Path:
        return self.folder / "c.run"

    def start(self, threads: int) -> subprocess.Popen[bytes]:
        arguments = command(
            "calibrate", *self.options, "--checkpoint", str(self.place), "--resume",
            "--format", self.form, "--threads", str(threads), "--output",
            str(self.folder / "k.csv"),
        )  # fmt: skip
        assert arguments[:3] == [sys.executable, "-m", "shsim"]
        return subprocess.Popen(
            [sys.executable, "-c", EAGER, *arguments[3:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def kill(self, seconds: float, threads: int) -> None:
        """Kill a run so many seconds after it has written a state of its own, or ended."""
        before = self.signature()
        run = self.start(threads)
        while self.signature() == before and run.poll() is None:
            time.sleep(0.001)
        time.sleep(seconds)
        run.send_signal(signal.SIGKILL)
        self.ended(run)
        self.kills += run.returncode == -signal.SIGKILL

    def signature(self) -> tuple[int, ...] | None:
        try:
            found = self.place.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def finish(self, threads: int) -> None:
        run = self.start(threads)
        self.ended(run)
        assert run.returncode == 0, self.said[-1]
        assert sorted(path.name for path in self.folder.iterdir()) == ["k.csv"]

    def ended(self, run: subprocess.Popen[bytes]) -> None:
        out, err = run.communicate(timeout=120)
        self.said.append(err.decode())
        self.resumed += b"going on after iteration" in err
        assert run.returncode in {0, -signal.SIGKILL}, self.said[-1]
        assert b"Traceback" not in err
        if run.returncode == 0:
            assert answer(out.decode(), self.form) == self.whole
        for left in self.folder.glob(".shsim-*.tmp"):  # of --output, staged when it was killed
            assert run.returncode == -signal.SIGKILL
            left.unlink()


def answer(out: str, form: str) -> object:
    """What a run printed, but for the time it took."""
    if form == "csv":
        return out
    document = json.loads(out)
    del document["seconds"]
    for record in document["history"]:
        del record["seconds"]
    return document


Make = Callable[[str, str], Chain]


@pytest.fixture
def chain(here: Run, demo_file: Path, tmp_path: Path) -> Make:
    """A chain of runs of a case, which knows what a run prints that nobody kills."""

    def make(case: str, form: str) -> Chain:
        pool = tmp_path / "pool.csv"
        dsn = embedded_dsn(demo_file)
        pool.write_text(here("export", "--dsn", dsn, "--exam", "DEMO-EXAM").out)
        options = ("--pool", str(pool), "--seed", "11", "--verify-n", "20000", *CASES[case])
        whole = here("calibrate", *options, "--format", form)
        assert whole.code == 0
        folder = tmp_path / "out"
        folder.mkdir()
        return Chain(folder, options, form, answer(whole.out, form))

    return make


@pytest.mark.parametrize(("case", "form"), list(zip(CASES, ("csv", "json") * 2, strict=True)))
def test_a_killed_run_goes_on_to_the_same_bytes(chain: Make, case: str, form: str) -> None:
    rng = np.random.default_rng(os.getpid())
    run = chain(case, form)
    for threads in (2, 1):
        run.kill(rng.uniform(0, 0.5), threads)
    run.finish(threads=2)
    assert run.kills >= 1
    assert run.resumed >= run.kills - 1


def test_a_killed_run_saves_what_one_that_nobody_killed_would(
    here: Run, demo_file: Path, tmp_path: Path
) -> None:
    dsn = embedded_dsn(demo_file)
    options = ("--dsn", dsn, "--exam", "DEMO-EXAM", "--seed", "11", "--verify-n", "20000",
               *CASES["classical, examinee"])  # fmt: skip
    whole = here("calibrate", *options, "--format", "csv", "--dry-run")
    folder = tmp_path / "out"
    folder.mkdir()
    run = Chain(folder, options, "csv", whole.out)
    run.kill(0.1, threads=2)
    run.finish(threads=1)
    assert (run.kills, run.resumed) == (1, 1)
    assert "Saved to" in run.said[-1]
    saved = {row["question_id"]: row["sh_p"] for row in csv.DictReader(whole.out.splitlines())}
    stored = query(dsn, "SELECT question_id, sh_p FROM item_exposure_control")
    assert {str(item): k for item, k in stored} == {item: float(k) for item, k in saved.items()}


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_a_hundred_kills(chain: Make, case: str) -> None:
    rng = np.random.default_rng(os.getpid())
    run = chain(case, "csv")
    for turn in range(25):
        run.kill(rng.exponential(0.3), 1 + turn % 3)
        if turn % 5 == 4:
            run.finish(threads=2)
            (run.folder / "k.csv").unlink()
    assert run.kills >= 15  # the others met a run that was over
    assert run.resumed >= 10
