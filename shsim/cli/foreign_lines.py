"""What others write to stderr: libpq warns there of a password file that all can read."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

#: Seconds that the last of their lines are waited for.
_PATIENCE = 1.0


class ForeignLines:
    """Takes the process's stderr, gives each line to `tell`, and keeps the real one for us.

    Parameters
    ----------
    tell
        Called from a thread of its own, a line each.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        sys.stderr.flush()
        self._real = os.dup(2)
        self._reading, writing = os.pipe()
        os.dup2(writing, 2, inheritable=False)
        os.close(writing)
        self._thread = threading.Thread(target=self._read, daemon=True, name="shsim-stderr")
        self._thread.start()

    def write(self, text: str) -> None:
        """Write to the real stderr, without a buffer that a signal or a thread could tear."""
        rest = text.encode("utf-8", "backslashreplace")
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._real, rest) :]

    def stop(self) -> None:
        """Give stderr back, once what was written there has been told."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os.dup2(self._real, 2)  # the pipe's only other end: its reader comes to the end
        self._thread.join(_PATIENCE)

    def _read(self) -> None:
        with open(self._reading, encoding="utf-8", errors="backslashreplace") as lines:  # noqa: PTH123
            for line in lines:
                if line.strip():
                    self._tell(line.rstrip("\n"))
