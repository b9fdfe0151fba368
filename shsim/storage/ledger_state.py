"""Whether a database has a ledger that runs can be recorded in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shsim.errors import DatabaseError

LEDGER_TABLES = ("shsim_schema", "shsim_run", "shsim_run_item")


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Whether there is a ledger, and what it lacks for runs to be recorded (None: nothing)."""

    version: int
    readable: bool
    lack: str | None
    read_only: bool = False

    @property
    def obstacle(self) -> str | None:
        """What hinders recording, here and now (None: nothing)."""
        return "the database is read-only" if self.read_only and not self.lack else self.lack


def newest_schema(sql: Mapping[str, str]) -> int:
    """The newest schema that these statements know."""
    return sum(name.startswith("migration_") for name in sql)


def ledger_state(cursor: Any, sql: Mapping[str, str], label: str) -> LedgerState:
    """Look.

    Parameters
    ----------
    cursor
        In the database.
    sql
        The ledger's statements.
    label
        The database as people name it.

    Raises
    ------
    DatabaseError
        The schema is newer than this program.
    """
    latest = newest_schema(sql)
    cursor.execute(sql["state"])
    there, readable, writable, read_only = cursor.fetchone()
    if not there:
        return LedgerState(
            0, readable=False, lack="it keeps no ledger of runs; `shsim db init` makes one"
        )
    if not readable:
        return LedgerState(
            latest,
            readable=False,
            lack=f"its ledger may not be read; ask for SELECT on {', '.join(LEDGER_TABLES)}",
        )
    cursor.execute(sql["schema_version"])
    version = int(cursor.fetchone()[0])
    if version > latest:
        raise DatabaseError(
            f"{label}: its ledger has schema {version}, and this shsim knows"
            f" {latest}. Nothing was written. Install the newer shsim that made it."
        )
    lack = None
    if version < latest:
        lack = (
            f"its ledger has schema {version}, and this shsim records in schema"
            f" {latest}; `shsim db init` brings it up to date"
        )
    elif not writable:
        lack = "its ledger may not be written; ask for INSERT on shsim_run, shsim_run_item"
    return LedgerState(version, readable=version == latest, lack=lack, read_only=bool(read_only))
