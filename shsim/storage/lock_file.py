"""A lock on a file beside what it guards: taken or not at once, and it says who has it."""

from __future__ import annotations

import errno
import getpass
import os
import socket
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from shsim.errors import DatabaseError
from shsim.storage.left_over import is_left_over

#: Characters that a holder's description may have; anybody could have written more.
_LONGEST = 300

#: Bytes of zeros that may still be a holder's description; a file of more is another's.
_MOST_ZEROS = 4096

#: What every holder's description begins with.
_OURS = "by process "


def acquire(path: Path) -> int | None:
    """The locked file's descriptor, or None where another process has it.

    Raises
    ------
    OSError
        The file cannot be made.
    DatabaseError
        This system knows no such lock, or something else has the file's name: it stays as it is.
    """
    try:
        import fcntl
    except ImportError:
        raise DatabaseError(
            "shsim locks a file in a way that this system lacks. Use PostgreSQL here."
        ) from None
    while True:
        handle = _opened(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A holder that has just ended removed the file that we had opened.
            if _is_there(handle, path):
                _refuse_foreign(handle, path)
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


def _opened(path: Path) -> int:
    """The file, made where there is none; never what a symbolic link points to."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _foreign(path) from error
        raise


def _is_there(handle: int, path: Path) -> bool:
    return os.path.samestat(os.fstat(handle), path.lstat())


def _refuse_foreign(handle: int, path: Path) -> None:
    """What no shsim has written is neither emptied nor removed."""
    status = os.fstat(handle)
    plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
    if not plain or not _is_ours(os.pread(handle, _MOST_ZEROS + 1, 0)):
        raise _foreign(path)


def _is_ours(content: bytes) -> bool:
    """Whether a holder wrote this, or what is left of what one wrote."""
    # A longer file, of zeros to here, is another's.
    zeros = len(content) > _MOST_ZEROS and not content.strip(b"\0")
    return not zeros and is_left_over(content, _OURS.encode())


def _foreign(path: Path) -> DatabaseError:
    return DatabaseError(
        f"{path}, where the lock would be, is no lock file of shsim. Nothing was touched. See what"
        " it is, move it away and run again."
    )


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
        f"{_OURS}{os.getpid()} of user {user} on {socket.gethostname()},"
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
    with suppress(FileNotFoundError):
        if _is_there(handle, path):
            path.unlink()
    os.close(handle)
