"""Runs that were rolled back, and stay so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shsim.storage.ledger_rows import FAULTS


def undone_since(cursor: Any, sql: Mapping[str, str], run: int) -> dict[int, int]:
    """Runs rolled back after a run, by which: the newest rollback not rolled back in its turn.

    Parameters
    ----------
    cursor
        In a database with a ledger that may be read.
    sql
        The ledger's statements.
    run
        Rollbacks of greater numbers are looked at; 0 for all.
    """
    cursor.execute(sql["later_rollbacks"], {"run": run})
    undone: dict[int, int] = {}
    for number, settings in cursor.fetchall():  # newest first
        try:
            of = int(json.loads(settings)["rollback_of"])
            if number not in undone:
                undone.setdefault(of, number)
        except (*FAULTS, KeyError):  # a record that cannot be read is told by who asks for it
            continue
    return undone
