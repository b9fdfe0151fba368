"""Traced tests for a person, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from shsim import __version__
from shsim.model.item_pool import NO_TOPIC, ItemPool
from shsim.model.settings import settings_as_dict
from shsim.model.trace import TracedTest, TraceResult
from shsim.report.columns import Columns
from shsim.report.delimited import csv_text
from shsim.report.document import json_text
from shsim.report.render import DataFormat, Format

COLUMNS = (
    "examinee",
    "theta",
    "position",
    "question_id",
    "version",
    "topic_id",
    "ranked_at",
    "information",
    "rejected",
    "forced",
    "response",
    "theta_hat",
    "standard_error",
)


def trace_data(result: TraceResult, form: DataFormat) -> str:
    """Tests for a program: a row a position, or a list of tests with their steps."""
    if form == "csv":
        rows = [row for test in result.tests for row in _rows(result.pool, test)]
        columns: Columns = {name: [row[name] for row in rows] for name in COLUMNS}
        columns["rejected"] = ["|".join(items) for items in columns["rejected"]]
        columns["forced"] = [int(forced) for forced in columns["forced"]]
        return csv_text(columns)
    settings = settings_as_dict(result.settings)
    return json_text(
        {
            "command": "trace",
            "version": __version__,
            "exam": result.pool.name,
            "settings": settings,
            "seed": result.settings.delivery.seed,
            "tests": [
                {
                    "examinee": test.examinee,
                    "theta": test.theta,
                    "cut_at": test.cut_at,
                    "steps": [
                        {
                            key: value
                            for key, value in row.items()
                            if key not in {"examinee", "theta"}
                        }
                        for row in _rows(result.pool, test)
                    ],
                }
                for test in result.tests
            ],
        }
    )


def trace_text(
    result: TraceResult, form: Format, stream: TextIO, closing: Sequence[str] = ()
) -> str:
    """Tests for `stream`, as wide and colourful as it takes."""
    if form != "table":
        return trace_data(result, form)
    # rich costs 50 ms, and data formats must not pay for it.
    from shsim.report.canvas import Canvas
    from shsim.report.trace_summary import trace_summary

    return trace_summary(result, Canvas.of(stream), closing)


def trace_notes(result: TraceResult) -> Iterator[str]:
    """What a reader of the rejected items must know."""
    cut = [test for test in result.tests if test.cut_at is not None]
    if cut:
        yield (
            f"In {len(cut):,} of {len(result.tests):,} tests so many items were rejected that not"
            f" all are listed: of examinee {cut[0].examinee} those from position"
            f" {cut[0].cut_at} on are not."
        )


def _rows(pool: ItemPool, test: TracedTest) -> Iterator[dict[str, Any]]:
    """One row a position, in the order of `COLUMNS`."""
    for position, step in enumerate(test.steps, start=1):
        estimated = step.right is not None
        topic = int(pool.topic_id[step.item])
        yield {
            "examinee": test.examinee,
            "theta": test.theta,
            "position": position,
            "question_id": int(pool.question_id[step.item]),
            "version": int(pool.version[step.item]),
            "topic_id": None if topic == NO_TOPIC else topic,
            "ranked_at": step.ranked_at,
            "information": step.information,
            "rejected": [pool.item(i) for i in step.rejected],
            "forced": step.forced,
            "response": int(step.right) if step.right is not None else None,
            "theta_hat": step.theta_hat if estimated else None,
            "standard_error": step.standard_error if estimated else None,
        }
