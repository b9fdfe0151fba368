"""The QBank tables that shsim reads and writes: the columns it needs of each."""

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
