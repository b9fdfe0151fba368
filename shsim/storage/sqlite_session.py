"""A SQLite file, opened on first use, that yields to Ctrl-C."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TypeVar

from shsim.errors import BrokenFileError, DatabaseError
from shsim.storage.driver_errors import translate_sqlite
from shsim.storage.dsn import Dsn
from shsim.storage.interrupt import Interrupted, interruptible

T = TypeVar("T")

#: Seconds to wait for another program's write to end.
_BUSY_TIMEOUT = 10.0


class SqliteSession:
    """One connection to a file."""

    def __init__(self, dsn: Dsn, *, read_only: bool) -> None:
        self._dsn = dsn
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._broken: BrokenFileError | None = None

    @property
    def broken(self) -> bool:
        """Whether the file has been seen to be damaged: it is not written to any more."""
        return self._broken is not None

    def run(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        write: bool = False,
        create: bool = False,
    ) -> T:
        """Do `work` in one transaction, which Ctrl-C interrupts and undoes.

        Raises
        ------
        DatabaseError
            The file's fault; where that was damage, each later write raises it again.
        """
        if write and self._broken is not None:
            raise self._broken
        try:
            db = self._open(create=create)
            return interruptible(
                lambda: self._recovered(lambda: _transaction(db, work, write=write)), db.interrupt
            )
        except Interrupted as interrupt:
            if write and interrupt.result:
                return interrupt.result[0]  # type: ignore[return-value]
            if not interrupt.ended:
                self._connection = None
            raise
        except sqlite3.Error as error:
            raise self._fault(error) from error
        except UnicodeDecodeError as error:  # SQLite's own message quotes a name that is damaged
            raise self._fault(sqlite3.DatabaseError("malformed database schema")) from error

    def missing(self) -> DatabaseError:
        """The fault that there is no file."""
        return DatabaseError(
            f"{self._dsn.label}: there is no such file. Correct the path, or make the file and its"
            " tables with `shsim db init`."
        )

    def close(self) -> None:
        """Close the file; safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _fault(self, error: sqlite3.Error) -> DatabaseError:
        fault = translate_sqlite(error, self._dsn)
        if isinstance(fault, BrokenFileError):
            self._broken = fault
        return fault

    def _recovered(self, transaction: Callable[[], T]) -> T:
        """Do a transaction; where a killed run left its own half done, undo that one first.

        SQLite does so by itself when it may write; a store that only reads has to ask.
        """
        try:
            return transaction()
        except sqlite3.OperationalError as error:
            # Python's own complaints, of text that is not UTF-8 for one, have no code.
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
            path = self._dsn.path.absolute()
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as writable:
                writable.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return transaction()

    def _open(self, *, create: bool) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        path = self._dsn.path.absolute()
        if not create and not path.exists():
            raise self.missing()
        if path.is_dir():
            raise DatabaseError(
                f"{self._dsn.label} is a folder, and no database. Correct the path in --dsn."
            )
        mode = "ro" if self._read_only else "rwc" if create else "rw"
        self._connection = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )
        return self._connection


def _transaction(
    db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T], *, write: bool
) -> T:
    db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        value = work(db)
        db.execute("COMMIT")
    except BaseException as error:
        _let_go(error)
        # SQLite has rolled back by itself after some errors, a full disk for one.
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    return value


def _let_go(error: BaseException | None) -> None:
    """End the queries that a fault broke off: in its frames they would keep the file locked.

    Even a closed connection lives on until they end.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
