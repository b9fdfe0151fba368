"""What checks a SQLite file reads it as a whole: damage is found where no run need come upon it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from front_door import Run
from storage.databases import overwrite_first_page

from shsim.storage.tables import LEDGER_TABLES, TABLES


@pytest.mark.parametrize("table", [*TABLES, *LEDGER_TABLES])
def test_damage_in_any_table_is_found(
    here: Run, demo: Sequence[str], demo_file: Path, table: str
) -> None:
    content = overwrite_first_page(demo_file, table)
    for check in (("db", "check"), ("doctor",)):
        ended = here(*check, *demo[:2])
        assert ended.code == 4, ended
        told = " ".join((ended.out + ended.err).split())
        assert "qbank.sqlite is damaged: database disk image is malformed" in told
        assert "Restore it from a backup." in told
        assert len(ended.err.splitlines()) <= 2
    assert demo_file.read_bytes() == content


def test_an_exam_of_no_run_is_not_told_of_a_damaged_ledger(
    here: Run, demo: Sequence[str], demo_file: Path
) -> None:
    """The index by exams is whole, and names none."""
    overwrite_first_page(demo_file, "shsim_run")
    for exam in ("NOPE", "DEMO-EXAM"):
        ended = here("history", "--exam", exam, *demo[:2])
        assert ended.code == 4
        assert "is damaged: database disk image is malformed. Restore it" in ended.err


def test_values_that_a_column_was_not_declared_for_are_no_damage(
    here: Run, demo: Sequence[str], demo_file: Path
) -> None:
    with closing(sqlite3.connect(demo_file)) as db:
        db.execute("CREATE TABLE others (n INTEGER CHECK (n > 0), t TEXT)")
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("INSERT INTO others VALUES (-1, NULL)")
        db.execute("PRAGMA writable_schema = ON")
        stricter = "replace(sql, 't TEXT', 't TEXT NOT NULL')"
        db.execute(f"UPDATE sqlite_schema SET sql = {stricter} WHERE name = 'others'")  # noqa: S608
        db.commit()
    with closing(sqlite3.connect(demo_file)) as db:
        assert len(db.execute("PRAGMA quick_check").fetchall()) == 2
    ended = here("db", "check", *demo[:2])
    assert ended.code == 0, ended.out + ended.err
