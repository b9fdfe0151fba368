"""The QBank tables and the ledger's: the columns that shsim needs of each."""

from __future__ import annotations

from collections.abc import Mapping

TABLES: Mapping[str, tuple[str, ...]] = {
    "question_publications": ("exam_code", "question_id", "live_version"),
    "question_versions": ("question_id", "version", "topic_id", "state"),
    "item_calibration": ("question_id", "version", "model", "a", "b", "c"),
    "item_exposure_control": ("question_id", "version", "sh_p", "updated_at"),
    "user_responses": ("question_id", "version", "created_at"),
}

#: Without this one a run works; it is what live exposure is counted from.
OPTIONAL_TABLES = frozenset({"user_responses"})

#: The ledger's tables, with the columns that the first schema gave them.
LEDGER_COLUMNS = {
    "shsim_schema": {"version", "applied_at"},
    "shsim_run": {
        "id", "command", "exam", "started", "finished", "database_user", "os_user", "host",
        "version", "settings", "seed", "fingerprint", "start", "rejection", "ability", "tau",
        "history", "measures", "outcome", "message",
    },
    "shsim_run_item": {"run", "question_id", "version", "k_before", "k_after"},
}  # fmt: skip
LEDGER_TABLES = tuple(LEDGER_COLUMNS)
