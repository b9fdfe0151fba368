"""Waiting in a transaction: for what others hold locked, and for a former try of our own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2.errors

from shsim.errors import Interruption
from shsim.storage.postgres_faults import SEE_WHICH, unended
from shsim.storage.statements import statements

_SQL = statements("postgres")

#: How long a save waits for rows that another session holds locked, unless the operator's
#: own lock_timeout (by PGOPTIONS, the DSN or the role) says otherwise.
_LOCK_TIMEOUT = "30s"


def limit_waiting(cursor: Any) -> None:
    """Bound how long this transaction waits for what others hold locked."""
    cursor.execute(_SQL["limit_waiting"], {"lock_timeout": _LOCK_TIMEOUT})


@dataclass(slots=True)
class Tries:
    """The tries of one piece of work, of which one is to be committed where it is `final`.

    Each holds an advisory lock that is the work's alone, to the end of its transaction: a COMMIT
    whose answer was lost may go on, waiting for a standby, and the next try must not ask what
    stands before that has ended. Behind a pooler there is no session of ours to end.

    Attributes
    ----------
    unknown
        Nobody can say yet whether a COMMIT stands.
    """

    label: str
    final: bool
    unknown: bool = False
    _begun: bool = False
    _key: int = field(default_factory=lambda: secrets.randbits(64) - 2**63)

    def begin(self, cursor: Any) -> None:
        """Wait for the try before, if there was one.

        Raises
        ------
        UnsettledError
            It has not ended, and was saving.
        """
        if not self.final:
            return
        if self._begun:
            limit_waiting(cursor)
        self._begun = True
        try:
            cursor.execute(_SQL["wait_for_lock"], {"key": self._key})
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.QueryCanceled):
            if self.unknown:
                raise unended(self.label) from None
            raise

    @contextmanager
    def interrupts_told(self) -> Iterator[None]:
        """Have Ctrl-C say that a COMMIT may stand, where one may.

        Raises
        ------
        Interruption
            With what may stand.
        """
        try:
            yield
        except KeyboardInterrupt as interrupt:
            if self.unknown:
                raise Interruption(f"it was saving: {SEE_WHICH}") from interrupt
            raise
