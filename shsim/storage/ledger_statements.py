"""The ledger's SQL: what both databases are asked alike, and what each has of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from shsim.storage.statements import statements


@cache
def ledger_statements(database: Literal["postgres", "sqlite"]) -> Mapping[str, str]:
    """The ledger's statements by name, in the database's own spelling of parameters."""
    common = dict(statements("ledger"))
    if database == "postgres":
        insert = common["insert_run"] + "\nON CONFLICT DO NOTHING\nRETURNING id"
        beyond = "OVERRIDING SYSTEM VALUE VALUES ((SELECT max(id) + 1 FROM shsim_run), "
        common |= {
            "insert_run": insert,
            "end_deferring": statements("postgres")["end_deferring"],
            "insert_run_beyond": insert.replace("(", "(id, ", 1).replace("VALUES (", beyond, 1),
        }
    else:
        common = {
            name: re.sub(r"%\((\w+)\)s", r":\1", statement) for name, statement in common.items()
        }
    own = statements(f"{database}_ledger")
    common = {name: text.replace("ITEM_SUMS", own["item_sums"]) for name, text in common.items()}
    return {**common, **own}
