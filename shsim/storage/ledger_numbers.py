"""Numbers of runs: given out by the database, and by us where it has lost count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from sqlite3 import SQLITE_FULL
from typing import Any

from shsim.errors import DatabaseError

#: Attempts at a number of our own, which another exam's run may take first.
_RACES = 5

#: SQLSTATEs: no number that is greater can be had of a sequence; nor is there any.
_BEYOND_THE_LAST = frozenset({"2200H", "22003"})

_COUNTER = "seq of shsim_run in sqlite_sequence"
_REMEDY = "SELECT setval(pg_get_serial_sequence('shsim_run', 'id'), max(id)) FROM shsim_run;"


def insert_numbered(cursor: Any, sql: Mapping[str, str], row: Mapping[str, Any], label: str) -> int:
    """Insert a row of `shsim_run`; its number.

    An identity column that is behind its own rows (they came out of a copy, say) gives numbers
    out anew, or those of rows that are gone, as if this run were older than it is. A run that has
    computed for an hour takes the next one of its own then.

    Raises
    ------
    DatabaseError
        There is none to be had.
    """
    with _told_where_used_up(cursor, sql, label):
        if "number_behind" not in sql:  # SQLite, which looks at the rows
            cursor.execute(sql["insert_run"], row)
            return int(cursor.lastrowid)
        return _insert_in_postgres(cursor, sql, row, label)


@contextmanager
def _told_where_used_up(cursor: Any, sql: Mapping[str, str], label: str) -> Iterator[None]:
    """The last number there is has been given: neither a full disk, nor a value of no sense."""
    try:
        yield
    except Exception as error:
        code = getattr(error, "sqlite_errorcode", getattr(error, "pgcode", None))
        if code == SQLITE_FULL:  # or it is the disk
            cursor.execute(sql["numbers_used_up"])
            if cursor.fetchone() is None:
                raise
        elif code not in _BEYOND_THE_LAST:
            raise
        raise DatabaseError(
            f"{label}: the last number that a run can have ({2**63 - 1}) is taken, by hand for all"
            " one can tell. Nothing was written. Give that run the number after the others', in"
            " shsim_run and shsim_run_item, set what counts them back to it"
            f" ({_COUNTER if code == SQLITE_FULL else _REMEDY}), and run again."
        ) from error


def _insert_in_postgres(
    cursor: Any, sql: Mapping[str, str], row: Mapping[str, Any], label: str
) -> int:
    cursor.execute("SAVEPOINT shsim_number")
    cursor.execute(sql["insert_run"], row)
    given = cursor.fetchone()
    if given is not None:
        cursor.execute(sql["number_behind"], {**row, "run": given[0]})
        if cursor.fetchone() is None:
            return int(given[0])
    for _ in range(_RACES):
        cursor.execute("ROLLBACK TO SAVEPOINT shsim_number")
        cursor.execute(sql["insert_run_beyond"], row)
        given = cursor.fetchone()
        if given is not None:
            return int(given[0])
    raise DatabaseError(
        f"{label}: the numbers that shsim_run gives out are behind its rows, or a trigger or a"
        " rule of it drops what is put there. Nothing was written. Correct that and run again;"
        f" the numbers: {_REMEDY}"
    )
