"""A process that compiles for this one, and ends with it however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress


def start_compiler(module: str) -> subprocess.Popen[bytes] | None:
    """Start a module that ends in :func:`compile_for_parent`; None where none can be started.

    Parameters
    ----------
    module
        Its full name. What it says is left aside.
    """
    nothing = subprocess.DEVNULL
    with suppress(OSError):
        # Its stdin ends with this process, by SIGKILL too.
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=nothing, stderr=nothing
        )
    return None


def end_compiler(process: subprocess.Popen[bytes]) -> None:
    """End it, unless it has ended."""
    process.kill()
    process.communicate()


def compile_for_parent(work: Callable[[], None]) -> None:
    """Do the work and end this process; it ends before where the parent does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work()
    os._exit(0)  # the thread cannot be stopped


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
