"""Rows of the ledger as values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from shsim.errors import DamagedError
from shsim.model.plain_values import misfits
from shsim.model.results import Measures, Verdict
from shsim.model.run_record import RecordedRun, RunItems, RunRecord, UnreadableRun
from shsim.model.stored_settings import is_blueprint

#: Columns of `run` and `history` in their order, after the number.
TEXTS = ("settings", "history", "measures")
COLUMNS = (
    "run", "command", "exam", "started", "finished", "database_user", "os_user", "host",
    "version", "settings", "seed", "fingerprint", "start", "rejection", "ability", "tau",
    "history", "measures", "outcome", "message",
)  # fmt: skip

#: Longest message kept, in characters.
_LONGEST_MESSAGE = 2000

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
FAULTS = (ValueError, TypeError, OverflowError, RecursionError, AttributeError)


_ITEM = np.dtype(
    [
        ("question_id", "i8"),
        ("version", "i8"),
        ("before", "f8"),
        ("after", "f8"),
        ("absent", "?"),
    ]
)


def row_of(record: RunRecord, scrub: Callable[[str], str], codec: str) -> dict[str, Any]:
    """A run as `insert_run` takes it.

    Parameters
    ----------
    record
        The run.
    scrub
        Blots secrets out of a text.
    codec
        Python's name of the database's encoding. What has no place in it is escaped: a save is
        not lost for the name of whoever ran it.
    """
    row = {name: getattr(record, name) for name in COLUMNS[1:] if name != "database_user"}
    row |= {name: json.dumps(row[name], allow_nan=False) for name in TEXTS}
    row |= {name: row[name].astimezone(UTC).isoformat(" ") for name in ("started", "finished")}
    row["message"] = scrub(record.message)[:_LONGEST_MESSAGE].replace("\0", "\\0")
    for name in ("os_user", "host", "message"):
        row[name] = row[name].encode(codec, "backslashreplace").decode(codec)
    return row


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
    except FAULTS as error:
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
    except FAULTS as error:
        return UnreadableRun(int(row[0]), unreadable(row[0], error))


def recorded(row: Sequence[Any]) -> RecordedRun:
    """A run from a row of `run` or `history`.

    Raises
    ------
    ValueError
        A value is none that a ledger holds; the columns are named.
    """
    values = dict(zip(COLUMNS, row, strict=True))
    for name, read in _READERS.items():
        try:
            values[name] = read(values[name])
        except FAULTS:
            values[name] = _UNREADABLE
    wrong = [name for name in COLUMNS if not isinstance(values[name], _TYPES[name])]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} in shsim_run is not what was written there")
    return RecordedRun(**values)


def _moment(stored: Any) -> Any:
    return datetime.fromisoformat(stored).astimezone(UTC)


def _tau(stored: Any) -> Any:
    return stored if stored is None or math.isfinite(stored) else _UNREADABLE


def _settings(stored: Any) -> Any:
    plain = json.loads(stored)
    blueprint = plain.get("blueprint")
    return plain if blueprint is None or is_blueprint(blueprint) else _UNREADABLE


def _measures(stored: Any) -> Any:
    plain = json.loads(stored)
    sets = [(kind, plain[name]) for name, kind in _FIGURES.items() if name in plain]
    sets += [(Measures, each) for each in plain.get("compared", {}).values()]
    good = all(
        isinstance(each, dict) and not misfits(kind, each, blank=True) for kind, each in sets
    )
    return plain if good else _UNREADABLE


def _iterations(stored: Any) -> Any:
    plain = json.loads(stored)
    return plain if all(isinstance(each, dict) for each in plain) else _UNREADABLE


#: In place of a value that cannot be read; no column holds it.
_UNREADABLE = object()

#: How columns are read that are not taken as they are.
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "settings": _settings,
    "history": _iterations,
    "measures": _measures,
    "started": _moment,
    "finished": _moment,
    "tau": _tau,
}


def items_of(rows: Iterable[tuple[int, int, float | None, float, bool]]) -> RunItems:
    """What a run did, from the rows of `items`."""
    read = np.fromiter(rows, dtype=_ITEM)  # None becomes nan
    return RunItems(*(np.ascontiguousarray(read[name]) for name in _ITEM.names or ()))
