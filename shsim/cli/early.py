"""Signals that come while the program is still being imported; imports next to nothing."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: A second signal within this many seconds is the same keystroke, sent on by a parent.
ECHO = 1.0

#: When the first signal came.
_came: list[float] = []


def heed_early() -> None:
    """Keep a signal until the program can tell of it: within an import it would end in a traceback.

    A second one, a while later, ends the process at once. What the parent made us ignore stays
    ignored.
    """

    def keep(_number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not _came:
            _came.append(now)
        elif now - _came[0] > ECHO:
            os._exit(130)

    for number in heeded():
        signal.signal(number, keep)


def heeded() -> list[signal.Signals]:
    """The signals that the parent did not make us ignore."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def came_early() -> list[float]:
    """When the signal came that was kept, if one was; nobody else gets it."""
    came = _came.copy()
    _came.clear()
    return came
