"""Rows of the ledger as values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from shsim.model.run_record import RecordedRun, RunItems

#: Columns of `run` and `history` in their order, after the number.
TEXTS = ("settings", "history", "measures")
COLUMNS = (
    "run", "command", "exam", "started", "finished", "database_user", "os_user", "host",
    "version", "settings", "seed", "fingerprint", "start", "rejection", "ability", "tau",
    "history", "measures", "outcome", "message",
)  # fmt: skip


def recorded(row: Sequence[Any]) -> RecordedRun:
    """A run from a row of `run` or `history`."""
    values = dict(zip(COLUMNS, row, strict=True))
    values |= {name: json.loads(values[name]) for name in TEXTS}
    values |= {name: _moment(values[name]) for name in ("started", "finished")}
    return RecordedRun(**values)


def _moment(stored: datetime | str) -> datetime:
    moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
    return moment.astimezone(UTC)


def items_of(rows: Sequence[tuple[int, int, float | None, float]]) -> RunItems:
    """What a run did, from the rows of `items`."""
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return RunItems(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.float64),  # None becomes nan
        np.array(columns[3], dtype=np.float64),
    )


def moved_on_words(
    run: int, question: int, version: int, left: float, now: float | None, later: int | None
) -> str:
    """What is said of a row of `moved_on`."""
    is_now = "is absent" if now is None else f"is {float(now):.6g}"
    by = "" if later is None else f", as run {later} left it"
    return f"item {question}/{version}: run {run} left sh_p at {left:.6g}, and it {is_now}{by}."
