"""A folder with a database, a pool and a checkpoint, and shsim started on damaged input in it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from front_door import Ended, command, own_surroundings
from fuzz.surfaces import CALIBRATION, POOL, Folder, Start

from shsim.cli.app import invoke
from shsim.cli.process import exit_code
from shsim.cli.progress import Narrator
from shsim.model.results import IterationRecord

Door = Callable[[Start], Ended]


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own_surroundings(monkeypatch, tmp_path)
    monkeypatch.setenv("PYTHONUTF8", "1")


@contextlib.contextmanager
def surrounded(start: Start) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(start.environment)
    try:
        yield
    finally:
        for name in start.environment:
            del os.environ[name]
        os.environ.update(before)


@pytest.fixture
def door() -> Door:
    """The real front door, in this process."""

    def run(start: Start) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        with surrounded(start), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = exit_code(lambda: invoke(list(start.arguments)))
        return Ended(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def process() -> Door:
    """The same as a process of its own."""

    def run(start: Start) -> Ended:
        ended = subprocess.run(
            command(*start.arguments),
            env={**os.environ, **start.environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def folder(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A database with FUZZ and a run in it, a pool of other items, and a checkpoint."""
    made = Folder(tmp_path / "here")
    made.path.mkdir()
    pool = Path(made.pool)
    pool.write_bytes(POOL.replace(b"\n", b"\n9000").removesuffix(b"9000"))
    for arguments in (
        ("db", "init", "--dsn", made.dsn),
        ("import", made.pool, "--exam", "FUZZ", "--dsn", made.dsn),
        ("simulate", "--exam", "FUZZ", "--dsn", made.dsn, "--len", "2", "--n", "10"),
    ):
        assert door(Start(arguments)).code == 0
    pool.write_bytes(POOL)

    def stop(self: Narrator, record: IterationRecord, items_over: int) -> None:
        if record.iter == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Narrator, "iteration", stop)
        kept = str(made.path / "sound.run")
        assert door(Start([*CALIBRATION, kept, "--seed", "3", "--pool", made.pool])).code == 130
    return made
