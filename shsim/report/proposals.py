"""Live proposals as a table, CSV and JSON."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from shsim import __version__
from shsim.model.proposals import ProposalTable
from shsim.report.canvas import Canvas, plain_table
from shsim.report.columns import Columns, rows
from shsim.report.delimited import csv_text
from shsim.report.document import json_text
from shsim.report.plain_text import visible_line
from shsim.report.render import DataFormat

#: Items shown to a person; the rest is counted.
_LISTED = 20


def proposal_columns(table: ProposalTable) -> Columns:
    """One row an item, the most proposed first."""
    counts = table.by_item()
    return {
        "question_id": [each.item[0] for each in counts],
        "version": [each.item[1] for each in counts],
        "proposals": [each.proposals for each in counts],
        "first_day": [each.first and each.first.isoformat() for each in counts],
        "last_day": [each.last and each.last.isoformat() for each in counts],
    }


def daily_columns(table: ProposalTable) -> Columns:
    """One row a counter, by day and item."""
    counters = sorted(table.counts.items())
    return {
        "day": [day.isoformat() for (day, _), _ in counters],
        "question_id": [item[0] for (_, item), _ in counters],
        "version": [item[1] for (_, item), _ in counters],
        "proposals": [count for _, count in counters],
    }


def proposal_data(table: ProposalTable, form: DataFormat, *, daily: bool = False) -> str:
    """Proposals for a program."""
    columns = daily_columns(table) if daily else proposal_columns(table)
    if form == "csv":
        return csv_text(columns)
    return json_text(
        {
            "command": "proposals",
            "version": __version__,
            "exam": table.exam,
            "since": table.since.isoformat(),
            "until": table.until.isoformat(),
            "total": table.total,
            "skipped": list(table.skipped),
            "days" if daily else "items": rows(columns),
        }
    )


def proposal_text(table: ProposalTable, canvas: Canvas, closing: Sequence[str] = ()) -> str:
    """A table of the items proposed most."""
    parts: list[RenderableType] = [Text(_sentence(table)), Text()]
    counts = [each for each in table.by_item() if each.proposals]
    if counts:
        figures = plain_table("item", "proposals", "share", "first day", "last day")
        for each in counts[:_LISTED]:
            figures.add_row(
                f"{each.item[0]}/{each.item[1]}",
                f"{each.proposals:,}",
                f"{each.proposals / table.total:.1%}",
                str(each.first),
                str(each.last),
            )
        if len(counts) > _LISTED:
            figures.add_row(f"and {len(counts) - _LISTED:,} more")
        parts += [figures, Text()]
    parts += [Text(sentence) for sentence in closing]
    return canvas.text(Group(*parts)).rstrip("\n") + "\n"


def _sentence(table: ProposalTable) -> str:
    exam = "" if table.exam is None else f" of {visible_line(table.exam)}"
    days = f"from {table.since} to {table.until} (UTC days)"
    if not table.total:
        return f"No proposal of an item{exam} was counted {days}."
    used = sum(each.proposals > 0 for each in table.by_item())
    what = f"{table.total:,} proposals of {used:,} item{'s' * (used != 1)}{exam}"
    never = "" if table.exam is None else f"; {len(table.items) - used:,} were never proposed"
    return f"{what} were counted {days}{never}."
