"""The ledger's tables: made by migrations, brought forward, and mended where some are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shsim.errors import DatabaseError
from shsim.storage.ledger_state import LedgerState, newest_schema
from shsim.storage.tables import LEDGER_TABLES

_TABLE = re.compile(r"(?:CREATE TABLE|ALTER TABLE|UPDATE|\bON) (shsim_\w+)")


def migrate(cursor: Any, sql: Mapping[str, str], found: LedgerState, label: str) -> tuple[str, ...]:
    """Make what is missing and bring the schema up to date; what was made or changed.

    Parameters
    ----------
    cursor
        In the database, in a transaction that the caller commits.
    sql
        The ledger's statements.
    label
        The database as people name it.
    found
        The ledger as it is.

    Raises
    ------
    DatabaseError
        It has tables of ours by name alone, or does not let this role read which schema it has.
    """
    if found.strange is not None:
        raise DatabaseError(f"{label}: {found.strange}. Nothing was written.")
    latest = newest_schema(sql)
    if not found.kept:
        _step(cursor, sql, 0, latest)
        return LEDGER_TABLES
    if found.sealed:
        raise DatabaseError(f"{label}: {found.unread}. Nothing was written.")
    version = found.version or latest  # what names none is the newest, or is refused below
    for table in found.missing:
        for statement in _statements(sql, 0, version):
            if _TABLE.findall(statement)[:1] == [table]:
                cursor.execute(statement)
    if "shsim_run" in found.missing:
        cursor.execute(sql["number_on"])
    if not found.version:
        _note(cursor, sql, 0, version)
    _step(cursor, sql, version, latest)
    changed = found.missing
    if not found.version and "shsim_schema" not in changed:
        changed += ("the version in shsim_schema",)
    return (*changed, f"schema {latest} of the ledger") if version < latest else changed


def _step(cursor: Any, sql: Mapping[str, str], version: int, latest: int) -> None:
    for statement in _statements(sql, version, latest):
        cursor.execute(statement)
    _note(cursor, sql, version, latest)


def _note(cursor: Any, sql: Mapping[str, str], version: int, latest: int) -> None:
    for step in range(version + 1, latest + 1):
        cursor.execute(sql["note_migration"], {"version": step})


def _statements(sql: Mapping[str, str], version: int, latest: int) -> Iterator[str]:
    """The statements that lead from a version to another."""
    for step in range(version + 1, latest + 1):
        yield from sql[f"migration_{step}"].split(";")
