"""A few open stores that requests share: a store serves one thread at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shsim.errors import DatabaseError, RefusedError, ShsimError
from shsim.extras.circuit import Circuit
from shsim.storage.base import Store
from shsim.storage.dsn import Dsn
from shsim.storage.open import open_store

#: What PostgreSQL shows of the server.
APPLICATION = "shsim-api"

#: Seconds that a request waits for a store that others have, and then for the database.
PATIENCE = 20.0

#: A failure that took so many seconds is not waited for by everybody in turn: who comes in the
#: next moments is told at once, and one after another may try. These are at most so many seconds.
_LONG, _PAUSE = 1.0, 2.0

#: Seconds that a reader tries to connect again to a server that has dropped it: one that went
#: and came back is there at once, and whoever asks would rather hear of one that is gone.
_RESTORED = 0.3


class StorePool:
    """At most `size` read-only stores, opened as they are needed and kept.

    Parameters
    ----------
    dsn
        The database.
    size
        Connections at most.
    within
        Seconds that the database is given to answer.
    """

    def __init__(self, dsn: str, size: int = 4, within: float = PATIENCE) -> None:
        self._dsn = dsn
        self._within = within
        self._circuit = Circuit(longest=_PAUSE)
        self._failure = ""
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Store] = []
        self._closed = False

    @property
    def label(self) -> str:
        """The database as our messages name it."""
        return Dsn.parse(self._dsn).label

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """A store to read with, the caller's alone meanwhile.

        Raises
        ------
        DatabaseError
            None became free in time, or the database is out of reach, or hangs.
        """
        if not self._free.acquire(timeout=PATIENCE):
            raise DatabaseError(f"{self.label}: every connection was busy for {PATIENCE:g} s.")
        try:
            with self._guarded(), self._lent() as store:
                yield store
        finally:
            self._free.release()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Fail at once where others have just waited in vain."""
        if not self._circuit.lets_through():
            raise DatabaseError(self._failure)
        begun = time.monotonic()
        try:
            yield
        except ShsimError as error:
            if not _is_failure(error):
                self._circuit.succeeded()
            elif time.monotonic() - begun >= _LONG:
                self._failure = str(error)
                self._circuit.failed()
            raise
        self._circuit.succeeded()

    @contextmanager
    def _lent(self) -> Iterator[Store]:
        store = self._borrowed()
        try:
            yield store
        except ShsimError as error:
            if _is_failure(error):
                # The next one begins with a new connection, and without retries.
                store.close()
            else:
                self._give_back(store)
            raise
        except BaseException:
            store.close()
            raise
        self._give_back(store)

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """A store of its own to write with, closed on the way out."""
        # With all patience: whoever writes wants to know what became of it.
        store = open_store(self._dsn, application_name=APPLICATION)
        try:
            yield store
        finally:
            store.close()

    def close(self) -> None:
        """Close what is idle, and what is lent when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for store in idle:
            store.close()

    def _borrowed(self) -> Store:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return open_store(
            self._dsn,
            read_only=True,
            application_name=APPLICATION,
            patience=_RESTORED,
            within=self._within,
        )

    def _give_back(self, store: Store) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(store)
                return
        store.close()


def _is_failure(error: ShsimError) -> bool:
    """Whether it is the database's own, and no answer to who asked."""
    return isinstance(error, DatabaseError) and not isinstance(error, RefusedError)
