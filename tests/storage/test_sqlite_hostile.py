"""A SQLite database that others have left in a state: half written, or with odd names."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from storage.databases import POOL, pool_of

from shsim.errors import DatabaseError, DataError
from shsim.storage.checkpoint_file import CheckpointFile
from shsim.storage.dsn import Dsn
from shsim.storage.exam_lock_file import lock_path
from shsim.storage.open import open_store
from shsim.storage.sqlite_session import SqliteSession


@pytest.fixture
def filled_file(tmp_path: Path) -> Path:
    path = tmp_path / "whole.sqlite"
    with closing(open_store(f"sqlite:///{path}")) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
    return path


def half_written(whole: Path, folder: Path) -> Path:
    """The file as a run leaves it that was killed while it wrote: pages, and how to undo them."""
    folder.mkdir()
    with closing(sqlite3.connect(whole, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("CREATE TABLE filler AS SELECT zeroblob(200000) AS x")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE item_exposure_control SET sh_p = 0.125")
        writer.execute("UPDATE filler SET x = randomblob(200000)")
        for file in (whole, whole.with_name(f"{whole.name}-journal")):
            shutil.copy(file, folder / file.name)
        writer.execute("ROLLBACK")
    return folder / whole.name


def test_reading_undoes_what_a_killed_run_left_half_done(filled_file: Path, tmp_path: Path) -> None:
    left = half_written(filled_file, tmp_path / "left")
    with closing(open_store(f"sqlite:///{left}", read_only=True)) as store:
        assert store.load_pool("E").k.tolist() == POOL["k"].tolist()
        assert [finding for finding in store.check() if finding.blocking] == []
    assert [file.name for file in left.parent.iterdir()] == [left.name]


def test_a_stranger_in_a_lock_file_says_one_short_line(filled_file: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with lock_path(filled_file, "E").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(f"by me{'!' * 5000}\nshsim: all is well\n")
        held.flush()
        with (
            closing(open_store(f"sqlite:///{filled_file}")) as store,
            pytest.raises(DatabaseError) as caught,
            store.exam_lock("E"),
        ):
            pass
    assert "by me!!" in str(caught.value)
    assert "all is well" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def _to_a_link(lock: Path, victim: Path) -> None:
    lock.symlink_to(victim)


def _to_nowhere(lock: Path, victim: Path) -> None:
    lock.symlink_to(victim.with_name("none"))


def _to_a_second_name(lock: Path, victim: Path) -> None:
    victim.write_text("by process 1: a name of the victim's own")
    lock.hardlink_to(victim)


def _to_what_is_no_lock(lock: Path, victim: Path) -> None:
    lock.write_text(victim.read_text())


def _to_zeros_of_another(lock: Path, victim: Path) -> None:
    lock.write_bytes(bytes(5000))


def _to_a_pipe(lock: Path, victim: Path) -> None:
    os.mkfifo(lock)


@pytest.mark.parametrize("be", [_to_a_link, _to_nowhere, _to_a_second_name, _to_what_is_no_lock,
    _to_zeros_of_another, _to_a_pipe])  # fmt: skip
def test_what_is_no_lock_file_is_neither_emptied_nor_removed(
    filled_file: Path, tmp_path: Path, be: Callable[[Path, Path], None]
) -> None:
    kept = tmp_path / "c.run"
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    for lock in (lock_path(filled_file, "E"), tmp_path / ".c.run.shsim-lock"):
        be(lock, victim)
    there, before = sorted(tmp_path.iterdir()), victim.read_text()
    with closing(open_store(f"sqlite:///{filled_file}")) as store:
        for take in (store.exam_lock("E"), CheckpointFile(str(kept))):
            with pytest.raises(
                (DatabaseError, DataError), match="is no lock file of shsim"
            ) as error:
                take.__enter__()
            assert "\n" not in str(error.value)
    assert sorted(tmp_path.iterdir()) == there
    assert victim.read_text() == before


@pytest.mark.parametrize("size", [1, 200, 4096])
def test_a_lock_file_that_a_power_cut_left_as_zeros_is_taken_over(
    filled_file: Path, tmp_path: Path, size: int
) -> None:
    kept = tmp_path / "c.run"
    locks = (lock_path(filled_file, "E"), tmp_path / ".c.run.shsim-lock")
    for lock in locks:
        lock.write_bytes(bytes(size))
    with (
        closing(open_store(f"sqlite:///{filled_file}")) as store,
        store.exam_lock("E"),
        CheckpointFile(str(kept)),
    ):
        assert all(lock.read_bytes().startswith(b"by process ") for lock in locks)
        assert not any(b"\0" in lock.read_bytes() for lock in locks)
    assert not any(lock.exists() for lock in locks)


def test_a_lock_file_that_somebody_replaced_is_not_removed(filled_file: Path) -> None:
    lock = lock_path(filled_file, "E")
    with closing(open_store(f"sqlite:///{filled_file}")) as store, store.exam_lock("E"):
        lock.unlink()
        lock.write_text("another's")
    assert lock.read_text() == "another's"


def test_a_file_that_is_replaced_under_a_run_is_said_to_be(filled_file: Path) -> None:
    other = shutil.copy(filled_file, f"{filled_file}.copy")
    before = Path(other).read_bytes()
    with closing(open_store(f"sqlite:///{filled_file}")) as store:
        pool = store.load_pool("E")
        Path(other).replace(filled_file)
        with pytest.raises(DatabaseError, match="was replaced or renamed under the run"):
            store.save_k(pool, np.full(3, 0.5))
    assert filled_file.read_bytes() == before


def test_odd_exam_codes_are_listed_short_and_on_one_line(filled_file: Path) -> None:
    with closing(open_store(f"sqlite:///{filled_file}")) as store:
        for exam in ("x" * 10_000, "A\nshsim: saved"):
            store.import_pool(pool_of(exam))
        with pytest.raises(DataError) as caught:
            store.load_pool("NONE")
        found = [finding.sentence for finding in store.check()]
    assert len(found) == 3  # each two share their items
    assert max(map(len, found)) < 300
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_an_exam_code_that_is_not_utf8_is_one_line(filled_file: Path) -> None:
    with closing(sqlite3.connect(filled_file)) as other:
        other.execute("INSERT INTO question_publications VALUES (CAST(x'ff1b' AS TEXT), 11, 1)")
        other.commit()
    with closing(open_store(f"sqlite:///{filled_file}")) as store:
        with pytest.raises(DatabaseError, match="UTF-8") as caught:
            store.exams()
        assert "\n" not in str(caught.value)
        assert len(store.load_pool("E")) == 3


def test_exams_that_share_very_many_items_are_checked_by_an_index(filled_file: Path) -> None:
    count = 20_000
    columns = {
        **{name: np.resize(values, count) for name, values in POOL.items()},
        "question_id": np.arange(count),
        "version": np.ones(count, dtype=np.int64),
    }
    with closing(open_store(f"sqlite:///{filled_file}")) as store:
        for exam in ("F", "G"):
            store.import_pool(pool_of(exam, columns))
        sentences = [finding.sentence for finding in store.check()]
    assert "F and G share 20,000 items: their sh_p serves both exams." in sentences


def test_a_fault_that_is_kept_keeps_no_lock(filled_file: Path) -> None:
    """As where its report is written, or a server lives on."""

    def broken_off(db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT question_id FROM item_exposure_control")
        rows.fetchone()
        try:
            raise sqlite3.DatabaseError("database disk image is malformed")
        except sqlite3.Error as error:
            raise RuntimeError("while rows were read") from error

    session = SqliteSession(Dsn.parse(f"sqlite:///{filled_file}"), read_only=False)
    with pytest.raises(RuntimeError) as kept:
        session.run(broken_off)
    session.close()
    with closing(sqlite3.connect(filled_file, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
    assert kept.value.__traceback__ is not None


def test_damage_that_sqlite_quotes_is_damage(filled_file: Path) -> None:
    """Python refuses SQLite's own message where a name in it is no text."""
    content = filled_file.read_bytes()
    wrong = content.replace(
        b"CREATE TABLE question_publications", b"CREATE TABLE question_\x8cublications"
    )
    assert wrong != content
    filled_file.write_bytes(wrong)
    with (
        closing(open_store(f"sqlite:///{filled_file}")) as store,
        pytest.raises(DatabaseError, match="damaged"),
    ):
        store.load_pool("E")


@pytest.mark.parametrize("live", ["1", "99"])
def test_an_exam_code_that_is_no_text_is_found_by_the_check(filled_file: Path, live: str) -> None:
    with closing(sqlite3.connect(filled_file)) as db:
        db.execute(f"INSERT INTO question_publications VALUES (x'07', 11, {live})")  # noqa: S608
        db.commit()
    with closing(open_store(f"sqlite:///{filled_file}", read_only=True)) as store:
        said = [finding.sentence for finding in store.check()]
    assert any("b'" in sentence and "07" in sentence for sentence in said), said
