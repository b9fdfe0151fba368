"""Two past runs side by side: what they were told, what came out, which k they left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from shsim import __version__
from shsim.model.run_record import PastRun, RecordedRun, RunItems
from shsim.report.canvas import Canvas
from shsim.report.columns import Columns, rows
from shsim.report.document import json_text
from shsim.report.history import run_facts
from shsim.report.past_run import LISTED
from shsim.report.plain_text import visible_line
from shsim.report.recorded_figures import (
    items_table,
    measures_table,
    plain_table,
    setting_words,
)


def difference_columns(first: PastRun, second: PastRun) -> Columns:
    """One row an item whose k differs; empty where a run did not write the item."""
    ids, versions, one, other = _aligned(first.items, second.items)
    differ = np.flatnonzero(~((one == other) | (np.isnan(one) & np.isnan(other))))
    return {
        "question_id": ids[differ].tolist(),
        "version": versions[differ].tolist(),
        "sh_p_first": [None if np.isnan(k) else k for k in one[differ].tolist()],
        "sh_p_second": [None if np.isnan(k) else k for k in other[differ].tolist()],
    }


def difference_json(first: PastRun, second: PastRun) -> str:
    """Everything that differs, and both runs' figures."""
    return json_text(
        {
            "command": "diff",
            "version": __version__,
            "runs": [run_facts(first.run), run_facts(second.run)],
            "settings": {name: list(pair) for name, pair in _settings(first, second)},
            "measures": [dict(first.run.measures), dict(second.run.measures)],
            "items": rows(difference_columns(first, second)),
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
    ids, versions, one, other = _aligned(first.items, second.items)
    size = np.abs(other - one)
    size[np.isnan(size)] = 1.0  # only one of the runs wrote the item
    differ = int((size > 0).sum())
    yield Text(f"k that differ: {differ:,} of {len(ids):,}", style="bold")
    chosen = [i for i in np.argsort(-size, kind="stable")[:LISTED].tolist() if size[i] > 0]
    if chosen:
        yield items_table(names, ((f"{ids[i]}/{versions[i]}", (one[i], other[i])) for i in chosen))


def _aligned(first: RunItems, second: RunItems) -> tuple[Any, Any, Any, Any]:
    """Ids, versions, and each run's k after, over the items of both; nan where it has none."""
    pairs = [np.stack([items.question_id, items.version], axis=1) for items in (first, second)]
    every, place = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
    place = place.reshape(-1)
    one, other = np.full(len(every), np.nan), np.full(len(every), np.nan)
    one[place[: len(first)]] = first.after
    other[place[len(first) :]] = second.after
    return every[:, 0], every[:, 1], one, other
