"""Which database, exam or file a run takes its items from."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shsim.cli.log_lines import bind
from shsim.cli.progress import Narrator
from shsim.errors import DatabaseError, DataError, UsageError
from shsim.model.item_pool import ItemPool
from shsim.report.blotted import blotted
from shsim.report.plain_text import visible_line
from shsim.storage.base import Store
from shsim.storage.csv_file import read_pool
from shsim.storage.demo import DEMO_EXAM, demo_pool
from shsim.storage.dsn import Dsn
from shsim.storage.embedded import embedded_dsn, embedded_path, make_embedded
from shsim.storage.needs import OWNING, READING, Needs
from shsim.storage.open import open_store

#: Exams named in a message; the rest is counted.
_NAMED = 20


class Database(Protocol):
    """The option that names a database."""

    @property
    def dsn(self) -> str | None:
        """`--dsn`, from wherever it is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRequest:
    """Options that every command with a database has."""

    dsn: str | None
    quiet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRequest(DatabaseRequest):
    """Options that say where a run's items come from; `typed` stood on the command line."""

    exam: str | None
    pool: str | None
    typed: frozenset[str]

    @property
    def pool_file(self) -> str | None:
        """The file to take the pool from: what was typed beats what was set elsewhere.

        Raises
        ------
        UsageError
            A file and a database were both typed.
        """
        rivals = [f"--{name}" for name in ("exam", "dsn") if name in self.typed]
        if self.pool is None or ("pool" not in self.typed and rivals):
            return None
        if rivals:
            raise UsageError(
                f"--pool takes the items from a file, and {' and '.join(rivals)} from a database."
                " Give one or the other."
            )
        return self.pool


@dataclass(frozen=True, slots=True)
class Source:
    """Where the items come from: an exam in a database, or (`store` is None) a pool at hand."""

    name: str
    store: Store | None
    pool: ItemPool | None

    def load(self) -> ItemPool:
        """Read the items."""
        if self.store is not None:
            return self.store.load_pool(self.name)
        if self.pool is not None:
            return self.pool
        return read_file(self.name)


def as_typed(request: PoolRequest, source: Source) -> str:
    """The options that name the source, as they are typed; none for the demo exam."""
    if source.store is None:
        return "" if source.pool is not None else f"--pool {shlex.quote(source.name)}"
    words = ["--exam", shlex.quote(source.name)]
    if request.dsn is not None and request.dsn != os.environ.get("SHSIM_DSN"):
        secret = blotted(request.dsn) != request.dsn
        words += ["--dsn", shlex.quote(source.store.label if secret else request.dsn)]
    return " ".join(words)


@contextmanager
def open_source(
    request: PoolRequest, narrator: Narrator, *, read_only: bool, needs: Needs = READING
) -> Iterator[Source]:
    """The source that a request names; its database is closed on the way out.

    `read_only` and `needs` are those of :func:`open_database`.
    """
    file = request.pool_file
    if file is not None:
        bind(pool=file)
        yield Source(file, None, None)
        return
    bind(exam=request.exam)
    new = named_database(request) is None and not embedded_path().exists()
    if new and request.exam not in {None, DEMO_EXAM}:
        raise DataError(
            f"--exam {request.exam}: no --dsn is given and neither SHSIM_DSN nor DATABASE_URL is"
            f" set, and without a database there is only {DEMO_EXAM}. Name the database, or leave"
            " --exam out."
        )
    if new and read_only:
        narrator.note("there is no database yet: taking the demo exam, in memory")
        demo = demo_pool()
        bind(exam=demo.name)
        yield Source(demo.name, None, demo)
        return
    with open_database(request, narrator, read_only=read_only, needs=needs) as store:
        yield Source(require_exam(request, request.exam, store, narrator), store, None)


@contextmanager
def open_database(
    request: DatabaseRequest, narrator: Narrator, *, read_only: bool, needs: Needs = OWNING
) -> Iterator[Store]:
    """The database that a request, the environment or the default names, and say which.

    Parameters
    ----------
    read_only
        Nothing can be written through it.
    needs
        What will be done in it: all that the user may not do is said at once.

    Raises
    ------
    DatabaseError
        It is out of reach, or does not permit what is needed.
    """
    dsn = understood_dsn(request)
    if dsn is not None and isinstance(request, PoolRequest) and "dsn" in request.typed:
        _teach_about_passwords(dsn, narrator)
    made = dsn is None and make_embedded(embedded_path())
    store = open_store(dsn or embedded_dsn(embedded_path()), read_only=read_only)
    try:
        if dsn is None and not (made or read_only):
            _keep_up_to_date(store)
        narrator.note(f"database {visible_line(store.label)}")
        if made:
            narrator.note(f"it is new, made on first use with the exam {DEMO_EXAM} in it")
        if needs:
            store.require_privileges(needs)
        yield store
    finally:
        store.close()


def _keep_up_to_date(store: Store) -> None:
    """Give an embedded database of an older shsim its ledger; a user's own needs `db init`."""
    with suppress(DatabaseError):  # what hinders it is said where a run is to be recorded
        if store.ledger.state().lack is not None:
            store.create_tables()


def named_database(request: Database) -> str | None:
    """`--dsn` from wherever it is set, else DATABASE_URL, else None: the embedded default."""
    if request.dsn is not None:  # an empty one is refused: "$DB" may have been meant
        return request.dsn
    return os.environ.get("DATABASE_URL") or None


def understood_dsn(request: DatabaseRequest) -> str | None:
    """The database's name; a bad one is refused under the name it was set by."""
    dsn = named_database(request)
    try:
        if dsn is not None:
            Dsn.parse(dsn)
    except UsageError as error:
        if request.dsn is not None:
            raise
        raise UsageError(str(error).replace("--dsn", "DATABASE_URL", 1)) from None
    return dsn


def require_exam(
    request: DatabaseRequest, exam: str | None, store: Store, narrator: Narrator
) -> str:
    """The exam asked for, or the only one of the embedded database; the log names it from here.

    Raises
    ------
    UsageError
        No exam was named and there is a choice; it names the exams there are.
    """
    if exam is not None:
        bind(exam=exam)
        return exam
    exams = store.exams()
    if named_database(request) is None and len(exams) == 1:
        only = next(iter(exams))
        narrator.note(f"exam {visible_line(only)}, the only one in it")
        bind(exam=only)
        return only
    raise UsageError(exam_needed(exams))


def exam_needed(exams: dict[str, int]) -> str:
    """The message for a missing `--exam`."""
    if not exams:
        return (
            "--exam is needed, and the database publishes no exam."
            " Fill one with: shsim import FILE --exam CODE, or: shsim db demo"
        )
    named = [f"{visible_line(exam)} ({count:,} items)" for exam, count in exams.items()][:_NAMED]
    more = len(exams) - len(named)
    return f"--exam is needed. There are: {', '.join(named)}{f' and {more} more' if more else ''}."


def _teach_about_passwords(dsn: str, narrator: Narrator) -> None:
    """A password on the command line was in the process list: name the other ways."""
    if {"password", "sslpassword"} & set(Dsn.parse(dsn).parameters):
        narrator.note(
            "the password in --dsn stood in the process list, for everybody to read, until shsim"
            " had started, and may stand in the shell's history;"
            " PGPASSFILE (~/.pgpass), PGPASSWORD or SHSIM_DSN keep it out"
        )


def read_file(path: str) -> ItemPool:
    """The pool in a file, or on stdin."""
    return read_pool(sys.stdin.buffer) if path == "-" else read_pool(Path(path))


def file_label(path: str) -> str:
    """A file as messages name it."""
    return "stdin" if path == "-" else visible_line(str(Path(path)))
