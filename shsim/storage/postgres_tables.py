"""The QBank tables in PostgreSQL: as they are found, made where missing, filled with the demo."""

from __future__ import annotations

import io
from typing import Any

from shsim.storage.demo import DEMO_EXAM, DemoTables
from shsim.storage.inspection import TableState
from shsim.storage.needs import AUDITING, SAVING
from shsim.storage.postgres_grants import (
    Lacking,
    grants_of,
    is_read_only,
    lacking_grants,
    privileges_of,
)
from shsim.storage.statements import statements
from shsim.storage.tables import TABLES
from shsim.storage.unsaveable import READ_ONLY

_SQL = statements("postgres")
_QUESTIONS = statements("questions")


def exams(cursor: Any) -> dict[str, int]:
    """Exam codes and how many items each publishes, by code."""
    cursor.execute(_QUESTIONS["exams"])
    return dict(cursor.fetchall())


def create_missing(cursor: Any) -> tuple[str, ...]:
    """Make the QBank tables that are missing; their names."""
    made = tuple(table for table in TABLES if not _columns(cursor, table))
    for table in made:
        cursor.execute(statements("postgres_tables")[table])
    return made


def look_at_tables(cursor: Any) -> tuple[dict[str, TableState], list[str]]:
    """The tables as they are found, and why no run could save its k in them."""
    hindrances = [READ_ONLY] if is_read_only(cursor) else []
    hindrances += [
        f"This user may not save. {_ask([each])}"
        for each in lacking_grants(cursor, SAVING.required)
    ]
    return {table: _state(cursor, table) for table in TABLES}, hindrances


def insert_demo(cursor: Any, demo: DemoTables) -> None:
    """Fill the tables with the demo exam, unless it is there."""
    if DEMO_EXAM in exams(cursor):
        return  # it was not there before: the answer to our own COMMIT was lost
    cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    for table, rows in demo.rows():
        columns = ", ".join(TABLES[table])
        text = "".join(
            "\t".join("\\N" if value is None else str(value) for value in row) + "\n"
            for row in rows
        )
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.BytesIO(text.encode()))


def _state(cursor: Any, table: str) -> TableState:
    read = {key: columns for key, columns in AUDITING.required.items() if key[0] == table}
    lacking = lacking_grants(cursor, read)
    return TableState(_columns(cursor, table), _ask(lacking) if lacking else None)


def _ask(lacking: Lacking) -> str:
    return f"Ask for {privileges_of(lacking)}: {grants_of(lacking)}"


def _columns(cursor: Any, table: str) -> frozenset[str]:
    cursor.execute(_SQL["columns"], {"table": table})
    return frozenset(name for (name,) in cursor.fetchall())
