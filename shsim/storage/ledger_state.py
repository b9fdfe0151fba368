"""Whether a database has a ledger that runs can be recorded in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shsim.errors import DatabaseError
from shsim.storage.exam_names import shown

#: The tables, with the columns that the first schema gave them.
LEDGER_COLUMNS = {
    "shsim_schema": {"version", "applied_at"},
    "shsim_run": {
        "id", "command", "exam", "started", "finished", "database_user", "os_user", "host",
        "version", "settings", "seed", "fingerprint", "start", "rejection", "ability", "tau",
        "history", "measures", "outcome", "message",
    },
    "shsim_run_item": {"run", "question_id", "version", "k_before", "k_after"},
}  # fmt: skip
LEDGER_TABLES = tuple(LEDGER_COLUMNS)


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Whether there is a ledger, and what it lacks for runs to be recorded (None: nothing).

    Attributes
    ----------
    kept
        Whether any of its tables is there: runs are meant to be recorded.
    missing
        Tables of it that are not there.
    strange
        What is said of tables that have its names and not its columns; None where none has.
    unread
        Why a ledger that is there cannot be read; None where it can, or there is none.
    version
        Its schema; 0 where it says none, or may not be read.
    """

    kept: bool
    missing: tuple[str, ...]
    version: int
    readable: bool
    lack: str | None
    strange: str | None = None
    unread: str | None = None
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
        The schema is newer than this program, or none that any has made.
    """
    cursor.execute(sql["state"])
    rows = cursor.fetchall()
    missing = tuple(name for name, there, *_ in rows if not there)
    kept = len(missing) < len(rows)
    hidden = [name for name, there, readable, *_ in rows if there and not readable]
    lacking = {
        name: sorted(LEDGER_COLUMNS[name].difference((columns or "").split(",")))
        for name, there, _, _, _, columns in rows
        if there
    }
    strange = _strange({name: columns for name, columns in lacking.items() if columns})
    version = 0
    if "shsim_schema" not in (*missing, *hidden) and not lacking["shsim_schema"]:
        cursor.execute(sql["schema_version"])
        version = _known(cursor.fetchone()[0], newest_schema(sql), label)
    barred = _of_schema(cursor, sql, missing)
    lack = (
        strange
        or barred
        or _lack(kept=kept, missing=missing, hidden=hidden)
        or _of_version(version, newest_schema(sql))
    )
    closed = [name for name, _, _, writable, *_ in rows if not writable]
    if lack is None and closed:
        lack = f"its ledger may not be written; ask for INSERT on {', '.join(closed)}"
    readable = not (missing or hidden or strange) and version == newest_schema(sql)
    return LedgerState(
        kept=kept,
        missing=missing,
        version=version,
        readable=readable,
        lack=lack,
        strange=strange,
        unread=lack if not readable and (kept or barred) else None,
        read_only=any(read_only for *_, read_only, _ in rows),
    )


def _known(version: Any, latest: int, label: str) -> int:
    if version is None:
        return 0
    # SQLite keeps whatever was put into a column, and PostgreSQL what a hand has made of it.
    if not isinstance(version, int | float | Decimal) or version % 1 != 0 or version < 1:
        raise DatabaseError(
            f"{label}: its ledger has schema {shown(version)}, which no shsim has made. Nothing was"
            f" written. Correct shsim_schema: this shsim records in schema {latest}."
        )
    if version > latest:
        raise DatabaseError(
            f"{label}: its ledger has schema {version}, and this shsim knows"
            f" {latest}. Nothing was written. Install the newer shsim that made it."
        )
    return int(version)


def _of_schema(cursor: Any, sql: Mapping[str, str], missing: tuple[str, ...]) -> str | None:
    """What is said of a table that is there, in a schema that this role may not use."""
    if missing and "places" in sql:  # SQLite has no schemas
        cursor.execute(sql["places"], {"tables": [missing[0]]})
        ((_, _, schema, usable),) = cursor.fetchall()
        if not usable:
            return f"its ledger may not be read; ask for USAGE on schema {schema}"
    return None


def _strange(lacking: Mapping[str, list[str]]) -> str | None:
    """What is said of tables without columns that shsim gives them."""
    if not lacking:
        return None
    named = ", ".join(
        f"{name} is a view, or another program's"
        if len(columns) == len(LEDGER_COLUMNS[name])
        else f"{name} lacks {', '.join(columns)}"
        for name, columns in lacking.items()
    )
    return (
        f"its ledger is none that shsim has made: {named}; rename that and let `shsim db init` make"
        " the ledger's, or where search_path finds another program's table of that name first, put"
        " the ledger's own schema before it"
    )


def _lack(*, kept: bool, missing: tuple[str, ...], hidden: list[str]) -> str | None:
    if not kept:
        return "it keeps no ledger of runs; `shsim db init` makes one"
    if missing:
        return f"its ledger lacks the table {', '.join(missing)}; `shsim db init` makes it anew"
    if hidden:
        return f"its ledger may not be read; ask for SELECT on {', '.join(hidden)}"
    return None


def _of_version(version: int, latest: int) -> str | None:
    if version == 0:
        return "its ledger names no schema: shsim_schema is empty; `shsim db init` puts it back"
    if version < latest:
        return (
            f"its ledger has schema {version}, and this shsim records in schema"
            f" {latest}; `shsim db init` brings it up to date"
        )
    return None
