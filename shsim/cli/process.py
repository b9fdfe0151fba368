"""The one place that catches: what a fault becomes on stderr and as an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import click

from shsim.cli.streams import drop_stdout, prepare, say
from shsim.errors import (
    EXIT_BUG,
    EXIT_DATA,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    ShsimError,
)
from shsim.report.plain_text import visible

#: A second signal within this many seconds is the same keystroke, sent on by a parent.
_ECHO = 1.0

#: When the first signal came: a foreign bare `except` may have swallowed what it raised.
_given: list[float] = []

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: What the operating system says of a place that cannot take more data.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class Interruption(KeyboardInterrupt):
    """An interrupt of which more is known: `outcome` says what was saved before it."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def run_process(work: Callable[[], None]) -> NoReturn:
    """Do the work and end the process with its exit code."""
    prepare()
    code = exit_code(work)
    try:
        sys.stdout.flush()
    except OSError:
        drop_stdout()
    if code == EXIT_INTERRUPTED:
        # A thread that is compiling cannot be stopped, and would hold a normal exit.
        os._exit(code)
    sys.exit(code)


def exit_code(work: Callable[[], None]) -> int:
    """Do the work; report a fault on stderr; the exit code."""
    try:
        with _signals_interrupt():
            work()
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        drop_stdout()
        return EXIT_OK
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - the last line of defence
        return _report(fault)
    return EXIT_OK


def _report(fault: Exception | KeyboardInterrupt) -> int:
    """Say what went wrong; its exit code."""
    if isinstance(fault, click.ClickException):
        say(_usage_message(fault))
        return EXIT_USAGE
    if isinstance(fault, ShsimError):
        say(str(fault))
        return fault.exit_code
    if isinstance(fault, KeyboardInterrupt):
        outcome = fault.outcome if isinstance(fault, Interruption) else "nothing was saved"
        say(f"interrupted; {outcome}")
        return EXIT_INTERRUPTED
    return _unforeseen(fault)


def _unforeseen(error: Exception) -> int:
    """A full disk under some file of ours is one line; anything else is a bug."""
    if isinstance(error, OSError) and error.errno in _FULL:
        drop_stdout()
        where = f"{error.filename}: " if error.filename else ""
        say(f"{where}{error.strerror}. Make room and run again.")
        return EXIT_DATA
    with suppress(OSError, ValueError):
        sys.stderr.write(visible("".join(traceback.format_exception(error))))
    say("this is a bug in shsim, and no mistake of yours. Please report it with the lines above.")
    return EXIT_BUG


def _usage_message(error: click.ClickException) -> str:
    """Click's message, with the command it is about and where to read on."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message()
    if context is None:
        return message
    command = context.command_path.removeprefix("shsim").strip()
    return f"{command + ': ' if command else ''}{message}\nTry '{context.command_path} --help'."


def stop_if_interrupted() -> None:
    """Raise the interrupt once more: work that goes on after one has lost it.

    Numba's import does, whose bare `except` takes Ctrl-C for a missing package.
    """
    if _given:
        raise KeyboardInterrupt


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt; insisting ends the process at once.

    A signal that the parent made us ignore (nohup, a background job) stays ignored.
    """
    _given.clear()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not _given:
            _given.append(now)
            raise KeyboardInterrupt
        if now - _given[0] > _ECHO:
            os._exit(EXIT_INTERRUPTED)

    heeded = [s for s in _SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, interrupt) for s in heeded}
    try:
        yield
    finally:
        if not _given:
            for number, handler in before.items():
                signal.signal(number, handler)
