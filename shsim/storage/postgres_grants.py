"""What a role must be granted, looked at before the work and not after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shsim.errors import DatabaseError
from shsim.storage.driver_errors import read_only
from shsim.storage.dsn import Dsn
from shsim.storage.needs import Needs, Touched, is_staging, is_writing
from shsim.storage.postgres_rounding import refuse_rounding
from shsim.storage.statements import statements

_SQL = statements("postgres")

#: What a role lacks: in words, and as the statement that grants it.
Lacking = Sequence[tuple[str, str]]


def refuse_unmet(cursor: Any, dsn: Dsn, needs: Needs) -> None:
    """Raise where what is needed cannot be done here, or not by this role.

    A table that is missing is another matter, and said by whoever reads it.

    Raises
    ------
    DatabaseError
        The database is read-only, k would be rounded, or the role lacks privileges: names them
        all, with the statements that grant them, and with those that are wanted beside.
    """
    if needs.writing and is_read_only(cursor):
        raise read_only(dsn)
    lacking = lacking_grants(cursor, needs.required)
    if lacking:
        what = "to save. Nothing was written" if needs.writing else "to read what is needed"
        said = (
            f"{dsn.label} does not permit this user {what}."
            f" Ask for {privileges_of(lacking)}, or take another user: {grants_of(lacking)}"
        )
        wanted = {key: needs.wanted[key] for key in needs.wanted if key not in needs.required}
        beside = [each for each in lacking_grants(cursor, wanted) if each not in lacking]
        if beside:
            said += f" For the ledger ask for {privileges_of(beside)} too: {grants_of(beside)}"
        raise DatabaseError(said)
    if needs.writing:
        refuse_rounding(cursor, dsn.label)


def privileges_of(lacking: Lacking) -> str:
    """The privileges that are lacking, in words."""
    return "; ".join(asked for asked, _ in lacking)


def grants_of(lacking: Lacking) -> str:
    """The statements that grant what is lacking."""
    return " ".join(grant for _, grant in lacking)


def is_read_only(cursor: Any) -> bool:
    """Whether nobody's session, or not one of this role's, can write here: a replica, say."""
    cursor.execute(_SQL["cannot_write"])
    return bool(cursor.fetchone()[0])


def lacking_grants(cursor: Any, touched: Touched) -> Lacking:
    """What this role lacks.

    It is found in the catalogue, and so even where the schema may not be used.
    """
    if not touched:
        return []
    cursor.execute(_SQL["role_and_database"])
    role, database = cursor.fetchone()
    return [
        (f"{privileges} on {words}", f"GRANT {privileges} ON {words_of_grant} TO {role};")
        for privileges, words, words_of_grant in _lacking(cursor, touched, database)
    ]


def _lacking(cursor: Any, touched: Touched, database: str) -> Iterator[tuple[str, str, str]]:
    """Privileges, what they are lacking on, and that as a GRANT has it."""
    cursor.execute(_SQL["places"], {"tables": list(dict.fromkeys(table for table, _ in touched))})
    places = cursor.fetchall()
    for schema in sorted({schema for _, _, schema, usable in places if not usable}):
        yield "USAGE", f"schema {schema}", f"SCHEMA {schema}"
    numbers = {name: number for name, number, *_ in places}
    # Whoever grants may search elsewhere.
    full = {name: name if at == "public" else f"{at}.{name}" for name, _, at, _ in places}
    for privileges, tables in _of_tables(cursor, touched, numbers).items():
        yield privileges, ", ".join(tables), ", ".join(full[table] for table in tables)
    if not is_writing(touched):
        return
    filled = [numbers[table] for table, privilege in touched if privilege == "INSERT"]
    cursor.execute(_SQL["lacking_sequences"], {"numbers": filled})
    for (sequence,) in cursor.fetchall():
        yield "USAGE", f"sequence {sequence}", f"SEQUENCE {sequence}"
    if not is_staging(touched):
        return
    cursor.execute(_SQL["may_make_temporary"])
    if not cursor.fetchone()[0]:
        yield "TEMPORARY", "the database", f"DATABASE {database}"


def _of_tables(
    cursor: Any, touched: Touched, numbers: Mapping[str, int | None]
) -> Mapping[str, list[str]]:
    """The tables that lack the same privileges, by these."""
    rows = [
        (*key, numbers[key[0]], column) for key, columns in touched.items() for column in columns
    ]
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
