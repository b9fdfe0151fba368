"""One past run in full, two side by side, and a rollback: summary, CSV, JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from shsim import __version__
from shsim.arrays import IntArray
from shsim.model.run_record import PastRun, RecordedRun, Rollback, RunItems
from shsim.report.canvas import COLOURS, Canvas, plain_table
from shsim.report.columns import Columns, rows
from shsim.report.document import json_text
from shsim.report.history import run_facts
from shsim.report.plain_text import visible, visible_line
from shsim.report.recorded_figures import (
    items_table,
    measures_table,
    setting_words,
)

#: Items listed by name.
LISTED = 8


def past_run_columns(past: PastRun) -> Columns:
    """One row an item; `sh_p_before` is empty where none was stored."""
    return _k_columns(past.items)


def past_run_json(past: PastRun) -> str:
    """Everything on record."""
    run = past.run
    return json_text(
        {
            "shown": "run",
            **run_facts(run),
            "settings": dict(run.settings),
            "measures": dict(run.measures),
            "history": list(run.history),
            "items": rows(_k_columns(past.items)),
        }
    )


def past_run_text(past: PastRun, canvas: Canvas) -> str:
    """The summary a person reads."""
    run, items = past.run, past.items
    parts: list[RenderableType] = [*_who_and_when(run), Text()]
    verdict = run.measures.get("verdict", {}).get("sentence")
    if verdict and verdict != run.message:
        parts += [Text(visible(verdict), style=COLOURS[run.held]), Text()]
    parts += _figures(run)
    if run.settings:
        table = plain_table("setting", "")
        for name, value in run.settings.items():
            table.add_row(name, setting_words(value))
        parts += [table, Text()]
    if run.saved_items not in (None, len(items)):
        said = f"It saved k of {run.saved_items:,} items; {len(items):,} are still on record."
        parts += [Text(said, style="yellow"), Text()]
    parts += _changes(items)
    if run.fingerprint:
        parts.append(Text(f"Fingerprint of the pool: {run.fingerprint[:16]}"))
    if run.outcome == "saved":
        parts.append(Text(f"Undo it: shsim rollback {run.run}"))
    if run.command == "calibrate":
        parts.append(Text(f"Repeat it: shsim calibrate --from-run {run.run}"))
    return canvas.text(Group(*parts))


def _who_and_when(run: RecordedRun) -> Iterator[Text]:
    yield Text(f"Run {run.run}: {run.command} of {visible_line(run.exam)}, {run.ended}", "bold")
    user = "" if run.database_user is None else f" (database user {run.database_user})"
    yield Text(
        visible_line(
            f"{run.started:%Y-%m-%d %H:%M:%S} UTC, {run.seconds:.1f} s, by {run.os_user} on"
            f" {run.host}{user}, shsim {run.version}"
        )
    )
    if run.message:
        yield Text(visible(run.message), style="yellow")


def _figures(run: RecordedRun) -> list[RenderableType]:
    sets = [("before", run.measures.get("before")), ("after", run.measures.get("verification"))]
    if run.measures.get("before") is None:
        sets = [("in force", run.measures.get("verification"))]
    if run.measures.get("compared"):
        sets = list(run.measures["compared"].items())
    table = measures_table(sets)
    return [] if table is None else [table, Text()]


def _changes(items: RunItems) -> Iterator[RenderableType]:
    if not len(items):
        return
    before = np.where(items.absent, 1.0, items.before)
    size = np.abs(items.after - before)
    changed = int(items.changed.sum())
    largest = _largest(size)
    if not largest:
        # A k of 1 that was written where none stood is a row that changed, and no other k.
        yield Text(f"No k is another than before ({changed:,} of {len(items):,} rows changed).")
    else:
        yield Text(f"Items changed most ({changed:,} of {len(items):,} changed)", style="bold")
        yield items_table(
            ("k before", "k"),
            ((items.item(i), (items.before[i], items.after[i])) for i in largest),
        )
    yield Text()


def _largest(size: Any) -> list[int]:
    """Positions of the largest, none that is 0."""
    order: IntArray = np.argsort(-size, kind="stable")[:LISTED]
    return [i for i in order.tolist() if size[i] > 0]


def _k_columns(items: RunItems) -> Columns:
    unknown = np.isnan(items.before).tolist()  # none was stored, or it was no number
    return {
        "question_id": items.question_id.tolist(),
        "version": items.version.tolist(),
        "sh_p_before": [
            None if none else k for k, none in zip(items.before.tolist(), unknown, strict=True)
        ],
        "sh_p": items.after.tolist(),
    }


def rollback_columns(done: Rollback) -> Columns:
    """One row an item."""
    return _k_columns(done.items)


def rollback_json(done: Rollback) -> str:
    """What a rollback did, or would do (`changed` is null)."""
    return json_text(
        {
            "command": "rollback",
            "version": __version__,
            "exam": done.undone.exam,
            "run": done.run,
            "rollback_of": done.undone.run,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "set_to_1": done.were_absent,
            "not_live": done.not_live,
            "not_in_run": done.not_in_run,
            "warning": done.warning,
            "items": rows(_k_columns(done.items)),
        }
    )


def rollback_text(done: Rollback, canvas: Canvas) -> str:
    """The summary a person reads."""
    parts: list[RenderableType] = [Text(visible_line(s)) for s in rollback_sentences(done)]
    return canvas.text(Group(*parts, Text(), *_changes(done.items)))


def rollback_sentences(done: Rollback) -> Iterator[str]:
    """What was done, or would be."""
    run, size = done.undone.run, len(done.items)
    if done.changed is None:
        yield (
            f"Would put back the k before run {run} for all {size:,} items of it in"
            f" {done.undone.exam}. Nothing was saved: a dry run."
        )
    else:
        yield (
            f"Put back the k before run {run} in {done.undone.exam}: {done.changed:,} k changed,"
            f" {done.unchanged:,} stood so already."
        )
    if done.were_absent:
        yield (
            f"{_items(done.were_absent)} had no sh_p before that run: it becomes 1, which is what"
            " its absence means."
        )
    if done.not_live:
        are = "is" if done.not_live == 1 else "are"
        yield (
            f"{_items(done.not_live)} of that run {are} not live any more in {done.undone.exam}, or"
            f" {are} in another version: k are put back there too, and serve no test."
        )
    if done.not_in_run:
        subject, stays = "1 live item", "is not of that run: its k stays as it is."
        if done.not_in_run > 1:
            subject = f"{done.not_in_run:,} live items"
            stays = "are not of that run: their k stay as they are."
        yield f"{subject} of {done.undone.exam} {stays}"
    if done.run is not None:
        yield f"Recorded as run {done.run}; shsim rollback {done.run} undoes this."


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"
