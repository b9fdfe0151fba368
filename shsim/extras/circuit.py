"""A circuit breaker: who has just failed is not asked again for a while."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

#: Seconds until the first try after a failure; each further failure doubles them, so far.
FIRST, LONGEST = 0.5, 30.0


class Circuit:
    """Closed: go ahead. Open: don't, but one caller may try once the pause is over.

    Shared by threads; `longest` is the longest pause, in seconds. A child process starts with it
    as it was at the fork.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, longest: float = LONGEST
    ) -> None:
        self._clock = clock
        self._longest = longest
        self._lock = threading.Lock()
        self._pause = 0.0
        self._until = 0.0
        _circuits.add(self)

    @property
    def is_open(self) -> bool:
        """Whether the last try failed."""
        return self._pause > 0.0

    def lets_through(self) -> bool:
        """Whether the caller may try now; costs next to nothing."""
        if self._pause == 0.0:
            return True
        if self._clock() < self._until:
            return False
        with self._lock:
            if self._pause > 0.0 and self._clock() < self._until:
                return False
            # Others stay out until this one has come back with an answer.
            self._until = self._clock() + max(self._pause, FIRST)
            return True

    def failed(self) -> bool:
        """Open it, for longer than before; whether it was closed."""
        with self._lock:
            was_closed = self._pause == 0.0
            self._pause = min(max(2 * self._pause, FIRST), self._longest)
            self._until = self._clock() + self._pause
            return was_closed

    def succeeded(self) -> bool:
        """Close it; whether it was open."""
        if self._pause == 0.0:
            return False
        with self._lock:
            self._pause = 0.0
            return True

    def renew_lock(self) -> None:
        """In a child process: another thread of the parent may have held it."""
        self._lock = threading.Lock()


_circuits: weakref.WeakSet[Circuit] = weakref.WeakSet()


def _after_fork() -> None:
    for circuit in _circuits:
        circuit.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
