"""What `db check` says of a database that nothing can be saved in."""

from __future__ import annotations

import os
from pathlib import Path

_WORKS = "simulate, sweep and audit work, and nothing can be saved."

#: Of PostgreSQL.
READ_ONLY = (
    f"The database is read-only (a replica?): {_WORKS} To calibrate, give the primary's address."
)


def file_hindrances(path: Path) -> list[str]:
    """What hinders saving in a SQLite file; a run keeps its lock and its journal beside it."""
    return [
        f"The {kind} {place} may not be written: {_WORKS} To calibrate, correct its permissions."
        for kind, place, mode in (
            ("file", path, os.W_OK),
            ("folder", path.parent, os.W_OK | os.X_OK),
        )
        if not os.access(place, mode)
    ]
