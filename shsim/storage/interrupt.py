"""Driver calls that Ctrl-C interrupts.

A C driver that waits for its server does not see Python's signal until the server
answers. The call therefore runs in a thread of its own, while the caller waits in
Python, where an interrupt arrives at once and cancels the query. (psycopg2's own way,
a wait callback, cannot do COPY.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Seconds that a cancelled call is given to end by itself.
PATIENCE = 0.3


class _Call(threading.Thread, Generic[T]):
    """One call and its outcome; a daemon, so that a stuck server cannot hold the exit."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True, name="shsim-database")
        self._work = work
        # Waiting for an event, unlike joining, is interruptible on every Python we support.
        self.done = threading.Event()
        self.value: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.value.append(self._work())
        except BaseException as error:  # noqa: BLE001  it is raised again by the caller
            self.error = error
        finally:
            self.done.set()


def interruptible(
    work: Callable[[], T],
    cancel: Callable[[], None],
    *,
    patience: float = PATIENCE,
    within: float | None = None,
) -> T:
    """Run `work` in a thread; on Ctrl-C, `cancel` it and wait for at most `patience` seconds.

    Raises
    ------
    Interrupted
        A KeyboardInterrupt that says whether the call has ended.
    OverdueError
        The call goes on after `within` seconds; its thread is left to itself.
    """
    call = _Call(work)
    call.start()
    try:
        in_time = call.done.wait(within)
    except KeyboardInterrupt as interrupt:
        # Cancelling asks the server, which may be what does not answer.
        threading.Thread(target=cancel, daemon=True, name="shsim-cancel").start()
        ended = call.done.wait(patience)
        raise Interrupted(ended=ended, result=tuple(call.value)) from interrupt
    if not in_time:
        raise OverdueError
    if call.error is not None:
        raise call.error
    return call.value[0]


def attempt(work: Callable[[], object], patience: float) -> None:
    """Do `work` in a thread, and wait for at most `patience` seconds; its faults are dropped."""
    call = _Call(work)
    call.start()
    call.done.wait(patience)


class OverdueError(Exception):
    """A driver call took longer than its caller waits, and may go on."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a driver call.

    Attributes
    ----------
    ended
        Whether the call has ended, and its connection may be used.
    result
        The call's result, if it finished in spite of the interrupt; else empty.
    """

    def __init__(self, *, ended: bool, result: tuple[object, ...]) -> None:
        super().__init__()
        self.ended = ended
        self.result = result
