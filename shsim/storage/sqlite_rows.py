"""An exam's rows out of SQLite, by column."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import numpy as np

from shsim.arrays import AnyArray
from shsim.storage.statements import statements

_SQL = statements("sqlite")

#: The columns of `load_pool`, in its order.
_COLUMNS = (
    ("question_id", np.int64),
    ("version", np.int64),
    ("topic_id", np.int64),
    ("a", np.float64),
    ("b", np.float64),
    ("c", np.float64),
    ("k", np.float64),
    ("k_stored", np.bool_),
    ("defaulted", np.bool_),
)


def read_pool(db: sqlite3.Connection, exam: str) -> Mapping[str, AnyArray]:
    """The exam's rows by column, as :meth:`ItemPool.build` takes them."""
    rows = db.execute(_SQL["load_pool"], {"exam": exam}).fetchall()
    columns = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS)
    return {
        name: np.array(values, dtype=type_)
        for (name, type_), values in zip(_COLUMNS, columns, strict=True)
    }
