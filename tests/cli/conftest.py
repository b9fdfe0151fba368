"""A command line with nothing of this machine's user in its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from front_door import Ended, Run, command, own_surroundings
from operators import Operator, granted
from postgres_server import Server
from small_disks import MakeDisk, mount, unmount

from shsim.cli.app import invoke
from shsim.cli.process import exit_code
from shsim.storage.embedded import embedded_dsn, make_embedded


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, a data folder of the test's own, 80 columns."""
    own_surroundings(monkeypatch, tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PYTHONUTF8", "1")


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        code = exit_code(lambda: invoke(list(arguments)))
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return run


@pytest.fixture
def process() -> Run:
    """Run a command as a process, with real streams."""

    def run(*arguments: str, stdin: str | None = None) -> Ended:
        ended = subprocess.run(
            command(*arguments), input=stdin, capture_output=True, text=True, check=False
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture(scope="session")
def _demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    make_embedded(path)
    return path


@pytest.fixture
def demo_file(_demo_file: Path, tmp_path: Path) -> Path:
    """A SQLite file with DEMO-EXAM in it."""
    return Path(shutil.copy(_demo_file, tmp_path / "qbank.sqlite"))


@pytest.fixture
def demo(demo_file: Path) -> Sequence[str]:
    """The options that name DEMO-EXAM in that file."""
    return ("--dsn", embedded_dsn(demo_file), "--exam", "DEMO-EXAM")


@pytest.fixture(params=["sqlite", "postgresql"])
def ours(request: pytest.FixtureRequest) -> Sequence[str]:
    """The options that name DEMO-EXAM in a database of either kind."""
    if request.param == "sqlite":
        return tuple(request.getfixturevalue("demo"))
    return ("--dsn", request.getfixturevalue("postgres_demo_dsn"), "--exam", "DEMO-EXAM")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[MakeDisk]:
    """Makes a disk of so many kB."""
    made: list[Path] = []

    def make(kilobytes: int) -> Path:
        folder = tmp_path / f"disk{len(made)}"
        folder.mkdir()
        mount(folder, kilobytes)
        made.append(folder)
        return folder

    yield make
    for folder in made:
        unmount(folder)


@pytest.fixture
def operator(postgres_server: Server, postgres_dsn: str) -> Iterator[Operator]:
    """A role with the grants of the README, beside the owner of the tables."""
    name = f"shsim_operator_{os.getpid()}"
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    its = Operator(postgres_server, postgres_dsn, name)
    its.execute("REVOKE ALL ON DATABASE qbank FROM PUBLIC")
    its.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for statement in granted():
        its.grant(statement)
    yield its
    its.execute(f"DROP OWNED BY {name}")
    postgres_server.execute(f"DROP ROLE {name}")
