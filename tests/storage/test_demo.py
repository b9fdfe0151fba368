"""The exam DEMO-EXAM, on either database and in memory, and the embedded default."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from storage.databases import item_rows, pool_of, query

from shsim.errors import DatabaseError, DataError
from shsim.storage.base import Store
from shsim.storage.demo import DEMO_EXAM, demo_pool
from shsim.storage.dsn import Dsn
from shsim.storage.embedded import embedded_dsn, embedded_path, make_embedded
from shsim.storage.open import open_store
from shsim.storage.sqlite import SqliteStore


def test_the_demo_in_a_database_is_the_demo_in_memory(store: Store) -> None:
    assert store.add_demo()
    there, here = store.load_pool(DEMO_EXAM), demo_pool()
    for name in ("question_id", "version", "topic_id", "a", "b", "c", "k", "k_stored", "defaulted"):
        assert np.array_equal(getattr(there, name), getattr(here, name)), name


def test_the_demo_is_plausible() -> None:
    pool = demo_pool()
    assert len(pool) == 480
    assert len(np.unique(pool.topic_id)) == 8
    assert 0.9 < pool.a.mean() < 1.2
    assert abs(pool.b.mean()) < 0.2
    assert 0.1 < pool.c.mean() < 0.25
    assert pool.defaulted.sum() == 12
    assert not pool.k_stored.any()
    assert set(pool.version.tolist()) == {1, 2, 3}


def test_a_second_demo_finds_the_first_even_when_calibrated(store: Store, dsn: str) -> None:
    store.add_demo()
    store.save_k(demo_pool(), np.full(480, 0.5))
    before = item_rows(dsn)
    assert not store.add_demo()
    assert item_rows(dsn) == before


def test_another_exam_of_that_name_is_never_overwritten(store: Store, dsn: str) -> None:
    store.import_pool(pool_of(DEMO_EXAM))
    before = item_rows(dsn)
    with pytest.raises(DataError, match="that is not the demo"):
        store.add_demo()
    assert item_rows(dsn) == before


def test_weeks_of_responses_wear_the_informative_items_out(store: Store, dsn: str) -> None:
    store.add_demo()
    rows = query(dsn, "SELECT question_id, created_at FROM user_responses")
    assert len(rows) == 60_000
    seen = Counter(question for question, _ in rows)
    assert max(seen.values()) > 2 * 0.2 * 2000  # twice the customary cap
    assert len(seen) < 480
    stamps = sorted(
        stamp if isinstance(stamp, datetime) else datetime.fromisoformat(f"{stamp}+00:00")
        for _, stamp in rows
    )
    now = datetime.now(UTC)
    assert now - timedelta(days=44) < stamps[0] < now - timedelta(days=35)
    assert now - timedelta(days=7) < stamps[-1] < now


def test_check_of_the_demo_finds_its_dozen_without_calibration(store: Store) -> None:
    store.add_demo()
    (finding,) = store.check()
    assert not finding.blocking
    assert "12 items have no 3pl calibration" in finding.sentence


def test_the_embedded_file_lies_in_the_users_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert embedded_path() == tmp_path / ".local/share/shsim/shsim.sqlite"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert embedded_path() == tmp_path / ".local/share/shsim/shsim.sqlite"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert embedded_path() == tmp_path / "data/shsim/shsim.sqlite"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert embedded_path() == tmp_path / "Library/Application Support/shsim/shsim.sqlite"


def test_the_embedded_file_is_made_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "shsim" / "shsim.sqlite"
    assert make_embedded(path)
    assert not make_embedded(path)
    with closing(open_store(embedded_dsn(path))) as store:
        assert store.exams() == {DEMO_EXAM: 480}
    assert [file.name for file in path.parent.iterdir()] == ["shsim.sqlite"]


MAKE = "import sys, pathlib; from shsim.storage.embedded import make_embedded;"
MAKE += "print('ready', flush=True); print(make_embedded(pathlib.Path(sys.argv[1])))"


def test_of_first_runs_at_once_one_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shsim.sqlite"
    runs = [
        subprocess.Popen([sys.executable, "-c", MAKE, path], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [run.communicate(timeout=60)[0].split()[1] for run in runs]
    assert sorted(said) == ["False", "False", "True"]
    with closing(open_store(embedded_dsn(path))) as store:
        assert store.exams() == {DEMO_EXAM: 480}


def test_a_first_run_that_is_killed_leaves_no_half_made_file(tmp_path: Path) -> None:
    path = tmp_path / "shsim.sqlite"
    command = [sys.executable, "-c", MAKE, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.send_signal(signal.SIGKILL)
    assert make_embedded(path)
    with closing(open_store(embedded_dsn(path))) as store:
        assert store.exams() == {DEMO_EXAM: 480}


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="cannot be made") as caught:
        make_embedded(tmp_path / "file" / "shsim.sqlite")
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "letter.sqlite"
    path.write_text("Dear database, " * 100)
    with (
        closing(open_store(f"sqlite:///{path}")) as store,
        pytest.raises(DatabaseError, match="is not a SQLite database"),
    ):
        store.exams()
    assert path.read_text().startswith("Dear")


def test_a_missing_file_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with closing(open_store(f"sqlite:///{path}")) as store:
        for use in (store.exams, store.check, store.add_demo):
            with pytest.raises(DatabaseError, match=r"there is no such file.*shsim db init"):
                use()
        assert not path.exists()
        store.create_tables()
        assert path.exists()


def test_a_file_in_a_folder_that_may_not_be_written_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "shared" / "demo.sqlite"
    make_embedded(path)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        with closing(open_store(embedded_dsn(path), read_only=True)) as store:
            assert len(store.load_pool(DEMO_EXAM)) == 480
        assert [file.name for file in path.parent.iterdir()] == ["demo.sqlite"]
    finally:
        path.parent.chmod(0o755)


def test_a_file_locked_by_another_program_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shsim.storage.sqlite_session._BUSY_TIMEOUT", 0.1)
    path = tmp_path / "demo.sqlite"
    make_embedded(path)
    with (
        closing(open_store(embedded_dsn(path))) as store,
        closing(sqlite3.connect(path)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError, match="is locked by another program"):
            store.save_k(demo_pool(), demo_pool().k)
    assert [file.name for file in path.parent.iterdir()] == ["demo.sqlite"]


def test_a_full_disk_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite"
    make_embedded(path)
    dsn = embedded_dsn(path)
    before = item_rows(dsn)
    store = SqliteStore(Dsn.parse(dsn), read_only=False)
    with closing(store):
        pool = store.load_pool(DEMO_EXAM)
        assert store._session._connection is not None
        store._session._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(DatabaseError, match=r"is on a full disk\. Nothing was written"):
            store.save_k(pool, np.full(480, 0.5))
    assert item_rows(dsn) == before


def test_text_where_a_number_belongs_is_missing_not_zero(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite"
    make_embedded(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE item_calibration SET a = 'high'")
        other.commit()
    with (
        closing(open_store(embedded_dsn(path))) as store,
        pytest.raises(DataError, match=r"a is missing\."),
    ):
        store.load_pool(DEMO_EXAM)
