"""Several values in one option: a list, or START:STOP:STEP with its end included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _Values = click.ParamType[tuple[float, ...] | tuple[int, ...]]
else:  # generic since click 8.2 only
    _Values = click.ParamType

#: Values of one option; a sweep of more is a slip of the keyboard.
MOST_VALUES = 1000

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_LONGEST = 20
_ROUNDING = Decimal("1e-9")


class Series(_Values):
    """`0.1,0.15,0.2` or `0.10:0.30:0.02`, or both joined by commas; each value once.

    Values are computed in decimals, so that 0.3 of a range is the 0.3 of a list. A stop
    that lies on a step, rounding aside, is included. From TOML a number or a list of them
    is taken too.

    Parameters
    ----------
    whole
        Take whole numbers only, and give them as int.
    example
        A range, for messages.
    """

    name = "series"

    def __init__(self, *, whole: bool, example: str) -> None:
        self.whole = whole
        self.example = example

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...] | tuple[int, ...]:
        """The values, in the order in which they are written."""
        if isinstance(value, tuple):
            return value
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        try:
            found = dict.fromkeys(each for part in text.split(",") for each in self._part(part))
            if len(found) > MOST_VALUES:
                raise ValueError(_too_many(text))  # noqa: TRY301 - one place reports
        except ValueError as error:
            self.fail(f"{error} Write {self._remedy()}.", param, ctx)
        return tuple(int(each) for each in found) if self.whole else tuple(map(float, found))

    def _part(self, part: str) -> Iterator[Decimal]:
        """One value, or those of a range."""
        pieces = [self._number(piece, part) for piece in part.split(":")]
        if len(pieces) == 1:
            yield pieces[0]
            return
        if len(pieces) != 3:
            raise ValueError(f"{part.strip()!r} is not START:STOP:STEP.")
        start, stop, step = pieces
        if step <= 0:
            raise ValueError(f"{part.strip()!r} never ends: its step must be over 0.")
        if stop < start:
            raise ValueError(f"{part.strip()!r} is empty: it stops below its start.")
        steps = ((stop - start) / step + _ROUNDING).to_integral_value(ROUND_FLOOR)
        if steps >= MOST_VALUES:
            raise ValueError(_too_many(part))
        for i in range(int(steps) + 1):
            value = start + i * step
            yield stop if abs(stop - value) <= step * _ROUNDING else value

    def _number(self, piece: str, part: str) -> Decimal:
        piece = piece.strip()
        if not _NUMBER.fullmatch(piece) or len(piece) > _LONGEST:
            where = f" in {part.strip()!r}" if ":" in part else ""
            raise ValueError(f"{piece!r}{where} is not a number.")
        number = Decimal(piece)
        if self.whole and number != number.to_integral_value():
            raise ValueError(f"{piece!r} is not a whole number.")
        return number

    def _remedy(self) -> str:
        first, _, step = self.example.split(":")
        second = f"{Decimal(first) + Decimal(step)}"
        return f"a list ({first},{second}) or START:STOP:STEP ({self.example})"


def _too_many(text: str) -> str:
    return f"{text.strip()!r} gives more than {MOST_VALUES:,} values."
