"""A PostgreSQL connection that outlives its drops and yields to Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg2

from shsim.errors import DatabaseError, ExamBusyError, ShsimError
from shsim.storage.driver_errors import TRANSIENT, is_dropped, translate
from shsim.storage.dsn import Dsn
from shsim.storage.exam_waiting import Patience, take_exam
from shsim.storage.interrupt import Interrupted, OverdueError, interruptible
from shsim.storage.needs import SAVING, Needs
from shsim.storage.postgres_cancel import end_query, end_query_soon
from shsim.storage.postgres_encoding import settle_encoding
from shsim.storage.postgres_faults import kept_out, overtaken, told, worth_telling
from shsim.storage.postgres_grants import refuse_unmet
from shsim.storage.postgres_hidden import hiding_words
from shsim.storage.postgres_locks import ExamLocks
from shsim.storage.postgres_pooler import is_pooled, require_transactions
from shsim.storage.postgres_privileges import may_be_denied, missing_privilege, usual_privilege
from shsim.storage.postgres_waiting import Tries
from shsim.storage.statements import statements

T = TypeVar("T")

#: Seconds to wait before each further attempt after a drop: a server that was killed recovers in
#: this time, as a rule, and an hour's computation is worth it.
BACKOFF = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0, 15.0)

#: No attempt begins later than so many seconds after the first drop, however slow they are to
#: fail, unless a store is opened with another patience.
PATIENCE = 60.0

#: So many further attempts are made where the server is there, and others were faster.
_RACES = 4

_SQL = statements("postgres")


class OvertakenError(Exception):
    """Another session wrote between our reading and our writing: begin anew."""


class Session:
    """One connection, made on first use and again when it drops, with the exams it locks.

    A transaction that takes longer than `within` seconds is given up, and its connection with it:
    a server that hangs, unlike one that is gone, says nothing to anybody.
    `said_at_commit` is what the server said of the last COMMIT beside that it stands.
    """

    def __init__(
        self,
        dsn: Dsn,
        *,
        read_only: bool,
        application_name: str,
        patience: float = PATIENCE,
        within: float | None = None,
    ) -> None:
        self.dsn = dsn
        self._within = within
        self._patience = patience
        self._read_only = read_only
        self._application_name = application_name
        self._connection: Any = None
        self._former: dict[str, Any] | None = None
        self._pooled = False
        self._committing = False
        self.said_at_commit: list[str] = []
        self._locks = ExamLocks(dsn.label, self._connect)

    def run(self, work: Callable[[Any], T], *, final: bool = False) -> T:
        """Do `work` with a cursor in one transaction, and commit.

        A drop, a deadlock or a lost race begins the transaction anew, a few times; so
        `work` must find out for itself whether a commit whose answer was lost stands. Where
        it is `final`, that commit has ended by then.

        Parameters
        ----------
        work
            Called in a thread of its own, once an attempt.
        final
            A commit that Ctrl-C came too late for stands, and its result is returned.

        Raises
        ------
        UnsettledError
            It broke at a COMMIT that nobody can say the outcome of.
        DatabaseError
            The last attempt's fault, in one line.
        """
        tries = Tries(self.dsn.label, final)
        with tries.interrupts_told():
            return self._tried(work, tries)

    def _tried(self, work: Callable[[Any], T], tries: Tries) -> T:
        first: float | None = None
        for attempt, delay in enumerate((*BACKOFF, None)):
            try:
                return interruptible(
                    lambda: self._transaction(work, tries), self._cancel, within=self._within
                )
            except OverdueError:
                self._abandon()
                raise DatabaseError(
                    f"{self.dsn.label} does not answer: {self._within:g} s were not enough. See"
                    " what it is doing, and whether it hangs."
                ) from None
            except Interrupted as interrupt:
                if tries.final and interrupt.result:
                    return interrupt.result[0]  # type: ignore[return-value]
                tries.unknown |= tries.final and self._committing
                if not interrupt.ended:
                    self._connection = None
                raise
            except OvertakenError:
                if delay is None or attempt >= _RACES:
                    raise self._overtaken() from None
            except ExamBusyError as busy:
                raise kept_out(busy, self.dsn.label, unknown=tries.unknown) from None
            except psycopg2.Error as error:
                dropped = self._dropped(error)
                if dropped:
                    self._forget()
                tries.unknown |= tries.final and dropped and self._committing
                first = first or time.monotonic()
                waited = time.monotonic() - first
                again = waited < self._patience if dropped else attempt < _RACES
                if delay is None or not again or not (dropped or error.pgcode in TRANSIENT):
                    gone = waited if dropped else None
                    raise self._told(
                        error, gone, unknown=tries.unknown, saving=tries.final
                    ) from error
            time.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def exam_lock(
        self, exam: str, patience: Patience | None = None, needs: Needs = SAVING
    ) -> Iterator[None]:
        """The exam's advisory lock, held by the session and taken again after a drop.

        Parameters
        ----------
        needs
            What the exam is locked for.

        Raises
        ------
        RefusedError
            Another session holds it, and goes on to for longer than `patience`.
        DatabaseError
            Nothing can be written here, or not by this role: the lock is good for nothing.
        """
        if exam in self._locks.held:
            yield
            return
        self.require(needs)
        take_exam(
            exam,
            self.dsn.label,
            lambda: self.run(lambda cursor: self._locks.take(cursor, exam)),
            patience,
        )
        self._locks.held.append(exam)
        try:
            yield
        finally:
            self._locks.held.remove(exam)
            self._let_go(exam)

    def require(self, needs: Needs) -> None:
        """See to it that what is needed can be done here, by this role."""
        self.run(lambda cursor: refuse_unmet(cursor, self.dsn, needs))

    def require_lock(self, cursor: Any, exam: str) -> None:
        """See to it that the exam is ours in this transaction; names who else holds it."""
        self._locks.require(cursor, exam)

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._former = self._connection, None, None
        if connection is not None:
            connection.close()

    def _transaction(self, work: Callable[[Any], T], tries: Tries | None = None) -> T:
        self._committing = False
        connection = self._connected()
        try:
            with connection.cursor() as cursor:
                # Each time: behind a pooler a session's setting is soon another client's.
                cursor.execute(_SQL["every_digit"])
                if tries is not None:
                    tries.begin(cursor)
                value = work(cursor)
            self._committing = True
            connection.notices.clear()
            connection.commit()
            self.said_at_commit = worth_telling(connection.notices)
        except BaseException:
            # After a drop there is nothing to roll back.
            with suppress(psycopg2.Error):
                connection.rollback()
            raise
        return value

    def _forget(self) -> None:
        """Let a broken connection go, which psycopg2 may not have noticed to be broken."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _abandon(self) -> None:
        """Leave a connection to the thread that waits on it, and ask the server to end that."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # Closing would wait for that thread.
            end_query_soon(connection, self._connect, pooled=self._pooled)

    def _let_go(self, exam: str) -> None:
        """Unlock an exam; a session that has broken off has lost its locks already."""
        connection = self._connection
        if connection is None or connection.closed:
            self._locks.unpin()
            return
        with suppress(psycopg2.Error):
            interruptible(
                lambda: self._transaction(lambda cursor: self._locks.release(cursor, exam)),
                self._cancel,
            )

    def _connect(self) -> Any:
        return psycopg2.connect(**self.dsn.connection_parameters(self._application_name))

    def _connected(self) -> Any:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        self._connection = None
        connection = self._connect()
        try:
            self._settle_in(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _settle_in(self, connection: Any) -> None:
        """Set a new connection up, and get back the locks that the former one held."""
        connection.autocommit = True
        settle_encoding(connection)
        with connection.cursor() as cursor:
            cursor.execute(_SQL["this_session"])
            pid, started = cursor.fetchone()
        connection.set_session(
            isolation_level="READ COMMITTED", readonly=self._read_only or None, autocommit=False
        )
        self._pooled = is_pooled(connection, pid)
        if self._pooled:
            require_transactions(connection, self._connect, self.dsn)
        with connection.cursor() as cursor:
            if self._former is not None and not self._pooled:
                cursor.execute(_SQL["end_session"], self._former)
            self._locks.settle(cursor, pooled=self._pooled)
        connection.commit()
        self._former = {"pid": pid, "started": started}

    def _told(self, error: Any, waited: float | None, *, unknown: bool, saving: bool) -> ShsimError:
        """What the operator is told; the parameters are those of `told`."""
        said = translate(error, self.dsn, self._missing(error))
        out_of_pool = self._pooled and waited is not None
        return told(said, waited, out_of_pool=out_of_pool, unknown=unknown, saving=saving)

    def _overtaken(self) -> DatabaseError:
        hidden = None
        with suppress(psycopg2.Error):
            hidden = interruptible(lambda: self._transaction(hiding_words), self._cancel)
        return overtaken(self.dsn.label, hidden)

    def _missing(self, error: Any) -> str | None:
        """The privilege that was denied; None where it was none, or nobody will tell."""
        usual = usual_privilege(error)
        if usual is not None or not may_be_denied(error) or self._connection is None:
            return usual
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
        if self._connection is not None:
            end_query(self._connection, self._connect, pooled=self._pooled)
