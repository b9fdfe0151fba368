"""`--output` replaces a file whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from front_door import Run

from shsim.cli.output_file import OutputFile
from shsim.errors import DataError, UsageError


def output(path: Path) -> OutputFile[str]:
    return OutputFile[str](str(path), lambda result, form: f"{form}: {result}\n")


@pytest.mark.parametrize("suffix", ["csv", "json", "CSV"])
def test_the_suffix_names_the_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"k.{suffix}"
    with output(path) as file:
        file.stage("new")
        assert not path.exists()
        file.publish()
    assert path.read_text() == f"{suffix.lower()}: new\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_published_disappears(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_text("old")
    with output(path) as file:
        file.stage("new")
        assert len(list(tmp_path.iterdir())) == 2
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_file_keeps_its_mode_and_a_new_one_takes_the_umask(tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("old")
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        for path in (old, new):
            with output(path) as file:
                file.stage("x")
                file.publish()
    finally:
        os.umask(before)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    assert old.read_text() == "csv: x\n"


def test_a_links_target_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "k.csv", tmp_path / "link.csv"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    with output(link) as file:
        file.stage("new")
        file.publish()
    assert link.is_symlink()
    assert target.read_text() == "csv: new\n"


def test_what_cannot_work_is_refused_before_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "round.csv").symlink_to(tmp_path / "round.csv")
    plain = tmp_path / "plain"
    plain.write_text("")
    for path in (
        folder,
        tmp_path / "pipe.csv",
        tmp_path / "none" / "k.csv",
        plain / "k.csv",
        tmp_path / "round.csv",
        tmp_path / f"{'x' * 300}.csv",
    ):
        with pytest.raises(DataError, match=r"^--output .*folder that exists"):
            output(path)
    for name in ("k", "k.txt", "k.csv.gz", ""):
        with pytest.raises(UsageError, match="must end in"):
            output(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(DataError, match="Permission denied"):
        output(tmp_path / "k.csv")
    tmp_path.chmod(0o755)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_text("old")
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with output(path) as file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
            with pytest.raises(DataError, match="File too large"):
                file.stage("x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("export", "--dsn", "sqlite:///q.csv", "--output", "q.csv"), "q.csv"),
        (("export", "--dsn", "sqlite:///q.csv", "--output", "link.csv"), "q.csv"),
        (("export", "--dsn", "sqlite:///q.csv", "--output", "hard.csv"), "q.csv"),
        (("history", "--dsn", "sqlite:///new.json", "--output", "./new.json"), "new.json"),
        (("calibrate", "--dsn", "sqlite:///q.csv", "--output", "lock.csv"), "q.csv"),
        (("calibrate", "--dsn", "sqlite:///q", "--checkpoint", "q.A-559aead0.lock"), "q"),
        (("calibrate", "--dsn", "sqlite:///q", "--checkpoint", "q-wal"), "q"),
        (("calibrate", "--pool", "p.csv", "--output", "p.csv"), "p.csv"),
        (("sweep", "--pool", "none.csv", "--theta", "file:p.csv", "--output", "p.csv"), "p.csv"),
        (("simulate", "--prior", "file:p.csv", "--output", "p.csv"), "p.csv"),
        (("trace", "--blueprint", "p.csv", "--output", "p.csv"), "p.csv"),
        (("export", "--config", "c.csv", "--output", "c.csv"), "c.csv"),
    ],
)
def test_what_a_run_lives_on_is_not_replaced(
    here: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("q.csv", "p.csv", "c.csv"):
        Path(name).write_text("")
    Path("link.csv").symlink_to("q.csv")
    Path("hard.csv").hardlink_to("q.csv")
    Path("lock.csv").symlink_to("q.csv.DEMO-EXAM-1c3f3c8a.lock")
    before = sorted(tmp_path.iterdir())
    ended = here(*options)
    assert ended.code in {2, 3}  # 3 where data are wrong too
    assert " would replace " in ended.err
    assert f"{named}. Give another name.\n" in ended.err
    assert sorted(tmp_path.iterdir()) == before
