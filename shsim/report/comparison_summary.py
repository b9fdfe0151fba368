"""Several controls as a person reads them: one row a control, in as few tables as fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from shsim.model.comparison import ComparisonResult
from shsim.model.control import SYMPSON_HETTER
from shsim.model.results import Accuracy, Measures
from shsim.report.canvas import COLOURS, Canvas
from shsim.report.comparison_data import comparison_held, headline, notes
from shsim.report.plain_text import visible_line
from shsim.report.subject import by_rejection, subject

#: head, how the figure is written
_EXPOSURE: tuple[tuple[str, Callable[[Measures], str]], ...] = (
    ("largest", lambda m: f"{m.max_exposure:.4f}"),
    ("over", lambda m: f"{m.over:,}"),
    ("beyond", lambda m: f"{m.over_beyond_noise:,}"),
    ("unused", lambda m: f"{m.unused:,}"),
    ("overlap", lambda m: f"{m.overlap:.1%}"),
    ("Gini", lambda m: f"{m.gini:.3f}"),
    ("kept", lambda m: f"{m.information_kept:.1%}"),
)
_ACCURACY: tuple[tuple[str, Callable[[Accuracy], str]], ...] = (
    ("RMSE", lambda a: f"{a.rmse:.4f}"),
    ("bias", lambda a: f"{a.bias:+.4f}"),
    ("SE", lambda a: f"{a.standard_error:.4f}"),
)

_GAP = 2


@dataclass(frozen=True, slots=True)
class _Column:
    """A head and a cell for each control."""

    head: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        return max(map(len, (self.head, *self.cells)))


def comparison_summary(
    result: ComparisonResult, canvas: Canvas, closing: Sequence[str] = ()
) -> str:
    """The whole page; `closing` are sentences that only the caller knows."""
    parts: list[RenderableType] = [
        Text(visible_line(headline(result)), style=f"bold {COLOURS[comparison_held(result)]}"),
        Text(),
        subject(result.pool, result.settings.delivery, _manner(result)),
        Text(),
    ]
    names = _Column("control", tuple(each.control.spelling for each in result.compared))
    for block in _blocks(_groups(result), canvas.width - names.width):
        parts.extend([*_table(result, names, block), Text()])
    # A command line that is broken into several cannot be pasted.
    wide: dict[str, Any] = {"no_wrap": True, "overflow": "ignore"}
    parts.extend(
        Text(visible_line(said), **(wide if said == result.judge else {}))
        for said in (*notes(result), *closing)
    )
    return canvas.text(Group(*parts))


def _manner(result: ComparisonResult) -> str:
    """What a rejection means, where that is part of a control."""
    controlled = any(each.control == SYMPSON_HETTER for each in result.compared)
    return by_rejection(result.settings.delivery) if controlled else ""


def _groups(result: ComparisonResult) -> Iterator[list[_Column]]:
    """Columns that belong together: of exposure, and of the tests and their estimates."""
    every = [each.measures for each in result.compared]
    exposure = [_Column(head, tuple(map(written, every))) for head, written in _EXPOSURE]
    if any(m.forced for m in every):
        exposure.append(_Column("forced", tuple(f"{m.forced_per_test:.2g}" for m in every)))
    yield exposure
    tests: list[_Column] = []
    if any(m.lengths is not None for m in every):
        tests.append(_Column("items", tuple(f"{m.mean_length:.2f}" for m in every)))
    found = [m.accuracy for m in every if m.accuracy is not None]
    if found:
        tests.extend(_Column(head, tuple(map(written, found))) for head, written in _ACCURACY)
    yield tests


def _blocks(groups: Iterator[list[_Column]], room: int) -> list[list[_Column]]:
    """Columns table by table: a group is torn only where it alone is too wide."""
    blocks: list[list[_Column]] = [[]]
    for group in groups:
        if blocks[-1] and _width([*blocks[-1], *group]) > room:
            blocks.append([])
        for column in group:
            if blocks[-1] and _width([*blocks[-1], column]) > room:
                blocks.append([])
            blocks[-1].append(column)
    return [block for block in blocks if block]


def _width(columns: Sequence[_Column]) -> int:
    return sum(column.width + _GAP for column in columns)


def _table(result: ComparisonResult, names: _Column, columns: list[_Column]) -> Iterator[Text]:
    """A head and one line a control; the largest exposure is coloured by the verdict."""
    gap = " " * _GAP
    head = [names.head.ljust(names.width), *(c.head.rjust(c.width) for c in columns)]
    yield Text(gap.join(head), style="dim")
    for row, each in enumerate(result.compared):
        line = Text(names.cells[row].ljust(names.width))
        for column in columns:
            style = ""
            if column.head == "largest":
                style = COLOURS[each.measures.held]
            line.append(gap).append(column.cells[row].rjust(column.width), style=style)
        yield line
