"""An exam's rows out of SQLite, by column."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np

from shsim.arrays import AnyArray
from shsim.errors import DataError
from shsim.model.audit import LiveCounts
from shsim.model.item_exposure import ItemExposure, ItemPage
from shsim.model.item_pool import ItemPool
from shsim.storage.base import ImportPlan
from shsim.storage.import_plan import import_plan
from shsim.storage.import_rows import ImportRow, import_rows
from shsim.storage.saved_k import count_imported
from shsim.storage.statements import statements

_SQL = statements("sqlite")

#: The columns of `load_pool`, in its order.
_COLUMNS = (
    ("question_id", np.int64),
    ("version", np.int64),
    ("topic_id", np.int64),
    ("a", np.float64),
    ("b", np.float64),
    ("c", np.float64),
    ("k", np.float64),
    ("k_stored", np.bool_),
    ("defaulted", np.bool_),
)
_ROW = np.dtype([*_COLUMNS, ("numbered", np.bool_)])

_BESIDE = "question_versions, item_calibration and item_exposure_control"

#: What `unnumbered_items` tells of, in its order, and where that stands.
_NUMBERS = (
    ("question_id", f"question_publications, {_BESIDE}"),
    ("live_version", f"question_publications, and as version in {_BESIDE}"),
    ("topic_id", "question_versions"),
    ("question_id", "item_exposure_control"),
    ("version", "item_exposure_control"),
)


def read_pool(db: sqlite3.Connection, exam: str) -> Mapping[str, AnyArray]:
    """The exam's rows by column, as :meth:`ItemPool.build` takes them.

    Raises
    ------
    DataError
        An item's id, version or topic is no whole number, or stored as what the number does
        not find: k would be saved for another item, or where nobody looks.
    """
    rows = _read_rows(db, exam)
    # Looked at id by id only where need be: that is slower than reading the pool.
    if not rows["numbered"].all() or db.execute(_SQL["ids_of_whole_numbers"]).fetchone() != (2,):
        problems = list(_unnumbered(db, exam))
        if problems:
            raise DataError(problems)
    return _by_column(rows)


def _read_rows(db: sqlite3.Connection, exam: str) -> AnyArray:
    # Row by row into an array: a list of tuples would take half a kilobyte an item.
    return np.fromiter(db.execute(_SQL["load_pool"], {"exam": exam}), dtype=_ROW)


def _by_column(rows: AnyArray) -> Mapping[str, AnyArray]:
    return {name: np.ascontiguousarray(rows[name]) for name, _ in _COLUMNS}


def _unnumbered(db: sqlite3.Connection, exam: str) -> Iterator[str]:
    db.execute(_SQL["stage_ids"])
    db.execute(_SQL["copy_ids"], {"exam": exam})
    found = db.execute(_SQL["unnumbered_items"]).fetchall()
    db.execute("DROP TABLE shsim_ids")
    for row in found:
        cells = zip(row[::3], row[1::3], row[2::3], strict=True)
        for (column, where), (value, good, whole) in zip(_NUMBERS, cells, strict=True):
            if good:
                continue
            fault, best = "is no whole number", ""
            if whole:
                fault = (
                    "is not stored as item_exposure_control stores a whole number: its k would not"
                    " be found"
                )
                best = ", in columns declared INTEGER,"
            yield (
                f"{exam}: item {row[0]}/{row[3]}: {column} = {value} {fault}."
                f" Correct it in {where}{best} and run again."
            )


def read_live(db: sqlite3.Connection, exam: str, since: datetime, until: datetime) -> LiveCounts:
    """Attempts within a window by item, and what other exams publish."""
    window = {
        "exam": exam,
        "since": _moment(since),
        "until": _moment(until),
        "first_day": _day(since, -1),
        "until_day": _day(until, -1),
        "last_day": _day(until, 2),
    }
    rows = db.execute(_SQL["count_responses"], window).fetchall()
    attempts = {(question, version): count for question, version, count in rows}
    later = int(db.execute(_SQL["count_later_responses"], window).fetchone()[0])
    undated = int(db.execute(_SQL["count_undated_responses"]).fetchone()[0])
    elsewhere = db.execute(_SQL["published_elsewhere"], window).fetchall()
    return LiveCounts(attempts, frozenset(elsewhere), later, undated)


def read_items(
    db: sqlite3.Connection, exam: str | None, since: datetime, window: tuple[int, int]
) -> ItemPage:
    """Published items with their attempts since a moment; `window` is limit and offset."""
    limit, offset = window
    asked = {
        "exam": exam,
        "since": _moment(since),
        "first_day": _day(since, -1),
        "limit": limit,
        "offset": offset,
    }
    items = [ItemExposure(*row) for row in db.execute(_SQL["exposure_items"], asked)]
    return ItemPage(items, int(db.execute(_SQL["count_live_items"], {"exam": exam}).fetchone()[0]))


def read_publishers(
    db: sqlite3.Connection, question_id: int, version: int
) -> list[tuple[str | None]]:
    """A row an exam that publishes the item, one of None where none does, or no row: no item."""
    asked = {"question_id": question_id, "version": version}
    return db.execute(_SQL["publishers"], asked).fetchall()


def read_import_plan(db: sqlite3.Connection, pool: ItemPool) -> ImportPlan:
    """What an import of the pool would do."""

    def publishers(items: list[tuple[int, int]]) -> Mapping[str, int]:
        asked = {"exam": pool.name, "items": json.dumps(items)}
        return dict(db.execute(_SQL["other_publishers"], asked).fetchall())

    stage_pool(db, import_rows(pool))
    unchanged = count_imported(db.cursor(), _SQL, pool)
    db.execute("DROP TABLE shsim_pool")
    rows = _read_rows(db, pool.name)
    return import_plan(pool, unchanged, _by_column(rows[rows["numbered"]]), publishers)


def stage_pool(db: sqlite3.Connection, rows: list[ImportRow]) -> None:
    """Put a pool into the temporary table `shsim_pool`, which is no part of the file."""
    db.execute(_SQL["stage_pool"])
    db.executemany(_SQL["copy_pool"], rows)


def _moment(moment: datetime) -> str:
    """A moment in UTC as SQLite's `datetime` spells it."""
    return moment.replace(tzinfo=None, microsecond=0).isoformat(sep=" ")


def _day(moment: datetime, days: int) -> str:
    """The day so many days on; the first or last that there is, where it would be beyond."""
    try:
        return (moment + timedelta(days=days)).date().isoformat()
    except OverflowError:
        return moment.date().isoformat()
