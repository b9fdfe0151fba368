"""The disk of a SQLite database is full, at any moment of any command: real disks, filled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from front_door import QUICK, QUICK_CALIBRATION, Ended, Run
from small_disks import MakeDisk, empty, fill
from storage.databases import query

from shsim.storage.embedded import embedded_dsn

#: Of the disk, in kB; the database takes a tenth of it.
SIZE = 2048

CALIBRATE = ("calibrate", "--exam", "DEMO-EXAM", *QUICK_CALIBRATION)
SIMULATE = ("simulate", "--exam", "DEMO-EXAM", *QUICK)
K = "SELECT question_id, version, sh_p FROM item_exposure_control ORDER BY 1, 2"
SAVED = "SELECT count(*) FROM shsim_run WHERE outcome = 'saved'"
LEFT = (
    "SELECT question_id, version, k_after FROM shsim_run_item"
    " WHERE run = (SELECT max(id) FROM shsim_run WHERE outcome = 'saved') ORDER BY 1, 2"
)


@pytest.fixture
def base(small_disk: MakeDisk, demo_file: Path, here: Run) -> Path:
    """DEMO-EXAM with one saved run, on a disk of its own."""
    path = small_disk(SIZE) / "q.sqlite"
    with closing(sqlite3.connect(demo_file)) as db:
        db.execute("DELETE FROM user_responses")
        db.commit()
        db.execute("VACUUM")
    path.write_bytes(demo_file.read_bytes())
    assert here(*CALIBRATE, "--dsn", embedded_dsn(path), "--ceil", "0.9").code == 0
    return path


def only_full(ended: Ended) -> None:
    """It ended with 4 and said that the disk is full, in a line."""
    assert ended.code == 4, ended
    line = ended.err.splitlines()[-1]
    assert "full disk. Nothing was written. Make room" in line or "No space left" in line, ended.err
    assert "Traceback" not in ended.err
    assert sum("full disk" in each or "No space" in each for each in ended.err.splitlines()) == 1


def k_and_ledger_agree(dsn: str) -> None:
    """K are as the last saved run on record left them."""
    assert query(dsn, K) == query(dsn, LEFT)


@pytest.mark.parametrize("command", [CALIBRATE, ("rollback", "1")], ids=["calibrate", "rollback"])
def test_a_save_that_runs_out_of_room_anywhere_leaves_what_was(
    here: Run, base: Path, command: tuple[str, ...]
) -> None:
    dsn = embedded_dsn(base)
    before, saved = query(dsn, K), query(dsn, SAVED)
    codes = []
    for room in range(0, 200_000, 8192):
        fill(base.parent, room)
        ended = here(*command, "--dsn", dsn)
        codes.append(ended.code)
        empty(base.parent)
        assert [path.name for path in base.parent.iterdir()] == [base.name]
        if ended.code == 0:
            break
        only_full(ended)
        assert query(dsn, K) == before
        assert query(dsn, SAVED) == saved
        k_and_ledger_agree(dsn)
    assert len(codes) > 4
    assert codes[-1] == 0
    assert query(dsn, K) != before
    k_and_ledger_agree(dsn)


def test_a_disk_that_fills_up_during_a_run_is_told_at_the_save(
    here: Run, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shsim.workflow import run as workflow

    calibrate = workflow.calibrate

    def and_fill(*arguments: object, **options: object) -> object:
        made = calibrate(*arguments, **options)  # type: ignore[arg-type]
        fill(base.parent)
        return made

    dsn = embedded_dsn(base)
    before = query(dsn, K)
    with monkeypatch.context() as patch:
        patch.setattr(workflow, "calibrate", and_fill)
        only_full(here(*CALIBRATE, "--dsn", dsn))
    assert query(dsn, K) == before
    k_and_ledger_agree(dsn)
    empty(base.parent)
    assert here(*CALIBRATE, "--dsn", dsn).code == 0
    k_and_ledger_agree(dsn)


def test_what_only_reads_needs_no_room(here: Run, base: Path) -> None:
    dsn = embedded_dsn(base)
    fill(base.parent)
    content = base.read_bytes()
    for command in (
        ("history",), ("show", "1"), ("export", "--exam", "DEMO-EXAM"), ("db", "check"),
        ("rollback", "1", "--dry-run"), (*CALIBRATE, "--dry-run"), (*SIMULATE, "--dry-run"),
        ("db", "init"),  # every table is there already
    ):  # fmt: skip
        ended = here(*command, "--dsn", dsn)
        assert ended.code == 0, ended.err
    ended = here(*SIMULATE, "--dsn", dsn)
    assert ended.code == 0
    assert "this run is not recorded: " in ended.err
    assert "full disk" in ended.err
    assert base.read_bytes() == content


def test_tables_and_items_that_find_no_room_are_made_whole_or_not(
    here: Run, base: Path, small_disk: MakeDisk, tmp_path: Path
) -> None:
    pool = tmp_path / "pool.csv"
    pool.write_text(here("export", "--dsn", embedded_dsn(base), "--exam", "DEMO-EXAM").out)
    folder = small_disk(SIZE)
    dsn = embedded_dsn(folder / "new.sqlite")
    for room in (0, 4096, 16384, 32768):
        fill(folder, room)
        only_full(here("db", "init", "--dsn", dsn))
        empty(folder)
    assert here("db", "init", "--dsn", dsn).code == 0
    for room in (0, 4096, 16384, 65536):
        fill(folder, room)
        only_full(here("import", str(pool), "--exam", "DEMO-EXAM", "--dsn", dsn))
        empty(folder)
        assert query(dsn, "SELECT count(*) FROM question_publications") == [(0,)]
        assert query(dsn, "SELECT count(*) FROM item_exposure_control") == [(0,)]
    assert here("import", str(pool), "--exam", "DEMO-EXAM", "--dsn", dsn).code == 0
    assert here(*CALIBRATE, "--dsn", dsn).code == 0
    k_and_ledger_agree(dsn)


def test_an_output_without_room_saves_nothing(here: Run, base: Path, small_disk: MakeDisk) -> None:
    folder = small_disk(16)
    dsn = embedded_dsn(base)
    before = query(dsn, K)
    fill(folder, 4096)
    ended = here(*CALIBRATE, "--dsn", dsn, "--output", str(folder / "k.csv"))
    assert ended.code == 3
    assert "No space left on device" in ended.err
    assert [path.name for path in folder.iterdir()] == ["ballast"]
    assert query(dsn, K) == before
    k_and_ledger_agree(dsn)
    assert query(dsn, "SELECT outcome FROM shsim_run ORDER BY id DESC LIMIT 1") == [("failed",)]
