"""A sweep as a person reads it: one row a point, information kept drawn beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from shsim.model.results import Measures, SweepPoint, SweepResult
from shsim.report.canvas import Canvas
from shsim.report.histogram import Pen, bar
from shsim.report.plain_text import visible_line
from shsim.report.subject import by_rejection, subject
from shsim.report.sweep_data import headline, obstacle, plain_tau, settings_note

#: The picture has at least so many columns; what is told there fits in.
_PICTURE = 22

#: head, value, whether a narrow window goes without it
_COLUMNS: tuple[tuple[str, Callable[[Measures], str], bool], ...] = (
    ("largest", lambda m: f"{m.max_exposure:.4f}", False),
    ("over", lambda m: f"{m.over_beyond_noise:,}", True),
    ("overlap", lambda m: f"{m.overlap:.1%}", False),
    ("unused", lambda m: f"{m.unused:,}", True),
    ("info", lambda m: f"{m.information:.2f}", False),
    ("kept", lambda m: f"{m.information_kept:.1%}", False),
)


def sweep_summary(result: SweepResult, canvas: Canvas, closing: Sequence[str] = ()) -> str:
    """The whole summary; `closing` are sentences that only the caller knows."""
    some = any(point.feasible for point in result.points)
    parts: list[RenderableType] = [
        Text(visible_line(sentence), style="bold green" if some else "bold red")
        for sentence in headline(result)
    ]
    delivery = result.settings.delivery
    about = subject(result.pool, delivery, by_rejection(delivery), _lengths(result))
    parts.extend([Text(), about, Text()])
    parts.extend(_table(result, Pen(width=canvas.width, blocks=canvas.blocks)))
    parts.append(Text())
    parts.extend(Text(visible_line(said)) for said in (*settings_note(result), *closing))
    return canvas.text(Group(*parts))


def _lengths(result: SweepResult) -> str:
    """The length of the tests, or from which to which."""
    lengths = sorted(set(result.settings.lengths))
    return f"{lengths[0]} to {lengths[-1]}" if len(lengths) > 1 else f"{lengths[0]}"


def _table(result: SweepResult, pen: Pen) -> Iterator[Text]:
    """A head and one line a point; the picture takes what the figures leave."""
    points = result.points
    leading = [("tau", plain_tau(points))]
    if len(set(result.settings.lengths)) > 1:
        leading.insert(0, ("len", [str(point.length) for point in points]))
    columns, room = _laid_out(leading, points, pen.width, narrow=False)
    if room < _PICTURE:
        columns, room = _laid_out(leading, points, pen.width, narrow=True)
    yield Text(f"{columns[0]}  information kept", style="dim")
    for line, point in zip(columns[1:], points, strict=True):
        yield Text(f"{line}  ").append_text(_picture(point, len(result.pool), room, pen))


def _laid_out(
    leading: list[tuple[str, list[str]]],
    points: tuple[SweepPoint, ...],
    width: int,
    *,
    narrow: bool,
) -> tuple[list[str], int]:
    """The lines of figures with their head, and the columns left beside them."""
    table = list(leading)
    for head, written, spare in _COLUMNS:
        if not (narrow and spare):
            cells = ["" if p.measures is None else written(p.measures) for p in points]
            table.append((head, cells))
    widths = [max(map(len, (head, *cells))) for head, cells in table]
    lines = zip(*[(head, *cells) for head, cells in table], strict=True)
    laid_out = [
        "  ".join(cell.rjust(wide) for cell, wide in zip(line, widths, strict=True))
        for line in lines
    ]
    return laid_out, width - len(laid_out[0]) - 2


def _picture(point: SweepPoint, pool_size: int, room: int, pen: Pen) -> Text:
    """Information kept as a bar, which would fill the room at 100 %; or why there is none."""
    words = {
        "under_mean": f"under L/N = {point.length / pool_size:.4f}",
        "runs_short": "the pool runs short",
        "over": "items stay over",
    }
    hindrance = obstacle(point)
    if hindrance is not None:
        return Text(words[hindrance], style="red")
    kept = point.measures.information_kept if point.measures is not None else 0.0
    return Text(bar(min(kept, 1.0) * max(room, 1), pen), style="cyan")
