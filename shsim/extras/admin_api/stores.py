"""A few open stores that requests share: a store serves one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shsim.errors import DatabaseError, RefusedError, ShsimError
from shsim.storage.base import Store
from shsim.storage.dsn import Dsn
from shsim.storage.open import open_store

#: What PostgreSQL shows of the server.
APPLICATION = "shsim-api"

#: Seconds that a request waits for a store that others have.
PATIENCE = 20.0

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
    """

    def __init__(self, dsn: str, size: int = 4) -> None:
        self._dsn = dsn
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
            None became free in time.
        """
        if not self._free.acquire(timeout=PATIENCE):
            raise DatabaseError(f"{self.label}: every connection was busy for {PATIENCE:g} s.")
        try:
            store = self._borrowed()
            try:
                yield store
            except ShsimError as error:
                if isinstance(error, DatabaseError) and not isinstance(error, RefusedError):
                    # The next one begins with a new connection, and without retries.
                    store.close()
                else:
                    self._give_back(store)
                raise
            except BaseException:
                store.close()
                raise
            self._give_back(store)
        finally:
            self._free.release()

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
            self._dsn, read_only=True, application_name=APPLICATION, patience=_RESTORED
        )

    def _give_back(self, store: Store) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(store)
                return
        store.close()
