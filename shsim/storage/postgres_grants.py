"""What a role must be granted to save, looked at before the work and not after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg2.extensions import quote_ident

from shsim.errors import DatabaseError
from shsim.storage.statements import statements

_SQL = statements("postgres")

#: By table and privilege the columns that are touched: a role may have been given those alone.
Wanted = Mapping[tuple[str, str], tuple[str, ...]]

SAVING: Wanted = {
    ("item_exposure_control", "SELECT"): ("question_id", "version", "sh_p"),
    ("item_exposure_control", "INSERT"): ("question_id", "version", "sh_p", "updated_at"),
    ("item_exposure_control", "UPDATE"): ("sh_p", "updated_at"),
}
IMPORTING: Wanted = {
    **SAVING,
    ("question_publications", "INSERT"): ("exam_code", "question_id", "live_version"),
    ("question_publications", "UPDATE"): ("live_version",),
    ("question_versions", "INSERT"): ("question_id", "version", "topic_id", "state"),
    ("question_versions", "UPDATE"): ("topic_id", "state"),
    ("item_calibration", "INSERT"): ("question_id", "version", "model", "a", "b", "c"),
    ("item_calibration", "UPDATE"): ("a", "b", "c"),
}

#: Whoever has made the tables may fill them.
OWNING: Wanted = {}


def refuse_lacking(cursor: Any, label: str, wanted: Wanted) -> None:
    """Raise where this role may not do what a save will do, naming every grant that it lacks.

    A table that is missing is another matter, and said by whoever reads it.

    Raises
    ------
    DatabaseError
        Names the privileges, and the statements that grant them.
    """
    lacking = _lacking(cursor, wanted) if wanted else {}
    if not lacking:
        return
    cursor.execute(_SQL["role_and_database"])
    role, database = (quote_ident(name, cursor) for name in cursor.fetchone())
    things = {thing: ", ".join(privileges) for thing, privileges in lacking.items()}
    asked = ", ".join(f"{what} on {thing}" for thing, what in things.items())
    grants = " ".join(
        f"GRANT {what} ON {_grantable(thing, database)} TO {role};"
        for thing, what in things.items()
    )
    raise DatabaseError(
        f"{label} does not permit this user to save. Nothing was written."
        f" Ask for {asked}, or take another user: {grants}"
    )


def _lacking(cursor: Any, wanted: Wanted) -> dict[str, list[str]]:
    """Privileges that are lacking, by what they are on."""
    rows = [(*key, column) for key, columns in wanted.items() for column in columns]
    tables, privileges, columns = (list(each) for each in zip(*rows, strict=True))
    asked = {"tables": tables, "privileges": privileges, "columns": columns}
    found: dict[str, list[str]] = {}
    for question in ("lacking_columns", "lacking_sequences", "lacking_temporary"):
        cursor.execute(_SQL[question], asked)
        _gather(found, cursor.fetchall())
    return found


def _gather(found: dict[str, list[str]], rows: Iterable[tuple[str, str]]) -> None:
    for thing, privilege in rows:
        found.setdefault(thing, []).append(privilege)


def _grantable(thing: str, database: str) -> str:
    return thing.replace("the database", f"DATABASE {database}").replace("sequence ", "SEQUENCE ")
