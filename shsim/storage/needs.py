"""What a command does in the database: what a role must be granted for it."""

from __future__ import annotations

from collections.abc import Mapping

from shsim.storage.ledger_state import LEDGER_COLUMNS
from shsim.storage.tables import TABLES

#: By table and privilege the columns that are touched: a role may have been given those alone.
Needs = Mapping[tuple[str, str], tuple[str, ...]]

_K = ("question_id", "version", "sh_p")

#: Whoever has made the tables may do what he likes.
OWNING: Needs = {}

READING: Needs = {
    **{
        (table, "SELECT"): TABLES[table]
        for table in ("question_publications", "question_versions", "item_calibration")
    },
    ("item_exposure_control", "SELECT"): _K,
}
LOOKING_BACK: Needs = {
    (table, "SELECT"): tuple(sorted(columns)) for table, columns in LEDGER_COLUMNS.items()
}
#: What the ledger would tell can be given to an audit in its place.
AUDITING: Needs = {**READING, ("user_responses", "SELECT"): TABLES["user_responses"]}
SAVING: Needs = {
    **READING,
    ("item_exposure_control", "INSERT"): (*_K, "updated_at"),
    ("item_exposure_control", "UPDATE"): ("sh_p", "updated_at"),
}
IMPORTING: Needs = {
    **SAVING,
    ("question_publications", "INSERT"): TABLES["question_publications"],
    ("question_publications", "UPDATE"): ("live_version",),
    ("question_versions", "INSERT"): TABLES["question_versions"],
    ("question_versions", "UPDATE"): ("topic_id", "state"),
    ("item_calibration", "INSERT"): TABLES["item_calibration"],
    ("item_calibration", "UPDATE"): ("a", "b", "c"),
}


def of_past_run(*, dry_run: bool) -> Needs:
    """What undoing a run on record, or repeating it, does."""
    return {**LOOKING_BACK, **(READING if dry_run else SAVING)}


def is_writing(needs: Needs) -> bool:
    """Whether anything but reading is among them."""
    return any(privilege != "SELECT" for _, privilege in needs)
