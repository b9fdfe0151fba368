"""A lock on a file beside what it guards: taken or not at once, and it says who has it."""

from __future__ import annotations

import getpass
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from shsim.errors import DatabaseError

#: Characters that a holder's description may have; anybody could have written more.
_LONGEST = 300


def acquire(path: Path) -> int | None:
    """The locked file's descriptor, or None where another process has it.

    Raises
    ------
    OSError
        The file cannot be made.
    DatabaseError
        This system knows no such lock.
    """
    try:
        import fcntl
    except ImportError:
        raise DatabaseError(
            "shsim locks a file in a way that this system lacks. Use PostgreSQL here."
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


def holder(path: Path) -> str:
    """Who has the lock, as `by process 12 of user cron on host, since ...`."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(_LONGEST).strip() or "by another process"
    except OSError:
        return "by a process that has just ended"


def release(path: Path, handle: int) -> None:
    """Give it back; the file vanishes while it is still ours."""
    path.unlink(missing_ok=True)
    os.close(handle)
