"""Controls of exposure in an option: one, or a list to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shsim.errors import DataError
from shsim.model.control import EVERY_CONTROL, Control

if TYPE_CHECKING:
    _One = click.ParamType[Control]
    _Several = click.ParamType[tuple[Control, ...]]
else:  # generic since click 8.2 only
    _One = _Several = click.ParamType

#: What `--compare` without a list stands for.
EVERY = ",".join(control.spelling for control in EVERY_CONTROL)


class ControlName(_One):
    """`none`, `sh`, `randomesque:5` …: see :class:`shsim.model.control.Control`."""

    name = "control"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Control:
        """The control that is spelled."""
        if isinstance(value, Control):
            return value
        try:
            return Control.parse(str(value))
        except DataError as error:
            self.fail(str(error), param, ctx)


class ControlList(_Several):
    """Controls joined by commas; each once."""

    name = "controls"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Control, ...]:
        """The controls, in the order in which they are written."""
        if isinstance(value, tuple):
            return value
        one = ControlName()
        return tuple(dict.fromkeys(one.convert(each, param, ctx) for each in value.split(",")))
