"""Rows of the ledger as values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from shsim.errors import DamagedError
from shsim.model.plain_values import misfits
from shsim.model.results import Measures, Verdict
from shsim.model.run_record import RecordedRun, RunItems, UnreadableRun
from shsim.model.stored_settings import is_blueprint

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
_FIGURES: Mapping[str, type] = {"verification": Measures, "before": Measures, "verdict": Verdict}

#: What reading a value that nobody of ours has written can raise.
_FAULTS = (ValueError, TypeError, OverflowError, RecursionError, AttributeError)


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
    except _FAULTS as error:
        raise DamagedError(f"{label}: {unreadable(run, error)}") from error


def unreadable(run: object, error: BaseException) -> str:
    """What is said of a run that cannot be read."""
    said = " ".join(str(error).split())[:200]
    return (
        f"run {run} of the ledger cannot be read: {said}. Restore the database from a backup, or"
        f" delete the row from shsim_run, and those of run {run} from shsim_run_item."
    )


def recorded_or_not(row: Sequence[Any]) -> RecordedRun | UnreadableRun:
    """As :func:`recorded`; in a list of runs one that cannot be read leaves the others."""
    try:
        return recorded(row)
    except _FAULTS as error:
        return UnreadableRun(int(row[0]), unreadable(row[0], error))


def recorded(row: Sequence[Any]) -> RecordedRun:
    """A run from a row of `run` or `history`.

    Raises
    ------
    ValueError
        A value is none that a ledger holds; the columns are named.
    """
    values = dict(zip(COLUMNS, row, strict=True))
    read = {name: _value(name, value) for name, value in values.items()}
    wrong = [name for name in COLUMNS if not isinstance(read[name], _TYPES[name])]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} in shsim_run is not what was written there")
    return RecordedRun(**read)


def _value(column: str, stored: Any) -> Any:
    """A column's value; of one that cannot be read something that it never holds."""
    try:
        if column in TEXTS:
            return _CHECKS[column](json.loads(stored))
        if column in ("started", "finished"):
            return datetime.fromisoformat(stored).astimezone(UTC)
        if column == "tau" and stored is not None and not math.isfinite(stored):
            return _UNREADABLE
    except _FAULTS:
        return _UNREADABLE
    return stored


def _settings(plain: Any) -> Any:
    blueprint = plain.get("blueprint")
    return plain if blueprint is None or is_blueprint(blueprint) else _UNREADABLE


def _measures(plain: Any) -> Any:
    sets = [(kind, plain[name]) for name, kind in _FIGURES.items() if name in plain]
    sets += [(Measures, each) for each in plain.get("compared", {}).values()]
    good = all(
        isinstance(each, dict) and not misfits(kind, each, blank=True) for kind, each in sets
    )
    return plain if good else _UNREADABLE


def _iterations(plain: Any) -> Any:
    return plain if all(isinstance(each, dict) for each in plain) else _UNREADABLE


_UNREADABLE = object()
_CHECKS = {"settings": _settings, "history": _iterations, "measures": _measures}


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
