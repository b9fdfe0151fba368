"""One result in the format that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TextIO

from shsim.model.comparison import ComparisonResult
from shsim.model.item_pool import ItemPool
from shsim.model.results import CalibrationResult, SweepResult
from shsim.report.columns import Result, pool_columns, result_columns
from shsim.report.comparison_data import comparison_columns, comparison_json
from shsim.report.delimited import csv_text
from shsim.report.document import pool_json, result_json
from shsim.report.estimation import accuracy_sentence, when_estimated_sentence
from shsim.report.sweep_data import sweep_columns, sweep_json

DataFormat = Literal["csv", "json"]
Format = Literal["table", "csv", "json"]


def result_data(result: Result, form: DataFormat) -> str:
    """A result for a program."""
    return csv_text(result_columns(result)) if form == "csv" else result_json(result)


def pool_data(pool: ItemPool, form: DataFormat) -> str:
    """A pool for a program."""
    return csv_text(pool_columns(pool)) if form == "csv" else pool_json(pool)


def sweep_data(result: SweepResult, form: DataFormat) -> str:
    """A sweep for a program."""
    return csv_text(sweep_columns(result)) if form == "csv" else sweep_json(result)


def sweep_text(
    result: SweepResult, form: Format, stream: TextIO, closing: Sequence[str] = ()
) -> str:
    """A sweep for `stream`, as :func:`result_text`."""
    if form != "table":
        return sweep_data(result, form)
    from shsim.report.canvas import Canvas
    from shsim.report.sweep_summary import sweep_summary

    return sweep_summary(result, Canvas.of(stream), closing)


def comparison_data(result: ComparisonResult, form: DataFormat) -> str:
    """A comparison of controls for a program."""
    return csv_text(comparison_columns(result)) if form == "csv" else comparison_json(result)


def comparison_text(
    result: ComparisonResult, form: Format, stream: TextIO, closing: Sequence[str] = ()
) -> str:
    """A comparison for `stream`, as :func:`result_text`."""
    if form != "table":
        return comparison_data(result, form)
    from shsim.report.canvas import Canvas
    from shsim.report.comparison_summary import comparison_summary

    return comparison_summary(result, Canvas.of(stream), closing)


def asides(result: Result) -> list[str]:
    """What columns don't tell: accuracy, and how a table for the true theta fares elsewhere."""
    found = [accuracy_sentence(result.measures)]
    if isinstance(result, CalibrationResult):
        found.append(when_estimated_sentence(result))
    return [sentence for sentence in found if sentence is not None]


def result_text(result: Result, form: Format, stream: TextIO, closing: Sequence[str] = ()) -> str:
    """A result for `stream`: data, or the summary as wide and colourful as the stream takes."""
    if form != "table":
        return result_data(result, form)
    # rich costs 50 ms, and data formats must not pay for it.
    from shsim.report.canvas import Canvas
    from shsim.report.summary import summary_text

    return summary_text(result, Canvas.of(stream), closing)
