"""Numbers of runs: given out by the database, and by us where it has lost count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shsim.errors import DatabaseError

#: Attempts at a number of our own, which another exam's run may take first.
_RACES = 5

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
    if "number_behind" not in sql:  # SQLite, which looks at the rows
        cursor.execute(sql["insert_run"], row)
        return int(cursor.lastrowid)
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
