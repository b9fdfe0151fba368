"""Why a run cannot be rolled back: the k in force are no longer what it left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shsim.storage.ledger_rows import FAULTS, reading

#: Items named; the rest is counted.
_SHOWN = 20


def said_of_moved_on(cursor: Any, sql: Mapping[str, str], run: int, label: str) -> str | None:
    """The refusal of a rollback; None where nothing stands against it.

    Parameters
    ----------
    cursor
        In the database.
    sql
        The ledger's statements.
    run
        The run to be undone.
    label
        The database as people name it.
    """
    moved = _count(cursor, sql["count_moved_on"], run)
    if not moved:
        return None
    undone_by = _undone_by(cursor, sql, run)
    if undone_by is not None and not _count(cursor, sql["count_not_as_before"], run):
        return (
            f"run {run} was rolled back already, by run {undone_by}: the k before it are in force,"
            " and there is nothing to roll back."
        )
    cursor.execute(sql["moved_on"], {"run": run, "limit": _SHOWN})
    with reading(run, label):
        lines = [_moved_on_words(run, *row) for row in cursor.fetchall()]
    if moved > len(lines):
        lines.append(f"... and {moved - len(lines):,} more items.")
    return "\n".join([_refusal(run, undone_by), *lines])


def _refusal(run: int, undone_by: int | None) -> str:
    restore = "--force to restore the k before this one all the same."
    if undone_by is not None:
        # Rolling that back, as a later run, would only put this run's own k in force again.
        return (
            f"run {run} was rolled back already, by run {undone_by}, and k have changed since, so"
            f" nothing was rolled back. Roll back what came after run {undone_by}, or give"
            f" {restore}"
        )
    return (
        f"k have changed since run {run}, so nothing was rolled back. Roll back the later run"
        f" first, or give {restore}"
    )


def _count(cursor: Any, statement: str, run: int) -> int:
    cursor.execute(statement, {"run": run})
    return int(cursor.fetchone()[0])


def _undone_by(cursor: Any, sql: Mapping[str, str], run: int) -> int | None:
    """The newest rollback of a run that was not rolled back in its turn."""
    cursor.execute(sql["later_rollbacks"], {"run": run})
    undone: dict[int, int] = {}
    for number, settings in cursor.fetchall():  # newest first
        try:
            of = json.loads(settings)["rollback_of"]
            if number not in undone:
                undone.setdefault(of, number)
        except (*FAULTS, KeyError):  # a record that cannot be read is told by who asks for it
            continue
    return undone.get(run)


def _moved_on_words(
    run: int, question: int, version: int, left: float, now: float | None, later: int | None
) -> str:
    """What is said of a row of `moved_on`."""
    is_now = "is absent" if now is None else f"is {float(now):.6g}"
    by = "" if later is None else f", as run {later} left it"
    return f"item {question}/{version}: run {run} left sh_p at {left:.6g}, and it {is_now}{by}."
