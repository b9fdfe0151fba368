"""A PostgreSQL connection that outlives its drops and yields to Ctrl-C."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg2

from shsim.errors import DatabaseError, ExamBusyError
from shsim.storage.driver_errors import TRANSIENT, is_dropped, translate
from shsim.storage.dsn import Dsn
from shsim.storage.interrupt import Interrupted, interruptible
from shsim.storage.postgres_privileges import may_be_denied, missing_privilege
from shsim.storage.statements import statements

T = TypeVar("T")

#: Seconds to wait before each further attempt after a drop: a server restarts in this time.
BACKOFF = (0.1, 0.4, 1.0, 2.0)

#: Attempts to get our own lock back after a drop, a fifth of a second apart.
_RELOCK_ATTEMPTS = 10

_SQL = statements("postgres")


class OvertakenError(Exception):
    """Another session wrote between our reading and our writing: begin anew."""


class Session:
    """One connection, made on first use and again when it drops, with the exams it locks."""

    def __init__(self, dsn: Dsn, *, read_only: bool, application_name: str) -> None:
        self.dsn = dsn
        self._read_only = read_only
        self._application_name = application_name
        self._connection: Any = None
        self._former: dict[str, Any] | None = None
        self._locked: list[str] = []

    def run(self, work: Callable[[Any], T], *, final: bool = False) -> T:
        """Do `work` with a cursor in one transaction, and commit.

        A drop, a deadlock or a lost race begins the transaction anew, a few times; so
        `work` must find out for itself whether a commit whose answer was lost stands.

        Parameters
        ----------
        work
            Called in a thread of its own, once an attempt.
        final
            A commit that Ctrl-C came too late for stands, and its result is returned.

        Raises
        ------
        DatabaseError
            The last attempt's fault, in one line.
        """
        for delay in (*BACKOFF, None):
            try:
                return interruptible(lambda: self._transaction(work), self._cancel)
            except Interrupted as interrupt:
                if final and interrupt.result:
                    return interrupt.result[0]  # type: ignore[return-value]
                if not interrupt.ended:
                    self._connection = None
                raise
            except OvertakenError:
                if delay is None:
                    raise DatabaseError(
                        f"{self.dsn.label} is busy: other sessions kept changing the same"
                        " rows. Nothing was written. Try again."
                    ) from None
            except psycopg2.Error as error:
                if delay is None or not (self._dropped(error) or error.pgcode in TRANSIENT):
                    raise translate(error, self.dsn, self._missing(error)) from error
            time.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def exam_lock(self, exam: str) -> Iterator[None]:
        """The exam's advisory lock, held by the session and taken again after a drop."""
        if exam in self._locked:
            yield
            return
        self.run(lambda cursor: self._lock(cursor, exam, attempts=1))
        self._locked.append(exam)
        try:
            yield
        finally:
            self._locked.remove(exam)
            if self._connection is not None and not self._connection.closed:
                # A session that has broken off has lost its locks already.
                with suppress(DatabaseError):
                    self.run(lambda cursor: self._unlock(cursor, exam))

    def require_lock(self, cursor: Any, exam: str) -> None:
        """Take the exam's lock once more for the transaction; names who else holds it."""
        cursor.execute(_SQL["lock_exam_for_transaction"], {"key": lock_key(exam)})
        if not cursor.fetchone()[0]:
            raise self._held_elsewhere(cursor, exam)

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._former = self._connection, None, None
        if connection is not None:
            connection.close()

    def _transaction(self, work: Callable[[Any], T]) -> T:
        connection = self._connected()
        try:
            with connection.cursor() as cursor:
                value = work(cursor)
            connection.commit()
        except BaseException:
            # After a drop there is nothing to roll back.
            with suppress(psycopg2.Error):
                connection.rollback()
            raise
        return value

    def _connected(self) -> Any:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        self._connection = None
        connection = psycopg2.connect(**self.dsn.connection_parameters(self._application_name))
        try:
            self._settle_in(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _settle_in(self, connection: Any) -> None:
        """Set a new connection up, and get back the locks that the former one held."""
        connection.set_session(isolation_level="READ COMMITTED", readonly=self._read_only or None)
        connection.set_client_encoding("UTF8")
        with connection.cursor() as cursor:
            if self._former is not None:
                cursor.execute(_SQL["end_session"], self._former)
            for exam in self._locked:
                self._lock(cursor, exam, attempts=_RELOCK_ATTEMPTS)
            cursor.execute(_SQL["this_session"])
            pid, started = cursor.fetchone()
        connection.commit()
        self._former = {"pid": pid, "started": started}

    def _missing(self, error: Any) -> str | None:
        """The privilege that was denied; None where it was none, or nobody will tell."""
        if not may_be_denied(error) or self._connection is None:
            return None
        with suppress(psycopg2.Error):
            return interruptible(
                lambda: self._transaction(lambda cursor: missing_privilege(cursor, error)),
                self._cancel,
            )
        return None

    def _dropped(self, error: Any) -> bool:
        """Whether a connection that once stood is gone; the first one is not retried."""
        broken = self._connection is not None and bool(self._connection.closed)
        return self._former is not None and (broken or is_dropped(error))

    def _cancel(self) -> None:
        connection = self._connection
        if connection is not None:
            with suppress(psycopg2.Error):
                connection.cancel()

    def _lock(self, cursor: Any, exam: str, *, attempts: int) -> None:
        for attempt in range(attempts):
            if attempt:
                time.sleep(0.2)
            cursor.execute(_SQL["lock_exam"], {"key": lock_key(exam)})
            if cursor.fetchone()[0]:
                return
        raise self._held_elsewhere(cursor, exam)

    def _unlock(self, cursor: Any, exam: str) -> None:
        cursor.execute(_SQL["unlock_exam"], {"key": lock_key(exam)})

    def _held_elsewhere(self, cursor: Any, exam: str) -> ExamBusyError:
        cursor.execute(_SQL["lock_holder"], {"key": lock_key(exam)})
        row = cursor.fetchone()
        if row is None:
            holder = "by a session that has just ended"
        else:
            pid, user, application, host, since = row
            holder = (
                f"by {application or 'a program'} (process {pid} of the server, user {user or '?'},"
                f" from {host or 'the same machine'}"
                + (f", since {since:%Y-%m-%d %H:%M:%S %Z})" if since else ")")
            )
        return ExamBusyError(exam, self.dsn.label, holder)


def lock_key(exam: str) -> int:
    """The exam's advisory lock: a signed 64-bit number that every machine agrees on."""
    digest = hashlib.sha256(f"shsim exam {exam}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
