"""Columns as CSV: a header, one item a line, every float as short as it reads back."""

from __future__ import annotations

import csv
import io
from math import isfinite
from typing import Any

from shsim.report.columns import Columns


def csv_text(columns: Columns) -> str:
    """CSV with Unix line ends; None, and what is no number, is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_numbers, columns.values()), strict=True))
    return text.getvalue()


def _numbers(column: list[Any]) -> list[Any]:
    """A column without nan and infinity, which few programs read as we write them."""
    if any(type(value) is float and not isfinite(value) for value in column):
        return [None if type(value) is float and not isfinite(value) else value for value in column]
    return column
