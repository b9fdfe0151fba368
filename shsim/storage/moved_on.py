"""Why a run cannot be rolled back: the k in force are no longer what it left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shsim.storage.ledger_rows import reading
from shsim.storage.undone_runs import undone_since

#: By whom k are changed without a run on record. A run leaves none where its role may not write
#: to the ledger.
OFF_RECORD = "by hand, by an import or by a run that was not recorded"

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
    undone = undone_since(cursor, sql, run)
    undone_by = undone.get(run)
    if not _count(cursor, sql["count_not_as_before"], run):
        return _nothing_to_undo(run, undone_by)
    cursor.execute(sql["moved_on"], {"run": run, "limit": _SHOWN})
    rows = cursor.fetchall()
    with reading(run, label):
        lines = [_moved_on_words(run, *row) for row in rows]
    if moved > len(lines):
        lines.append(f"... and {moved - len(lines):,} more items.")
    first = _to_roll_back_first(cursor, sql, run, undone, rows)
    return "\n".join([_refusal(run, undone_by, first), *lines])


def _nothing_to_undo(run: int, undone_by: int | None) -> str:
    if undone_by is None:  # by a rollback that was not recorded, say
        return f"the k before run {run} are in force already: there is nothing to roll back."
    return (
        f"run {run} was rolled back already, by run {undone_by}: the k before it are in force,"
        " and there is nothing to roll back."
    )


def _refusal(run: int, undone_by: int | None, first: int | None) -> str:
    said = f"k have changed since run {run}, so nothing was rolled back."
    if undone_by is not None:
        said = (
            f"run {run} was rolled back already, by run {undone_by}, and k have changed since, so"
            " nothing was rolled back."
        )
    restore = "--force to restore the k before this one all the same."
    if first is None:
        return (
            f"{said} The k named here were changed {OFF_RECORD}, and by no later run that could be"
            f" rolled back. Give {restore}"
        )
    return f"{said} Roll back run {first} first, or give {restore}"


def _to_roll_back_first(
    cursor: Any,
    sql: Mapping[str, str],
    run: int,
    undone: Mapping[int, int],
    rows: Sequence[Sequence[Any]],
) -> int | None:
    """The newest later run whose k are in force, of items in rows of `moved_on`; None: no such.

    A run that was rolled back, and the rollback that did it, cancel out: to roll that back
    would put the other's k in force again.
    """
    later = {row[-1]: row for row in rows if row[-1] is not None}
    if not later:
        return None
    question, version, *_ = later[max(later)]
    named = {"run": undone.get(run, run), "question_id": question, "version": version}
    cursor.execute(sql["later_writers"], named)
    cancelled = {number for of, by in undone.items() if of >= run for number in (of, by)}
    return next((int(number) for (number,) in cursor if number not in cancelled), None)


def _count(cursor: Any, statement: str, run: int) -> int:
    cursor.execute(statement, {"run": run})
    return int(cursor.fetchone()[0])


def _moved_on_words(
    run: int, question: int, version: int, left: float, now: float | None, later: int | None
) -> str:
    """What is said of a row of `moved_on`."""
    is_now = "is absent" if now is None else f"is {float(now):.6g}"
    by = "" if later is None else f", as run {later} left it"
    return f"item {question}/{version}: run {run} left sh_p at {left:.6g}, and it {is_now}{by}."
