"""What a command does in the database: what a role must be granted for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shsim.storage.tables import LEDGER_COLUMNS, TABLES

#: By table and privilege the columns that are touched: a role may have been given those alone.
Touched = Mapping[tuple[str, str], tuple[str, ...]]


def is_writing(touched: Touched) -> bool:
    """Whether anything but reading is among them."""
    return any(privilege != "SELECT" for _, privilege in touched)


def is_staging(touched: Touched) -> bool:
    """Whether what is written is put into a temporary table first: all but the ledger's is."""
    return any(table in TABLES and privilege != "SELECT" for table, privilege in touched)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a command cannot do without, and what it would have as well.

    Attributes
    ----------
    required
        Without it the command is refused before it begins.
    wanted
        Named beside what is required where any of that is lacking, so that it is asked for once.
    """

    required: Touched
    wanted: Touched = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.required)

    @property
    def writing(self) -> bool:
        """Whether more is required than reading."""
        return is_writing(self.required)


_K = ("question_id", "version", "sh_p")
_LEDGER = {table: tuple(sorted(columns)) for table, columns in LEDGER_COLUMNS.items()}
_READ: Touched = {
    **{
        (table, "SELECT"): TABLES[table]
        for table in ("question_publications", "question_versions", "item_calibration")
    },
    ("item_exposure_control", "SELECT"): _K,
}
_SAVE: Touched = {
    **_READ,
    ("item_exposure_control", "INSERT"): (*_K, "updated_at"),
    ("item_exposure_control", "UPDATE"): ("sh_p", "updated_at"),
}

#: Of the ledger: to look into it, and to have a run put on record.
LOOK: Touched = {(table, "SELECT"): columns for table, columns in _LEDGER.items()}
RECORD: Touched = {
    **LOOK,
    **{(table, "INSERT"): _LEDGER[table] for table in ("shsim_run", "shsim_run_item")},
}

#: Whoever has made the tables may do what he likes.
OWNING = Needs({})

READING = Needs(_READ)
SIMULATING = Needs(_READ, RECORD)
LOOKING_BACK = Needs(LOOK)
#: What the ledger would tell can be given to an audit in its place.
AUDITING = Needs({**_READ, ("user_responses", "SELECT"): TABLES["user_responses"]}, LOOK)
SAVING = Needs(_SAVE, RECORD)
IMPORTING = Needs(
    {
        **_SAVE,
        ("question_publications", "INSERT"): TABLES["question_publications"],
        ("question_publications", "UPDATE"): ("live_version",),
        ("question_versions", "INSERT"): TABLES["question_versions"],
        ("question_versions", "UPDATE"): ("topic_id", "state"),
        ("item_calibration", "INSERT"): TABLES["item_calibration"],
        ("item_calibration", "UPDATE"): ("a", "b", "c"),
    }
)


def of_past_run(*, dry_run: bool) -> Needs:
    """What undoing a run on record, or repeating it, does."""
    return Needs({**LOOK, **_READ}) if dry_run else Needs({**LOOK, **_SAVE}, RECORD)
