"""stdout for data, stderr for everything else; neither can end a run by surprise."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from shsim.errors import DataError
from shsim.report.blotted import blotted
from shsim.report.plain_text import shortened, visible


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
    """Write a message to stderr, one ``shsim:`` a line, with no active character in it."""
    lines = [shortened(line) for line in visible(blotted(text)).splitlines()] or [""]
    with suppress(OSError, ValueError):
        sys.stderr.write("".join(f"shsim: {line}\n" for line in lines))
        sys.stderr.flush()
