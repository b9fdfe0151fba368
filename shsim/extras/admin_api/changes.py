"""Changes by hand: this server's take turns, and wait a moment for those of others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

import anyio

from shsim.errors import RefusedError

T = TypeVar("T")

#: Seconds that a change waits for a run that has its exam: another change is over by then.
WAIT = 2.0

#: Seconds that a change waits for its turn.
_TURN = 10.0


class Changes:
    """The changes of one server, one at a time: all would want the same exam's lock.

    They have a thread of their own, so that readers never wait for a save that is held up.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._thread = anyio.CapacityLimiter(1)
        self._what = ""
        self._idle = threading.Event()
        self._idle.set()

    async def make(self, what: str, change: Callable[[], T]) -> T:
        """Make a change in its turn; what it answers.

        Parameters
        ----------
        what
            What it is, for the log, should the server end before it.
        change
            Makes it, in a thread.

        Raises
        ------
        RefusedError
            Its turn did not come in time.
        """
        try:
            async with asyncio.timeout(_TURN):
                await self._turn.acquire()
        except TimeoutError:
            raise RefusedError(
                "Other changes of k take their time. Nothing was written. Try again later."
            ) from None
        try:
            return await anyio.to_thread.run_sync(self._make, what, change, limiter=self._thread)
        finally:
            self._turn.release()

    def join(self, patience: float) -> str | None:
        """Wait for the one that is being made; what it is, if it has not ended by then."""
        return None if self._idle.wait(max(patience, 0.0)) else self._what

    def _make(self, what: str, change: Callable[[], T]) -> T:
        self._what = what
        self._idle.clear()
        try:
            return change()
        finally:
            self._idle.set()
