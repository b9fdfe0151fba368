"""Columns as CSV: a header, one item a line, every float as short as it reads back."""

from __future__ import annotations

import csv
import io

from shsim.report.columns import Columns


def csv_text(columns: Columns) -> str:
    """CSV with Unix line ends; None is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()
