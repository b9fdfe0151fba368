"""The width, colours and characters that an output stream can take."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, RenderableType
from rich.table import Table

#: Width where nobody looks: a pipe, a file, a log.
PIPED_WIDTH = 80
#: Lines longer than this are hard to read, however wide the window.
WIDEST = 100
#: Under this the tables would be torn; the terminal may as well wrap the lines.
NARROWEST = 60
#: The colour of what is said of a cap: held, not held, or that nothing can tell.
COLOURS: Mapping[bool | None, str] = {True: "green", False: "red", None: "yellow"}


@dataclass(frozen=True, slots=True)
class Canvas:
    """What may be drawn on a stream."""

    width: int
    colour: bool
    blocks: bool

    @classmethod
    def of(cls, stream: TextIO) -> Canvas:
        """Read it off a stream and the environment (NO_COLOR, TERM, COLUMNS)."""
        terminal = stream.isatty()
        width = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns if terminal else PIPED_WIDTH
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") == "dumb"
        return cls(
            width=max(min(width, WIDEST), NARROWEST),
            colour=terminal and not plain,
            blocks=_can_write("█┄▏", stream.encoding),
        )

    def text(self, renderable: RenderableType) -> str:
        """Lay a rich renderable out as a string; without colour it holds no escape code."""
        buffer = io.StringIO()
        console = Console(
            file=buffer,
            width=self.width,
            force_terminal=self.colour,
            color_system="standard" if self.colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        console.print(renderable, crop=False)
        return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def plain_table(*columns: str, apart: int = 2) -> Table:
    """A table set apart by space alone; the first column is text, the others are figures."""
    table = Table(box=None, pad_edge=False, padding=(0, apart, 0, 0), header_style="dim")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left", overflow="fold")
    return table


def _can_write(characters: str, encoding: str | None) -> bool:
    try:
        characters.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
