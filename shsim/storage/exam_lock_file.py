"""A lock file beside a SQLite file: one run an exam, and who holds it."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from shsim.errors import DatabaseError
from shsim.storage.exam_waiting import Patience, take_exam

#: Characters that a holder's description may have; anybody could have written more.
_LONGEST = 300


def lock_path(database: Path, exam: str) -> Path:
    """The exam's lock file: readable, and different for every exam."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", exam)[:40]
    digest = hashlib.sha256(exam.encode()).hexdigest()[:8]
    return database.with_name(f"{database.name}.{readable}-{digest}.lock")


@contextmanager
def locked(path: Path, exam: str, label: str, patience: Patience | None = None) -> Iterator[None]:
    """Hold the lock file, which vanishes with the lock; wait for it with `patience`.

    Raises
    ------
    ExamBusyError
        Another run holds it, and is named.
    DatabaseError
        The folder cannot be written.
    """
    handles: list[int] = []

    def take() -> str | None:
        handle = _acquire(path)
        if handle is None:
            return _holder(path)
        handles.append(handle)
        return None

    try:
        take_exam(exam, label, take, patience)
    except OSError as error:
        raise DatabaseError(
            f"{label}: the lock file {path} cannot be made: {error.strerror}."
            " Check the folder's permissions, or run with --dry-run."
        ) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handles[0])


def _acquire(path: Path) -> int | None:
    """The locked file's descriptor, or None where another process has it."""
    try:
        import fcntl
    except ImportError:
        raise DatabaseError(
            "shsim locks a SQLite file in a way that this system lacks. Use PostgreSQL here."
        ) from None
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A holder that has just ended removed the file that we had opened.
            if os.path.samestat(os.fstat(handle), path.stat()):
                _sign(handle, path)
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _sign(handle: int, path: Path) -> None:
    """Say in the file whose it is; where there is no room to, the file goes too."""
    try:
        os.ftruncate(handle, 0)
        os.write(handle, _ourselves().encode())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _ourselves() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return (
        f"by process {os.getpid()} of user {user} on {socket.gethostname()},"
        f" since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    )


def _holder(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(_LONGEST).strip() or "by another process"
    except OSError:
        return "by a process that has just ended"
