"""What was put on record read back in its own transaction: a trigger may have been at it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NewType

from shsim.errors import DatabaseError
from shsim.storage.ledger_rows import COLUMNS

_MOMENTS = frozenset({"started", "finished"})

#: How many items a run has on record, and sums over them that another k would change.
ItemSums = NewType("ItemSums", tuple[Any, ...])


def refuse_altered_run(
    cursor: Any, sql: Mapping[str, str], run: int, row: Mapping[str, Any], label: str
) -> None:
    """Raise where the ledger does not have the run as it was put there.

    Parameters
    ----------
    cursor
        In the transaction that put it there.
    sql
        The ledger's statements.
    run
        The number that the database gave it.
    row
        What was put there.
    label
        The database as people name it.

    Raises
    ------
    DatabaseError
        A trigger or a rule of `shsim_run` has changed or dropped it.
    """
    cursor.execute(sql["run"], {"run": run})
    found = cursor.fetchone()
    if found is None:
        raise _altered(label, f"run {run} does not stand in shsim_run", "shsim_run")
    stored = dict(zip(COLUMNS, found, strict=True))
    wrong = [name for name in row if not _same(name, row[name], stored[name])]
    if wrong:
        said = f"{', '.join(wrong)} of run {run} is not in shsim_run as it was written"
        raise _altered(label, said, "shsim_run")


def sums_unaltered(cursor: Any, sql: Mapping[str, str], run: int, label: str) -> ItemSums | None:
    """Raise where a rollback would put other k back than those that the table still has.

    Parameters
    ----------
    cursor
        In the transaction, with the table `shsim_k` filled, and no k written yet.
    sql
        The ledger's statements.
    run
        The run whose items have been put on record.
    label
        The database as people name it.

    Returns
    -------
    ItemSums or None
        What the items are known by once the k before them are overwritten; None: nothing in the
        database could alter them.

    Raises
    ------
    DatabaseError
        A trigger or a rule of `shsim_run_item` has changed, added or dropped some.
    """
    if not _may_be_altered(cursor, sql):
        return None
    cursor.execute(sql["count_items_kept"], {"run": run})
    found, kept, wanted, *sums = cursor.fetchone()
    wrong = max(found, wanted) - kept
    if wrong:
        said = f"{wrong:,} of the items of run {run} are not in shsim_run_item as they were written"
        raise _altered(label, said, "shsim_run_item")
    return ItemSums((found, *sums))


def refuse_other_sums(
    cursor: Any, sql: Mapping[str, str], run: int, sums: ItemSums, label: str
) -> None:
    """Raise where the items are no longer those of :func:`sums_unaltered`.

    Raises
    ------
    DatabaseError
        A trigger that was deferred, or one of the table of k, has changed, added or dropped some.
    """
    cursor.execute(sql["sum_items"], {"run": run})
    if tuple(cursor.fetchone()) != sums:
        said = f"the items of run {run} are not in shsim_run_item as they were written"
        raise _altered(label, said, "shsim_run_item or item_exposure_control")


def _may_be_altered(cursor: Any, sql: Mapping[str, str]) -> bool:
    """Whether a million items are to be read: in SQLite a trigger alone could have been at them."""
    if "any_trigger" not in sql:
        return True
    cursor.execute(sql["any_trigger"])
    return cursor.fetchone() is not None


def _same(name: str, written: Any, stored: Any) -> bool:
    if name not in _MOMENTS:
        return bool(written == stored)
    try:
        return datetime.fromisoformat(stored) == datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return False


def _altered(label: str, said: str, table: str) -> DatabaseError:
    return DatabaseError(
        f"{label}: {said}: a trigger or a rule of {table}, or its row-level security, changes or"
        " drops it, and a rollback would go by it. Nothing was saved. Correct that and run again."
    )
