"""The list of past runs as a table, CSV or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.text import Text

from shsim import __version__
from shsim.model.ability import number
from shsim.model.run_record import RecordedRun, UnreadableRun
from shsim.report.canvas import Canvas, plain_table
from shsim.report.columns import Columns
from shsim.report.document import json_text
from shsim.report.plain_text import visible_line

#: In place of how a run ended that is on record and cannot be read.
UNREADABLE = "unreadable"

_STYLES = {
    "saved": "green", "refused": "red", "failed": "red", "interrupted": "yellow", UNREADABLE: "red",
}  # fmt: skip

_NAMES = (
    "run", "started", "finished", "command", "exam", "outcome", "tau", "rejection", "ability",
    "seed", "max_exposure", "held", "database_user", "os_user", "host", "version",
    "fingerprint", "message",
)  # fmt: skip


def history_columns(runs: Sequence[RecordedRun | UnreadableRun]) -> Columns:
    """One row a run."""
    rows = [_facts(run) for run in runs]
    return {name: [row[name] for row in rows] for name in _NAMES}


def history_json(runs: Sequence[RecordedRun | UnreadableRun], count: int) -> str:
    """The runs as one JSON document; `count` is how many there are."""
    return json_text(
        {
            "command": "history",
            "version": __version__,
            "count": count,
            "runs": [_facts(run) for run in runs],
        }
    )


def in_force_json(
    exam: str, made: RecordedRun | None, changed: int | None, newest: RecordedRun | None
) -> str:
    """The calibration that made the most k of an exam, with its settings, and the last that wrote.

    `changed` is how many of its items have other k than it left.
    """
    return json_text(
        {
            "version": __version__,
            "exam": exam,
            "made_by": None if made is None else {**run_facts(made), "settings": made.settings},
            "changed_since": changed,
            "last_written_by": None if newest is None else run_facts(newest),
        }
    )


def _facts(run: RecordedRun | UnreadableRun) -> dict[str, Any]:
    """As :func:`run_facts`; of a run that cannot be read its number and why."""
    if isinstance(run, RecordedRun):
        return run_facts(run)
    known = {
        "run": run.run, "outcome": UNREADABLE, "ended": UNREADABLE, "message": run.message,
    }  # fmt: skip
    return {**dict.fromkeys(_NAMES), **known}


def run_facts(run: RecordedRun) -> dict[str, Any]:
    """What is known of a run but its settings, figures and items, as plain values."""
    return {
        "run": run.run,
        "command": run.command,
        "exam": run.exam,
        "outcome": run.outcome,
        "ended": run.ended,
        "message": run.message,
        "started": run.started.isoformat(),
        "finished": run.finished.isoformat(),
        "database_user": run.database_user,
        "os_user": run.os_user,
        "host": run.host,
        "version": run.version,
        "seed": run.seed,
        "tau": run.tau,
        "rejection": run.rejection,
        "ability": run.ability,
        "fingerprint": run.fingerprint,
        "max_exposure": run.largest,
        "held": run.held,
    }


def history_text(
    runs: Sequence[RecordedRun | UnreadableRun], count: int, none: str, canvas: Canvas
) -> str:
    """A table a person reads, newest first; `none` where there is no run to list."""
    if not runs:
        return canvas.text(Text(visible_line(none)))
    table = plain_table(apart=1)
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("started (UTC)", no_wrap=True)
    table.add_column("command", no_wrap=True)
    table.add_column("exam", overflow="fold")
    table.add_column("tau", justify="right")
    table.add_column("test", overflow="fold")
    table.add_column("largest", justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for run in runs:
        table.add_row(str(run.run), *_cells(run))
    more = f", of {count:,}; --limit shows more" if count > len(runs) else ""
    ending = Text(f"{len(runs):,} run{'s' * (len(runs) > 1)}{more}. One in full: shsim show RUN")
    return canvas.text(Group(table, Text(), ending))


def _cells(run: RecordedRun | UnreadableRun) -> tuple[str | Text, ...]:
    """A run's row but for its number."""
    if isinstance(run, UnreadableRun):
        return (*[""] * 6, Text(UNREADABLE, style=_STYLES[UNREADABLE]))
    largest = "" if run.largest is None else f"{run.largest:.4f}"
    return (
        f"{run.started:%Y-%m-%d %H:%M}",
        visible_line(run.command),
        visible_line(run.exam),
        "" if run.tau is None else number(run.tau),
        visible_line(_test(run)),
        Text(largest, style="" if run.held is None else "green" if run.held else "red"),
        Text(visible_line(run.ended), style=_STYLES.get(run.outcome, "")),
    )


def _test(run: RecordedRun) -> str:
    """Which test it was for: the ability, and the rejection where it is not the usual one."""
    if run.ability is None:
        undone = run.settings.get("rollback_of")
        return "" if undone is None else f"of run {undone}"
    return run.ability + (", examinee" if run.rejection == "examinee" else "")
