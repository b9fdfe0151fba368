"""The figures of runs on record side by side: measures and settings, from plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from shsim.model.ability import number
from shsim.report.canvas import plain_table
from shsim.report.plain_text import visible_line

#: label, path into the measures, format
_ROWS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("largest exposure rate", ("max_exposure",), ".4f"),
    ("items over the cap", ("over",), ",.0f"),
    ("  of them beyond noise", ("over_beyond_noise",), ",.0f"),
    ("items never seen", ("unused",), ",.0f"),
    ("overlap of two tests", ("overlap",), ".1%"),
    ("Gini index of the rates", ("gini",), ".3f"),
    ("items a test", ("mean_length",), ".2f"),
    ("information kept", ("information_kept",), ".1%"),
    ("RMSE of the estimate", ("accuracy", "rmse"), ".4f"),
    ("bias", ("accuracy", "bias"), "+.4f"),
    ("examinees", ("n",), ",.0f"),
)


def measures_table(sets: Sequence[tuple[str, Mapping[str, Any] | None]]) -> Table | None:
    """Several sets of measures by name; None where there is no figure at all."""
    table = plain_table("", *(name for name, _ in sets))
    for label, path, form in _ROWS:
        values = [_at(figures or {}, path) for _, figures in sets]
        if any(value is not None for value in values):
            table.add_row(label, *("" if v is None else format(v, form) for v in values))
    return table if table.row_count else None


def _at(figures: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = figures
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def setting_words(value: Any) -> str:
    """A setting's value for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str | int):
        return visible_line(str(value))
    return visible_line(json.dumps(value))


def items_table(names: Sequence[str], rows: Iterator[tuple[str, Sequence[float]]]) -> Table:
    """Items with several k each; nan is one that is not stored."""
    table = plain_table("item", *names)
    for item, values in rows:
        table.add_row(item, *(k_words(value) for value in values))
    return table


def k_words(value: float) -> str:
    """A k, or that there is none."""
    return "none" if value != value else f"{value:.4f}"  # noqa: PLR0124 - nan alone differs from itself
