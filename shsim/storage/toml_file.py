"""Reading a TOML file, and what is said where it is none."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from shsim.errors import DataError


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a file.

    Raises
    ------
    DataError
        The file cannot be read, or is not TOML: one line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}. Give a file that exists.") from error
    except ValueError as error:  # not TOML, not UTF-8, or a path with a NUL
        raise DataError(f"{path}: not TOML: {error}. Correct the file.") from error
    except RecursionError:
        raise DataError(f"{path}: nested beyond all reason. Correct the file.") from None
