"""The one place that catches: what a fault becomes on stderr and as an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import click

from shsim.cli.early import ECHO, came_early, heeded
from shsim.cli.log_lines import begin, log, log_end, speaks_json
from shsim.cli.streams import drop_stdout, prepare, say
from shsim.errors import (
    EXIT_BUG,
    EXIT_DATA,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    Interruption,
    ShsimError,
)
from shsim.report.blotted import blotted
from shsim.report.plain_text import visible

#: When the first signal came: a foreign bare `except` may have swallowed what it raised.
_given: list[float] = []

#: What the operating system says of a place that cannot take more data.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def run_process(work: Callable[[], None]) -> NoReturn:
    """Do the work and end the process with its exit code."""
    prepare()
    code = exit_code(work, whole_process=True)
    try:
        sys.stdout.flush()
    except OSError:
        drop_stdout()
    if code == EXIT_INTERRUPTED or any(each.daemon for each in threading.enumerate()):
        # A thread that is compiling cannot be stopped, and would hold a normal exit.
        os._exit(code)
    sys.exit(code)


def exit_code(work: Callable[[], None], *, whole_process: bool = False) -> int:
    """Do the work; report a fault on stderr; the exit code.

    Where this is not the `whole_process`, its stderr is left to whoever has it.
    """
    begin(whole_process=whole_process)
    code = _ending(work, whole_process=whole_process)
    log_end(code)
    return code


def _ending(work: Callable[[], None], *, whole_process: bool) -> int:
    try:
        with _signals_interrupt(whole_process=whole_process):
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
        _say_fault(_usage_message(fault), EXIT_USAGE)
        return EXIT_USAGE
    if isinstance(fault, ShsimError):
        _say_fault(str(fault), fault.exit_code)
        return fault.exit_code
    if isinstance(fault, KeyboardInterrupt):
        outcome = fault.outcome if isinstance(fault, Interruption) else "nothing was saved"
        _say_fault(f"interrupted; {outcome}", EXIT_INTERRUPTED)
        return EXIT_INTERRUPTED
    return _unforeseen(fault)


def _unforeseen(error: Exception) -> int:
    """A full disk under some file of ours is one line; anything else is a bug."""
    if isinstance(error, OSError) and error.errno in _FULL:
        drop_stdout()
        where = f"{error.filename}: " if error.filename else ""
        _say_fault(f"{where}{error.strerror}. Make room and run again.", EXIT_DATA)
        return EXIT_DATA
    trace = visible(blotted("".join(traceback.format_exception(error))))
    bug = "this is a bug in shsim, and no mistake of yours. Please report it with the"
    if speaks_json():
        log("error", "error", f"{bug} traceback.", {"exit_code": EXIT_BUG, "traceback": trace})
        return EXIT_BUG
    with suppress(OSError, ValueError):
        sys.stderr.write(trace)
    say(f"{bug} lines above.")
    return EXIT_BUG


def _say_fault(message: str, code: int) -> None:
    if speaks_json():
        log("error", "error", message, {"exit_code": code})
    else:
        say(message)


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

    Numba's import does, whose bare `except` takes Ctrl-C for a missing package; and the first
    that is done raises what came before it.
    """
    if _given:
        raise KeyboardInterrupt


@contextmanager
def _signals_interrupt(*, whole_process: bool) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt; insisting ends the process at once.

    A signal that the parent made us ignore (nohup, a background job) stays ignored. Once the
    work is over nothing is left to interrupt: where this is the `whole_process`, a signal must
    not give it another exit code than the log does.
    """
    _given.clear()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not _given:
            _given.append(now)
            raise KeyboardInterrupt
        if now - _given[0] > ECHO:
            with suppress(RuntimeError):  # it may have been writing that very moment
                log_end(EXIT_INTERRUPTED)
            os._exit(EXIT_INTERRUPTED)

    before = {s: signal.signal(s, interrupt) for s in heeded()}
    if whole_process:
        _given.extend(came_early())
    try:
        yield
    finally:
        if not _given:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_IGN if whole_process else handler)
