"""Whether a SQLite file is whole."""

from __future__ import annotations

import re
import sqlite3

#: What the check also tells of, and is no damage: values that a column's declaration is against.
_NO_DAMAGE = re.compile(r"(?:[A-Z]+|non-\w+) value in |CHECK constraint failed in ")


def refuse_damage(db: sqlite3.Connection) -> None:
    """Read every page, and raise where one is not what it should be.

    Runs come upon damage only where they look, and one that saves looks further than others.

    Raises
    ------
    sqlite3.DatabaseError
        In SQLite's own words for damage, with the first place.
    """
    for (said,) in db.execute("PRAGMA quick_check"):
        first = str(said).removeprefix("*** in database main ***\n").partition("\n")[0]
        if first != "ok" and not _NO_DAMAGE.match(first):
            raise sqlite3.DatabaseError(f"database disk image is malformed: {first}")
