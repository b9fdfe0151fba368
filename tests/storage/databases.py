"""Looking into a database, and into it by hand, past the Store."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2

from shsim.model.item_pool import NO_TOPIC, ItemPool
from shsim.storage.tables import TABLES

#: Three items: with a k and without, with a topic and without.
POOL: Mapping[str, Any] = {
    "question_id": np.array([11, 12, 13]),
    "version": np.array([1, 2, 1]),
    "topic_id": np.array([5, 6, NO_TOPIC]),
    "a": np.array([1.2, 0.8, 0.9]),
    "b": np.array([-0.5, 0.1, 1.5]),
    "c": np.array([0.15, 0.2, 0.0]),
    "k": np.array([0.5, 1.0, 0.25]),
    "k_stored": np.array([True, False, True]),
}

#: With every character that some spelling treats in its own way.
PASSWORD = "s3c ret@/:%'\\ö"  # noqa: S105


def pool_of(exam: str, columns: Mapping[str, Any] = POOL) -> ItemPool:
    return ItemPool.build(exam, columns)


def connect(dsn: str) -> Any:
    if dsn.startswith("sqlite:///"):
        return sqlite3.connect(Path(dsn.removeprefix("sqlite:///")))
    return psycopg2.connect(dsn)


def query(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(connect(dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return list(cursor.fetchall())


def execute(dsn: str, statement: str) -> None:
    with closing(connect(dsn)) as connection:
        connection.cursor().execute(statement)
        connection.commit()


def seed(dsn: str, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = TABLES[table]
    mark = "?" if dsn.startswith("sqlite:") else "%s"
    marks = ", ".join([mark] * len(columns))
    with closing(connect(dsn)) as connection:
        connection.cursor().executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
            rows,
        )
        connection.commit()


def item_rows(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that a run could change, stamps included."""
    return {
        table: query(dsn, f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2")  # noqa: S608
        for table, columns in TABLES.items()
        if table != "user_responses"
    }


def overwrite_first_page(path: Path, table: str) -> bytes:
    """Damage a table of a SQLite file as a failing disk may; what the file then holds."""
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
        start = 4096 * (found.fetchone()[0] - 1)
    whole = path.read_bytes()
    content = whole[:start] + b"\xaa" * 4096 + whole[start + 4096 :]
    path.write_bytes(content)
    return content
