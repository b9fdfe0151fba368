"""stdout for data, stderr for everything else; neither can end a run by surprise."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress

from shsim.errors import DataError
from shsim.report.blotted import blotted
from shsim.report.plain_text import shortened, visible

_PREFIX = "shsim: "

#: Columns of a terminal that doesn't say, and those beyond which a line is hard to read.
_USUAL, _WIDEST = 80, 100

#: A command at a line's end, to be typed or pasted.
_COMMAND = re.compile(r"(?<=:) shsim [a-z]+ .*-.*$")


class StdoutError(DataError):
    """stdout cannot take the result; `fault` says why, without the remedy."""

    def __init__(self, why: str | None) -> None:
        self.fault = f"stdout: {why}. Make room, or send the output elsewhere"
        super().__init__(f"{self.fault}, and run again.")


def prepare() -> None:
    """Make every stream usable whatever the shell has done to it; a closed stdin is empty."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        # An exam named in Greek must not end a run under LC_ALL=C.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def emit(text: str) -> None:
    """Write data to stdout, all of it.

    A reader that has gone (``| head``) is no fault: the rest is dropped.

    Raises
    ------
    StdoutError
        stdout cannot take it: a full disk, say.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    except OSError as error:
        drop_stdout()
        raise StdoutError(error.strerror) from error


def drop_stdout() -> None:
    """Send what stdout still holds nowhere, so that the interpreter's own flush is silent."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def say(text: str) -> None:
    """Write a message to stderr, one ``shsim:`` a line, with no active character in it.

    A terminal gets long lines broken between words; a pipe, for programs, one line a message.
    """
    lines = [shortened(line) for line in visible(blotted(text)).splitlines()] or [""]
    with suppress(OSError, ValueError):
        told = [f"{_PREFIX}{line}" for line in lines]
        if sys.stderr.isatty():
            told = [_wrapped(line) for line in told]
        sys.stderr.write("".join(f"{line}\n" for line in told))
        sys.stderr.flush()


def one_terminal() -> bool:
    """Whether stdout and stderr are read together, so that what one says needs no repeating."""
    try:
        return sys.stdout.isatty() and sys.stderr.isatty()
    except ValueError:  # closed
        return False


def _wrapped(line: str) -> str:
    # Loaded where somebody looks alone: a pipe need not pay for it.
    import textwrap

    width = _width()
    if len(line) <= width:
        return line
    indent = " " * len(_PREFIX)
    words, command = line, ""
    if found := _COMMAND.search(line):
        words, command = line[: found.start()], found[0].strip()
    # A path, an option and a command are to be copied whole.
    filled = textwrap.fill(
        words, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return f"{filled}\n{indent}{command}" if command else filled


def _width() -> int:
    """Columns of the terminal that stderr is, as far as lines are easily read."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return min(columns, _WIDEST) if columns > 0 else _USUAL
