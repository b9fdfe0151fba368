"""A save looked at within its own transaction, whichever database it is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shsim.errors import DatabaseError, DataError
from shsim.model.item_pool import ItemPool
from shsim.storage.statements import statements

_SQL = statements("saving")


def refuse_no_k(cursor: Any, run: int) -> None:
    """Raise where what a rollback is about to write is no k, naming the items.

    Parameters
    ----------
    cursor
        In the transaction, with the table `shsim_k` filled.
    run
        The run that is undone.
    """
    cursor.execute(_SQL["staged_no_k"])
    rows = cursor.fetchall()
    if rows:
        raise DataError([no_k_words(run, f"{item}/{version}", k) for item, version, k in rows])


def no_k_words(run: int, item: str, k: object) -> str:
    """What is said of a k before a run that is none."""
    return (
        f"item {item}: sh_p before run {run} is on record as {k}, outside [0, 1]."
        " Nothing was rolled back: import a table of k in its place."
    )


def count_unsaved(cursor: Any) -> tuple[int, int | None]:
    """How many k of `shsim_k` do not stand in the table as they are, and the first's question."""
    cursor.execute(_SQL["count_unsaved"])
    count, first = cursor.fetchone()
    return int(count), first


def refuse_unsaved(cursor: Any, label: str) -> None:
    """Raise, before the COMMIT, where the table does not have the k that were written.

    Raises
    ------
    DatabaseError
        A trigger or a rule of the table has changed or dropped them.
    """
    count, first = count_unsaved(cursor)
    if count:
        raise DatabaseError(
            f"{label}: {count:,} of the k written (the first is that of item {first}) do not stand"
            " in item_exposure_control as they were written: a trigger or a rule of that table, or"
            " its row-level security, changes or drops them. Nothing was saved. Correct that and"
            " run again."
        )


def count_imported(cursor: Any, sql: Mapping[str, str], pool: ItemPool) -> int:
    """How many items of the pool, put into `shsim_pool`, stand in the tables as they are in it."""
    cursor.execute(sql["count_imported"], {"exam": pool.name})
    return int(cursor.fetchone()[0])


def refuse_unimported(cursor: Any, sql: Mapping[str, str], pool: ItemPool, label: str) -> None:
    """Raise, before the COMMIT, where items do not stand as they were imported.

    Parameters
    ----------
    cursor
        In the transaction, with the table `shsim_pool` filled from `pool`.
    sql
        The database's statements.

    Raises
    ------
    DatabaseError
        A trigger or a rule has changed or dropped them.
    """
    count = len(pool) - count_imported(cursor, sql, pool)
    if count:
        raise DatabaseError(
            f"{label}: {count:,} of the items imported do not stand in the tables as they were"
            " written: a trigger or a rule of question_publications, question_versions,"
            " item_calibration or item_exposure_control, or its row-level security, changes or"
            " drops them. Nothing was published. Correct that and run again."
        )
