"""Rows of the ledger as values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from shsim.errors import DamagedError
from shsim.model.run_record import RecordedRun, RunItems

#: Columns of `run` and `history` in their order, after the number.
TEXTS = ("settings", "history", "measures")
COLUMNS = (
    "run", "command", "exam", "started", "finished", "database_user", "os_user", "host",
    "version", "settings", "seed", "fingerprint", "start", "rejection", "ability", "tau",
    "history", "measures", "outcome", "message",
)  # fmt: skip


#: What each column must hold; None is allowed where it stands beside.
_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(COLUMNS, (str,)),
    "run": (int,),
    "settings": (dict,),
    "history": (list,),
    "measures": (dict,),
    "started": (datetime,),
    "finished": (datetime,),
    "seed": (int, type(None)),
    "tau": (float, int, type(None)),
    **dict.fromkeys(
        ("database_user", "fingerprint", "start", "rejection", "ability"), (str, type(None))
    ),
}

#: Sets of figures among the measures.
_FIGURES = ("verification", "before", "verdict", "compared")


_ITEM = np.dtype(
    [
        ("question_id", "i8"),
        ("version", "i8"),
        ("before", "f8"),
        ("after", "f8"),
        ("absent", "?"),
    ]
)


@contextmanager
def reading(run: object, label: str) -> Iterator[None]:
    """Rows of a run are read within; one that is not what we wrote is said in a line.

    Raises
    ------
    DamagedError
        A value has another type or shape: a hand wrote there, or a disk has lost something.
    """
    try:
        yield
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise DamagedError(
            f"{label}: run {run} of its ledger cannot be read: {said}. Restore the database from a"
            f" backup, or delete the row from shsim_run, and those of run {run} from"
            " shsim_run_item."
        ) from error


def recorded(row: Sequence[Any]) -> RecordedRun:
    """A run from a row of `run` or `history`.

    Raises
    ------
    ValueError, TypeError
        A value is none that a ledger holds.
    """
    values = dict(zip(COLUMNS, row, strict=True))
    values |= {name: json.loads(values[name]) for name in TEXTS}
    values |= {name: _moment(values[name]) for name in ("started", "finished")}
    wrong = [name for name, kinds in _TYPES.items() if not isinstance(values[name], kinds)]
    if not wrong and not all(isinstance(values["measures"].get(n, {}), dict) for n in _FIGURES):
        wrong = ["measures"]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} is not what was written there")
    return RecordedRun(**values)


def _moment(stored: datetime | str) -> datetime:
    moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
    return moment.astimezone(UTC)


def items_of(rows: Iterable[tuple[int, int, float | None, float, bool]]) -> RunItems:
    """What a run did, from the rows of `items`."""
    read = np.fromiter(rows, dtype=_ITEM)  # None becomes nan
    return RunItems(*(np.ascontiguousarray(read[name]) for name in _ITEM.names or ()))


def moved_on_words(
    run: int, question: int, version: int, left: float, now: float | None, later: int | None
) -> str:
    """What is said of a row of `moved_on`."""
    is_now = "is absent" if now is None else f"is {float(now):.6g}"
    by = "" if later is None else f", as run {later} left it"
    return f"item {question}/{version}: run {run} left sh_p at {left:.6g}, and it {is_now}{by}."
