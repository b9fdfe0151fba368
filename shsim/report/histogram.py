"""How many items have which exposure rate, drawn as bars against the cap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.text import Text

from shsim.arrays import FloatArray
from shsim.model.ability import number

#: Rows for rates above 0; the last one is open upwards where they don't suffice.
MOST_ROWS = 15
#: Rows up to the cap, the finest that fits.
_ROWS_TO_CAP = (10, 5, 4, 2, 1)

_EIGHTHS = "▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Bar:
    """`count` items with a rate in (low, high]; the first bar is for a rate of 0."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Pen:
    """What to draw with: columns there are, and whether block characters can be shown."""

    width: int
    blocks: bool


def exposure_bars(rates: FloatArray, tau: float) -> list[Bar]:
    """Count items by rate in equal steps of which one ends at the cap exactly.

    Parameters
    ----------
    rates
        Exposure rates in [0, 1], length N.
    tau
        The cap, in (0, 1].
    """
    largest = max(float(rates.max(initial=0.0)), tau)
    times = min(largest / tau, 1e6)  # a cap too small to divide by needs no more rows
    per_cap = next((m for m in _ROWS_TO_CAP if math.ceil(times * m - 1e-9) <= MOST_ROWS), 1)
    rows = min(math.ceil(times * per_cap - 1e-9), MOST_ROWS)
    edges = [tau * i / per_cap for i in range(rows + 1)]
    edges[-1] = max(edges[-1], largest)
    # A rate at the cap is not over it, whatever the rounding of count / n.
    place = np.searchsorted(np.array(edges) * (1 + 1e-12), rates, side="left")
    counts = np.bincount(place, minlength=rows + 1).tolist()
    bars = [Bar(0.0, 0.0, counts[0])]
    bars.extend(Bar(edges[i], edges[i + 1], counts[i + 1]) for i in range(rows))
    return bars


def histogram(rates: FloatArray, tau: float, pen: Pen) -> Iterator[Text]:
    """The bars as lines, with a ruled line where the cap is."""
    bars = exposure_bars(rates, tau)
    decimals = _decimals(bars)
    labels = ["never"] + [f"{bar.low:.{decimals}f} - {bar.high:.{decimals}f}" for bar in bars[1:]]
    margin = max(map(len, labels)) + 2
    most = max(bar.count for bar in bars)
    room = max(pen.width - margin - len(f" {most:,}") - 1, 10)
    cap_drawn = False
    for label, each in zip(labels, bars, strict=True):
        over = each.low >= tau * (1 - 1e-9)
        if over and not cap_drawn:
            cap_drawn = True
            yield _cap_line(tau, margin, room, pen)
        line = Text(f"{label:>{margin - 1}} ")
        line.append(bar(each.count / most * room, pen), style="red" if over else "cyan")
        line.append(f" {each.count:,}" if each.count else " 0", style="" if each.count else "dim")
        yield line
    if not cap_drawn:
        yield _cap_line(tau, margin, room, pen)


def _cap_line(tau: float, margin: int, room: int, pen: Pen) -> Text:
    dash = "┄" if pen.blocks else "-"
    line = Text(f"{'cap ' + number(tau):>{margin - 1}} ", style="bold")
    return line.append(dash * room, style="yellow")


def bar(length: float, pen: Pen) -> str:
    """A bar of `length` columns; whatever is not nothing is seen."""
    if length <= 0:
        return ""
    if not pen.blocks:
        return "#" * max(round(length), 1)
    whole, eighths = divmod(max(round(length * 8), 1), 8)
    return "█" * whole + (_EIGHTHS[eighths - 1] if eighths else "")


def _decimals(bars: list[Bar]) -> int:
    """The fewest decimals, two at least, that tell the edges apart without rounding them."""
    edges = [bar.high for bar in bars[1:-1]]
    for decimals in (2, 3, 4):
        if all(abs(round(edge, decimals) - edge) < 1e-9 for edge in edges):
            return decimals
    return 5
