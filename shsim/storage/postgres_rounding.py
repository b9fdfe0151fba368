"""A column that would keep too little of k, so that what is saved is not what was verified."""

from __future__ import annotations

from typing import Any

from shsim.errors import DatabaseError
from shsim.storage.statements import statements

_SQL = statements("postgres")


def rounding_words(kind: str) -> str:
    """What is said of a column of this type, and how to mend it."""
    return (
        f"Column sh_p of item_exposure_control has the type {kind}, which rounds k to fewer than"
        " four decimals: the k saved would not be those verified. Widen it: ALTER TABLE"
        " item_exposure_control ALTER COLUMN sh_p TYPE double precision;"
    )


def refuse_rounding(cursor: Any, label: str) -> None:
    """Raise where `sh_p` keeps fewer than four decimals.

    Four are enough: in a test of 30 items each item is proposed 30 times at most, so that half a
    unit of the fourth moves no exposure rate by more than 0.0015.

    Raises
    ------
    DatabaseError
        Names the column's type.
    """
    cursor.execute(_SQL["rounding_k"])
    for (kind,) in cursor.fetchall():
        raise DatabaseError(f"{label}: {rounding_words(kind)} Nothing was written.")
