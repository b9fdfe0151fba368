"""The exams that a PostgreSQL session has for itself: advisory locks, behind a pooler too.

A pooler such as PgBouncer gives each transaction whichever server connection is free, unless it
is in session mode, and its modes cannot be told apart for certain from outside. A lock of
the session's would stay with a connection that is somebody else's by then. So behind a pooler a
lock belongs to an open transaction on a connection of its own, which keeps it in every mode. That
transaction has no snapshot and no row, and so is in nobody's way.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import psycopg2

from shsim.errors import ExamBusyError
from shsim.storage.interrupt import attempt
from shsim.storage.statements import statements

#: Attempts to get our own lock back after a drop, a fifth of a second apart.
_RELOCK_ATTEMPTS = 10

#: Seconds within which a server that does not hang ends a transaction that did nothing.
_PROMPT = 1.0

_SQL = statements("postgres")


class ExamLocks:
    """The exam locks of one session, which outlive its connection.

    Parameters
    ----------
    label
        The database as people name it.
    connect
        Makes a further connection, where a pooler asks for one.
    """

    def __init__(self, label: str, connect: Callable[[], Any]) -> None:
        self._label = label
        self._connect = connect
        self._pooled = False
        self._pin: Any = None
        self.held: list[str] = []

    def settle(self, cursor: Any, *, pooled: bool) -> None:
        """On a new connection: get back the locks that the former one held."""
        self._pooled = pooled
        if pooled and self._pin_lives():
            return
        for exam in self.held:
            self._regain(cursor, exam)

    def take(self, cursor: Any, exam: str) -> str | None:
        """Try once to lock an exam for the session; None, or who holds it."""
        if self._pooled:
            holder = self._holder(cursor, exam)
            if holder is None and not self._take_pinned(exam):
                holder = self._named_holder(cursor, exam)
            return holder
        cursor.execute(_SQL["lock_exam"], {"key": lock_key(exam)})
        return None if cursor.fetchone()[0] else self._named_holder(cursor, exam)

    def require(self, cursor: Any, exam: str) -> None:
        """See to it that an exam is ours in this transaction; names who else holds it."""
        if self._pooled:
            self.settle(cursor, pooled=True)
            return
        cursor.execute(_SQL["lock_exam_for_transaction"], {"key": lock_key(exam)})
        if not cursor.fetchone()[0]:
            raise ExamBusyError(exam, self._label, self._named_holder(cursor, exam))

    def release(self, cursor: Any, exam: str) -> None:
        """Let an exam go that :meth:`take` gave, and that is no longer among the `held`."""
        if self._pooled:
            self.unpin()
        else:
            cursor.execute(_SQL["unlock_exam"], {"key": lock_key(exam)})

    def unpin(self) -> None:
        """End the transaction that holds exams behind a pooler, if it is there and holds none.

        Where a server hangs, it ends with this process, and is not waited for.
        """
        if self._pin is not None and not self.held:
            pin, self._pin = self._pin, None
            attempt(lambda: _end(pin), _PROMPT)

    def _regain(self, cursor: Any, exam: str) -> None:
        holder = None
        for again in range(_RELOCK_ATTEMPTS):
            if again:
                time.sleep(0.2)
            if (holder := self.take(cursor, exam)) is None:
                return
        raise ExamBusyError(exam, self._label, holder or _GONE)

    def _take_pinned(self, exam: str) -> bool:
        """Lock an exam by the transaction that stays open; False where somebody was faster."""
        if not self._pin_lives():
            self._pin = self._connect()
        try:
            with self._pin.cursor() as cursor:
                # A server's guard against forgotten transactions, which hold more than this one.
                cursor.execute(_SQL["stay_open"])
                cursor.execute(_SQL["lock_exam_for_transaction"], {"key": lock_key(exam)})
                taken = bool(cursor.fetchone()[0])
        except BaseException:
            self._pin.close()
            raise
        if not taken:
            self.unpin()
        return taken

    def _pin_lives(self) -> bool:
        if self._pin is None or self._pin.closed:
            return False
        try:
            with self._pin.cursor() as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.Error:
            self._pin.close()
            return False
        return True

    def _named_holder(self, cursor: Any, exam: str) -> str:
        return self._holder(cursor, exam) or _GONE

    def _holder(self, cursor: Any, exam: str) -> str | None:
        """Who has an exam's lock; None where nobody has."""
        cursor.execute(_SQL["lock_holder"], {"key": lock_key(exam)})
        row = cursor.fetchone()
        if row is None:
            return None
        return holder_words(*row)


def holder_words(
    pid: int,
    user: str | None,
    application: str | None,
    host: str | None,
    state: str,
    since: datetime | None,
) -> str:
    """Who has a lock, from what the server shows of its sessions.

    Of a session of another role it shows neither the host nor the time, but to members of
    pg_read_all_stats. The time is that of its `state`: it may have got the lock much later.
    """
    who = f"by {application or 'a program'} (process {pid} of the server, user {user or '?'}"
    if since is None:
        return f"{who}; pg_read_all_stats would show its host and since when it is connected)"
    return f"{who}, from {host or 'the same machine'}, {state} since {since:%Y-%m-%d %H:%M:%S %Z})"


def _end(pin: Any) -> None:
    with suppress(psycopg2.Error):
        pin.rollback()
    pin.close()


_GONE = "by a session that has just ended"


def lock_key(exam: str) -> int:
    """The exam's advisory lock: a signed 64-bit number that every machine agrees on."""
    digest = hashlib.sha256(f"shsim exam {exam}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
