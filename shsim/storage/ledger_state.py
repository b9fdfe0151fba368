"""Whether a database has a ledger that runs can be recorded in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shsim.errors import DatabaseError
from shsim.storage.exam_names import shown
from shsim.storage.needs import LOOK, RECORD, Touched
from shsim.storage.postgres_grants import Lacking, grants_of, privileges_of
from shsim.storage.tables import LEDGER_COLUMNS

_SCHEMA = ("shsim_schema", "SELECT")


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
    sealed
        Whether its schema may not be read.
    """

    kept: bool
    missing: tuple[str, ...]
    version: int
    readable: bool
    lack: str | None
    strange: str | None = None
    unread: str | None = None
    sealed: bool = False
    read_only: bool = False

    @property
    def obstacle(self) -> str | None:
        """What hinders recording, here and now (None: nothing)."""
        return "the database is read-only" if self.read_only and not self.lack else self.lack


def newest_schema(sql: Mapping[str, str]) -> int:
    """The newest schema that these statements know."""
    return sum(name.startswith("migration_") for name in sql)


def ledger_state(
    cursor: Any, sql: Mapping[str, str], label: str, lacking: Callable[[Touched], Lacking]
) -> LedgerState:
    """Look.

    Parameters
    ----------
    cursor
        In the database.
    sql
        The ledger's statements.
    label
        The database as people name it.
    lacking
        Tells what this role lacks.

    Raises
    ------
    DatabaseError
        The schema is newer than this program, or none that any has made.
    """
    cursor.execute(sql["state"])
    rows = cursor.fetchall()
    missing = tuple(name for name, there, *_ in rows if not there)
    kept = len(missing) < len(rows)
    lost = {
        name: sorted(LEDGER_COLUMNS[name].difference((columns or "").split(",")))
        for name, there, _, columns in rows
        if there
    }
    strange = _strange({name: columns for name, columns in lost.items() if columns})
    recording = lacking(RECORD)
    reading = lacking(LOOK) if recording else recording
    there = "shsim_schema" in lost
    sealed = there and bool(reading and lacking({_SCHEMA: LOOK[_SCHEMA]}))
    version = 0
    if there and not (sealed or lost["shsim_schema"]):
        cursor.execute(sql["schema_version"])
        version = _known(cursor.fetchone()[0], newest_schema(sql), label)
    incomplete = _lack(kept=kept, missing=missing) or _of_version(version, newest_schema(sql))
    unread = strange or _ungranted("read", reading) or incomplete
    # Who may not read it is told at once what he needs to write to it.
    lack = strange or _ungranted("read", recording if reading else ()) or incomplete
    return LedgerState(
        kept=kept,
        missing=missing,
        version=version,
        readable=unread is None,
        lack=lack or _ungranted("written", recording),
        strange=strange,
        unread=unread if kept or reading else None,
        sealed=sealed,
        read_only=any(read_only for _, _, read_only, _ in rows),
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


def _ungranted(done: str, lacking: Lacking) -> str | None:
    """What is said where the ledger may not be read, or not be written."""
    if not lacking:
        return None
    asked = f"{privileges_of(lacking)} ({grants_of(lacking)})"
    return f"its ledger may not be {done}; ask for {asked}"


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


def _lack(*, kept: bool, missing: tuple[str, ...]) -> str | None:
    if not kept:
        return "it keeps no ledger of runs; `shsim db init` makes one"
    if missing:
        return f"its ledger lacks the table {', '.join(missing)}; `shsim db init` makes it anew"
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
