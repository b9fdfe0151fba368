"""Changes by hand: this server's take turns, and wait a moment for those of others."""

from __future__ import annotations

import asyncio
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

    async def make(self, change: Callable[[], T]) -> T:
        """Make a change in its turn; what it answers.

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
            return await anyio.to_thread.run_sync(change, limiter=self._thread)
        finally:
            self._turn.release()
