"""Reading a TOML file, and what is said where it is none."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from shsim.errors import DataError

#: Tables and lists within each other, at most: what is deeper cannot even be shown.
_DEEPEST = 50

#: TOML's own bounds of a whole number; Python reads longer ones, and cannot show them.
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a file.

    Raises
    ------
    DataError
        The file cannot be read, or is not TOML: one line.
    """
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}. Give a file that exists.") from error
    except ValueError as error:  # not TOML, not UTF-8, or a path with a NUL
        raise DataError(f"{path}: not TOML: {error}. Correct the file.") from error
    except RecursionError:
        raise DataError(f"{path}: nested beyond all reason. Correct the file.") from None
    _refuse_extremes(path, document)
    return document


def _refuse_extremes(path: Path, document: dict[str, Any]) -> None:
    """Refuse what is TOML by its grammar and no message could show."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        if not level:
            return
        for value in level:
            if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
                raise DataError(
                    f"{path}: not TOML: a whole number in it is outside 64 bits. Correct the file."
                )
        tables = [value.values() for value in level if isinstance(value, dict)]
        lists = [value for value in level if isinstance(value, list)]
        level = [inner for values in (*tables, *lists) for inner in values]
    raise DataError(f"{path}: nested beyond all reason. Correct the file.")
