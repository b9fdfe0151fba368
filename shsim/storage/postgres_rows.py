"""Rows in and out of PostgreSQL in bulk, by COPY."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from shsim.arrays import AnyArray
from shsim.model.audit import LiveCounts
from shsim.model.item_exposure import ItemExposure, ItemPage
from shsim.storage.statements import statements

_SQL = statements("postgres")

#: A COPY BINARY stream: signature, flags and extension's length; rows; an end mark.
_HEADER, _TRAILER = 19, 2

#: One binary row of `load_pool`: the count of fields, then each field's width and value.
_FIELDS = (
    ("question_id", ">i8"),
    ("version", ">i8"),
    ("topic_id", ">i8"),
    ("a", ">f8"),
    ("b", ">f8"),
    ("c", ">f8"),
    ("k", ">f8"),
    ("k_stored", "u1"),
    ("defaulted", "u1"),
)
_ROW = np.dtype(
    [("fields", ">i2")]
    + [part for name, type_ in _FIELDS for part in ((f"{name} width", ">i4"), (name, type_))]
)


def read_pool(cursor: Any, exam: str) -> Mapping[str, AnyArray]:
    """The exam's rows by column, as :meth:`ItemPool.build` takes them."""
    select = cursor.mogrify(_SQL["load_pool"], {"exam": exam}).decode()
    stream = io.BytesIO()
    cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT binary)", stream)
    rows = np.frombuffer(stream.getbuffer()[_HEADER:-_TRAILER], dtype=_ROW)
    return {name: rows[name].astype(np.dtype(type_).newbyteorder("=")) for name, type_ in _FIELDS}


def read_live(cursor: Any, exam: str, since: datetime, until: datetime) -> LiveCounts:
    """Attempts within a window by item, and what other exams publish."""
    cursor.execute("SET LOCAL TIME ZONE 'UTC'")  # what a time without a zone is in
    window = {"exam": exam, "since": since, "until": until}
    cursor.execute(_SQL["count_responses"], window)
    attempts = {(question, version): count for question, version, count in cursor.fetchall()}
    cursor.execute(_SQL["count_later_responses"], window)
    later = int(cursor.fetchone()[0])
    cursor.execute(_SQL["count_undated_responses"])
    undated = int(cursor.fetchone()[0])
    cursor.execute(_SQL["published_elsewhere"], window)
    return LiveCounts(attempts, frozenset(cursor.fetchall()), later, undated)


def read_items(cursor: Any, exam: str | None, since: datetime, window: tuple[int, int]) -> ItemPage:
    """Published items with their attempts since a moment; `window` is limit and offset."""
    cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    limit, offset = window
    asked = {"exam": exam, "since": since, "limit": limit, "offset": offset}
    cursor.execute(_SQL["exposure_items"], asked)
    items = [ItemExposure(*row) for row in cursor.fetchall()]
    cursor.execute(_SQL["count_live_items"], asked)
    return ItemPage(items, int(cursor.fetchone()[0]))


def read_publishers(cursor: Any, question_id: int, version: int) -> list[tuple[str | None]]:
    """A row an exam that publishes the item, one of None where none does, or no row: no item."""
    cursor.execute(_SQL["publishers"], {"question_id": question_id, "version": version})
    return list(cursor.fetchall())


def copy_text(rows: Iterable[tuple[object, ...]]) -> io.BytesIO:
    r"""Rows of numbers as COPY reads them; None is ``\N``, and a float keeps every digit."""
    lines = (
        "\t".join("\\N" if value is None else repr(value) for value in row) + "\n" for row in rows
    )
    return io.BytesIO("".join(lines).encode())
