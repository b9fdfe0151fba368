"""Which privilege a role lacks, where PostgreSQL says only what it denied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shsim.storage.statements import statements

_SQL = statements("postgres")

_DENIED = re.compile(
    r"permission denied for (?P<kind>table|relation|view|sequence|schema) (?P<name>.+)"
)
#: What PostgreSQL gives to everybody, and a hardened server may not.
_USUAL = re.compile(r"permission denied for (function (?P<function>.+)|view (?P<view>pg_\w+))")
_TEMPORARY = "permission denied to create temporary tables"
_UNKNOWN = re.compile(r'relation "(?P<name>[^"]+)" does not exist')
_INSUFFICIENT, _NO_TABLE = "42501", "42P01"


def may_be_denied(error: Any) -> bool:
    """Whether psycopg2's error is a privilege that the role lacks, or a table hidden by one."""
    return error.pgcode in {_INSUFFICIENT, _NO_TABLE}


def usual_privilege(error: Any) -> str | None:
    """A privilege that everybody has, as a rule, and that was denied; None: it was none of these.

    Nothing is asked for it: without one of them there is no session.
    """
    match = _USUAL.match(error.diag.message_primary or "")
    if match is None:
        return None
    if match["view"]:
        return f"SELECT on {match['view']}"
    return f"EXECUTE on function {match['function']}"


def missing_privilege(cursor: Any, error: Any) -> str | None:
    """What to ask the database's administrator for, after a statement that was denied.

    Parameters
    ----------
    cursor
        In a new transaction: the one that failed can be asked nothing more.
    error
        The `psycopg2.Error`.
    """
    said = error.diag.message_primary or ""
    if hidden := _UNKNOWN.match(said):
        schema = hiding_schema(cursor, hidden["name"])
        return None if schema is None else f"USAGE on schema {schema}"
    if said.startswith(_TEMPORARY):
        return "TEMPORARY on the database"
    match = _DENIED.match(said)
    if match is None:
        return None
    name = match["name"].strip('"')
    if match["kind"] == "sequence":
        return f"USAGE on sequence {name}"
    if match["kind"] == "schema":
        makes = "CREATE TABLE" in _statement_of(error)
        return f"{'CREATE' if makes else 'USAGE'} on schema {name}"
    # The denied name comes without its schema; ours are found by the search path.
    cursor.execute(_SQL["privileges"], {"table": f'"{name}"'})
    held = dict(zip(("SELECT", "INSERT", "UPDATE"), cursor.fetchone(), strict=True))
    lacking = [each for each in _wanted(_statement_of(error), name) if not held[each]]
    return f"{', '.join(lacking)} on {name}" if lacking else None


def hiding_schema(cursor: Any, table: str) -> str | None:
    """The schema that keeps a table out of sight; None: there is no such table.

    A schema that may not be used is left out of the search, as if it held nothing.
    """
    cursor.execute(_SQL["places"], {"tables": [table]})
    ((_, _, schema, usable),) = cursor.fetchall()
    return None if usable else str(schema)


def _statement_of(error: Any) -> str:
    query = getattr(error.cursor, "query", None) or b""
    return " ".join(query.decode(errors="replace").split())


def _wanted(statement: str, table: str) -> Iterator[str]:
    """What the statement does to the table; reading is part of everything we do."""
    name = re.escape(table)
    yield "SELECT"
    inserts = re.search(rf"(INSERT INTO|COPY) {name}\b", statement)
    if inserts:
        yield "INSERT"
    if re.search(rf"UPDATE {name}\b|FOR UPDATE", statement) or (
        inserts and "DO UPDATE" in statement
    ):
        yield "UPDATE"
