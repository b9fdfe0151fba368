"""What a role must be granted, looked at before the work and not after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shsim.errors import DatabaseError
from shsim.storage.driver_errors import read_only
from shsim.storage.dsn import Dsn
from shsim.storage.needs import Needs, is_writing
from shsim.storage.postgres_rounding import refuse_rounding
from shsim.storage.statements import statements

_SQL = statements("postgres")


def refuse_unmet(cursor: Any, dsn: Dsn, needs: Needs) -> None:
    """Raise where what is needed cannot be done here, or not by this role.

    A table that is missing is another matter, and said by whoever reads it.

    Raises
    ------
    DatabaseError
        The database is read-only, k would be rounded, or the role lacks privileges: names them
        all, with the statements that grant them.
    """
    writing = is_writing(needs)
    if writing and is_read_only(cursor):
        raise read_only(dsn)
    lacking = lacking_grants(cursor, needs)
    if lacking:
        what = "to save. Nothing was written" if writing else "to read what is needed"
        asked = "; ".join(asked for asked, _ in lacking)
        grants = " ".join(grant for _, grant in lacking)
        raise DatabaseError(
            f"{dsn.label} does not permit this user {what}."
            f" Ask for {asked}, or take another user: {grants}"
        )
    if writing:
        refuse_rounding(cursor, dsn.label)


def is_read_only(cursor: Any) -> bool:
    """Whether nobody's session, or not one of this role's, can write here: a replica, say."""
    cursor.execute(_SQL["cannot_write"])
    return bool(cursor.fetchone()[0])


def lacking_grants(cursor: Any, needs: Needs) -> list[tuple[str, str]]:
    """What this role lacks: in words, and as the statement that grants it.

    It is found in the catalogue, and so even where the schema may not be used.
    """
    if not needs:
        return []
    cursor.execute(_SQL["role_and_database"])
    role, database = cursor.fetchone()
    return [
        (f"{privileges} on {words}", f"GRANT {privileges} ON {words_of_grant} TO {role};")
        for privileges, words, words_of_grant in _lacking(cursor, needs, database)
    ]


def _lacking(cursor: Any, needs: Needs, database: str) -> Iterator[tuple[str, str, str]]:
    """Privileges, what they are lacking on, and that as a GRANT has it."""
    cursor.execute(_SQL["places"], {"tables": list(dict.fromkeys(table for table, _ in needs))})
    places = cursor.fetchall()
    for schema in sorted({schema for _, _, schema, usable in places if not usable}):
        yield "USAGE", f"schema {schema}", f"SCHEMA {schema}"
    numbers = {name: number for name, number, *_ in places}
    # Whoever grants may search elsewhere.
    full = {name: name if at == "public" else f"{at}.{name}" for name, _, at, _ in places}
    for privileges, tables in _of_tables(cursor, needs, numbers).items():
        yield privileges, ", ".join(tables), ", ".join(full[table] for table in tables)
    if not is_writing(needs):
        return
    filled = [numbers[table] for table, privilege in needs if privilege == "INSERT"]
    cursor.execute(_SQL["lacking_sequences"], {"numbers": filled})
    for (sequence,) in cursor.fetchall():
        yield "USAGE", f"sequence {sequence}", f"SEQUENCE {sequence}"
    cursor.execute(_SQL["may_make_temporary"])
    if not cursor.fetchone()[0]:
        yield "TEMPORARY", "the database", f"DATABASE {database}"


def _of_tables(
    cursor: Any, needs: Needs, numbers: Mapping[str, int | None]
) -> Mapping[str, list[str]]:
    """The tables that lack the same privileges, by these."""
    rows = [(*key, numbers[key[0]], column) for key, columns in needs.items() for column in columns]
    tables, privileges, oids, columns = (list(each) for each in zip(*rows, strict=True))
    asked = {"tables": tables, "privileges": privileges, "numbers": oids, "columns": columns}
    cursor.execute(_SQL["lacking_columns"], asked)
    of_table: dict[str, list[str]] = {}
    for table, privilege in cursor.fetchall():
        of_table.setdefault(table, []).append(privilege)
    alike: dict[str, list[str]] = {}
    for table, lacking in of_table.items():
        alike.setdefault(", ".join(lacking), []).append(table)
    return alike
