"""An audit as CSV and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from shsim import __version__
from shsim.arrays import FloatArray
from shsim.model.audit import AuditResult
from shsim.model.item_pool import NO_TOPIC
from shsim.model.settings import settings_as_dict
from shsim.report.columns import Columns, rows
from shsim.report.delimited import csv_text
from shsim.report.document import json_text
from shsim.report.render import DataFormat


def audit_columns(result: AuditResult) -> Columns:
    """One row an item of the exam, then one an item used that nobody publishes."""
    pool, live = result.pool, result.live
    columns: Columns = {
        "question_id": pool.question_id.tolist(),
        "version": pool.version.tolist(),
        "topic_id": [None if topic == NO_TOPIC else topic for topic in pool.topic_id.tolist()],
        "attempts": result.attempts.tolist(),
        "live_rate": _known(live.rate),
        "live_low": _known(live.low),
        "live_high": _known(live.high),
        "predicted_rate": result.predicted.tolist(),
        "sh_p": pool.k.tolist(),
        "shared": result.shared.astype(np.int64).tolist(),
        "flag": [flag_words(result, i) for i in range(len(pool))],
    }
    if result.counters:  # whatever they know, the columns are the same
        unknown: list[Any] = [None] * len(pool)
        proposed = result.proposed
        columns["live_proposals"] = unknown if proposed is None else proposed.proposals.tolist()
        columns["live_acceptance"] = [*unknown] if proposed is None else _known(proposed.acceptance)
    for (question, version), count in result.unpublished:
        row = {
            "question_id": question,
            "version": version,
            "attempts": count,
            "shared": 0,
            "flag": "unpublished",
        }
        for name, column in columns.items():
            column.append(row.get(name))
    return columns


def flag_words(result: AuditResult, i: int) -> str:
    """Words joined by `|`: over, drift_up, drift_down, accepts_more, accepts_less."""
    words = ["over"] if result.live.over[i] else []
    drift = int(result.live.drift[i])
    if drift:
        words.append("drift_up" if drift > 0 else "drift_down")
    off = 0 if result.proposed is None else int(result.proposed.off[i])
    if off:
        words.append("accepts_more" if off > 0 else "accepts_less")
    return "|".join(words)


def audit_data(result: AuditResult, form: DataFormat) -> str:
    """An audit for a program."""
    return csv_text(audit_columns(result)) if form == "csv" else _json(result)


def _json(result: AuditResult) -> str:
    return json_text(
        {
            "command": "audit",
            "version": __version__,
            "exam": result.pool.name,
            "since": result.since.isoformat(),
            "until": result.until.isoformat(),
            "since_run": result.since_run,
            "made_by": result.made_by,
            "made_by_exam": result.made_by_exam,
            "settings": settings_as_dict(result.settings),
            "verdict": {"held": result.held, "sentence": result.sentence},
            "tests": asdict(result.tests),
            "visible_excess": result.live.visible_excess,
            "over": int(result.live.over.sum()),
            "drift": int(np.count_nonzero(result.live.drift)),
            "shared": int(result.shared.sum()),
            "unpublished": len(result.unpublished),
            "unpublished_attempts": sum(count for _, count in result.unpublished),
            "other_exams_attempts": result.foreign,
            "attempts_after_now": result.later,
            "attempts_undated": result.undated,
            "proposals": _proposals(result),
            "items": rows(audit_columns(result)),
        }
    )


def _proposals(result: AuditResult) -> dict[str, Any] | None:
    if result.proposed is None:
        return None
    return {
        "since": result.proposed.since.isoformat(),
        "total": int(result.proposed.proposals.sum()),
        "acceptance_off": int(np.count_nonzero(result.proposed.off)),
    }


def _known(values: FloatArray) -> list[Any]:
    return [None if np.isnan(value) else value for value in values.tolist()]
