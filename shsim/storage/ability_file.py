"""Reading `--theta`: a distribution by its spelling, or a file with one ability a line."""

from __future__ import annotations

import math
from pathlib import Path

from shsim.errors import DataError, UsageError
from shsim.model.ability import LARGEST_THETA, AbilityDistribution
from shsim.storage.csv_file import decoded, read_bytes

_PREFIX = "file:"


def read_ability(spelling: str, option: str = "theta") -> AbilityDistribution:
    """The ability distribution of any spelling, `file:PATH` among them.

    A file holds one ability a line; empty lines, and what follows a ``#``, are left out.
    `option` is what messages call it.

    Raises
    ------
    UsageError
        The spelling is unknown, or a parameter is out of range.
    DataError
        The file cannot be read, or lines of it are no abilities: every one of them.
    """
    name = named_file(spelling)
    if name is None:
        try:
            return AbilityDistribution.parse(spelling, option)
        except DataError as error:
            # A distribution does not know what it is for.
            said = [problem.replace("theta ", f"{option} ", 1) for problem in error.problems]
            raise UsageError("\n".join(said)) from error
    if not name:
        raise UsageError(f"{option} file: names no file. Write file:PATH.")
    text = decoded(read_bytes(Path(name), name), name)
    values, problems = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.split("#", 1)[0].strip()
        if not written:
            continue
        value = _ability(written)
        if math.isnan(value):
            problems.append(
                f"{name}:{number}: ability {written[:40]!r} is not a number within"
                f" ±{LARGEST_THETA:g}. Correct the line and run again."
            )
        values.append(value)
    if problems:
        raise DataError(problems)
    return AbilityDistribution.empirical(values, f"{_PREFIX}{name}")


def named_file(spelling: str) -> str | None:
    """The PATH of `file:PATH`; None for any other spelling."""
    stripped = spelling.strip()
    return stripped.removeprefix(_PREFIX) if stripped.startswith(_PREFIX) else None


def _ability(text: str) -> float:
    """The number written, or NaN where it is none that an ability could be."""
    if not text.isascii() or "_" in text:  # Python reads other scripts' digits, and 1_000
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if abs(value) <= LARGEST_THETA else math.nan
