"""Two past runs side by side: what they were told, what came out, which k they left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from shsim import __version__
from shsim.arrays import FloatArray, IntArray
from shsim.model.run_record import PastRun, RecordedRun, RunItems
from shsim.report.canvas import Canvas, plain_table
from shsim.report.columns import Columns, rows
from shsim.report.document import json_text
from shsim.report.history import run_facts
from shsim.report.past_run import LISTED
from shsim.report.plain_text import visible_line
from shsim.report.recorded_figures import (
    items_table,
    measures_table,
    setting_words,
)


@dataclass(frozen=True, slots=True)
class _Shared:
    """The items that both runs wrote, each run's k after, and how many only one of them wrote."""

    ids: IntArray
    versions: IntArray
    one: FloatArray
    other: FloatArray
    not_in_first: int
    not_in_second: int

    @classmethod
    def of(cls, first: RunItems, second: RunItems) -> _Shared:
        pairs = [np.stack([items.question_id, items.version], axis=1) for items in (first, second)]
        every, place = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
        mine, theirs = np.split(place.reshape(-1), [len(first)])
        both, i, j = np.intersect1d(mine, theirs, return_indices=True)
        return cls(
            ids=every[both, 0],
            versions=every[both, 1],
            one=first.after[i],
            other=second.after[j],
            not_in_first=len(second) - len(both),
            not_in_second=len(first) - len(both),
        )

    @property
    def differ(self) -> IntArray:
        """Where k differ, in the items' order."""
        same = (self.one == self.other) | (np.isnan(self.one) & np.isnan(self.other))
        return np.flatnonzero(~same)


def difference_columns(first: PastRun, second: PastRun) -> Columns:
    """One row an item of both runs whose k differs."""
    shared = _Shared.of(first.items, second.items)
    differ = shared.differ
    return {
        "question_id": shared.ids[differ].tolist(),
        "version": shared.versions[differ].tolist(),
        "sh_p_first": [None if np.isnan(k) else k for k in shared.one[differ].tolist()],
        "sh_p_second": [None if np.isnan(k) else k for k in shared.other[differ].tolist()],
    }


def difference_json(first: PastRun, second: PastRun) -> str:
    """Everything that differs, and both runs' figures."""
    shared = _Shared.of(first.items, second.items)
    return json_text(
        {
            "command": "diff",
            "version": __version__,
            "runs": [run_facts(first.run), run_facts(second.run)],
            "settings": {name: list(pair) for name, pair in _settings(first, second)},
            "measures": [dict(first.run.measures), dict(second.run.measures)],
            "items": rows(difference_columns(first, second)),
            "in_both": len(shared.ids),
            "not_in_first": shared.not_in_first,
            "not_in_second": shared.not_in_second,
        }
    )


def difference_text(first: PastRun, second: PastRun, canvas: Canvas) -> str:
    """The summary a person reads."""
    names = [f"run {past.run.run}" for past in (first, second)]
    parts: list[RenderableType] = []
    for past, name in zip((first, second), names, strict=True):
        run = past.run
        words = (
            f": {run.command} of {run.exam}, {run.ended}, {run.started:%Y-%m-%d %H:%M} UTC,"
            f" by {run.os_user}"
        )
        parts.append(Text.assemble((name.capitalize(), "bold"), visible_line(words)))
    if _pool_changed(first.run, second.run):
        parts.append(Text("The pool changed between them.", style="yellow"))
    parts.append(Text())
    settings = list(_settings(first, second))
    if settings:
        table = plain_table("setting", *names)
        for name, pair in settings:
            table.add_row(name, *map(setting_words, pair))
        parts += [table, Text()]
    else:
        parts += [Text("No setting differs."), Text()]
    figures = measures_table(
        [
            (name, past.run.measures.get("verification"))
            for name, past in zip(names, (first, second), strict=True)
        ]
    )
    if figures is not None:
        parts += [figures, Text()]
    parts += _items(first, second, names)
    return canvas.text(Group(*parts))


def _pool_changed(first: RecordedRun, second: RecordedRun) -> bool:
    """Whether both computed from the same exam's items, and those were not the same."""
    known = first.fingerprint is not None and second.fingerprint is not None
    return known and first.exam == second.exam and first.fingerprint != second.fingerprint


def _settings(first: PastRun, second: PastRun) -> Iterator[tuple[str, tuple[Any, Any]]]:
    one, other = first.run.settings, second.run.settings
    for name in {**one, **other}:
        if one.get(name) != other.get(name):
            yield name, (one.get(name), other.get(name))


def _items(first: PastRun, second: PastRun, names: list[str]) -> Iterator[RenderableType]:
    for past, name in zip((first, second), names, strict=True):
        if not len(past.items):
            yield Text(f"{name.capitalize()} saved no k.")
    if not (len(first.items) and len(second.items)):
        return
    shared = _Shared.of(first.items, second.items)
    yield Text(_differ_words(shared, names), style="bold")
    differ = shared.differ
    size = np.abs(shared.other - shared.one)[differ]
    chosen = differ[np.argsort(-size, kind="stable")[:LISTED]].tolist()
    if chosen:
        k = ((shared.one[i], shared.other[i]) for i in chosen)
        items = (f"{shared.ids[i]}/{shared.versions[i]}" for i in chosen)
        yield items_table(names, zip(items, k, strict=True))


def _differ_words(shared: _Shared, names: list[str]) -> str:
    """How many k differ, of the items that can be compared, and how many cannot."""
    both, differ = len(shared.ids), len(shared.differ)
    only = [
        (count, name)
        for count, name in zip((shared.not_in_first, shared.not_in_second), names, strict=True)
        if count
    ]
    if not only:
        return f"k that differ: {differ:,} of {both:,}"
    items = "item that both hold" if both == 1 else "items that both hold"
    missing = "; ".join(
        f"{count:,} {'is' if count == 1 else 'are'} not in {name}" for count, name in only
    )
    if not both:
        return f"The runs hold no item in common: {missing}."
    return f"k that differ: {differ:,} of the {both:,} {items}; {missing}"
