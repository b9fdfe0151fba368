"""The file of a checkpoint: replaced whole, read back to the same bytes, or refused."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from shsim.errors import DatabaseError, DataError
from shsim.model.checkpoint import Checkpoint
from shsim.storage.checkpoint_format import MAGIC, decoded, encoded
from shsim.storage.left_over import is_left_over
from shsim.storage.lock_file import acquire, holder, release

#: Enough to show that a file can be written, and there is room for the smallest.
_PROBE = bytes(4096)

_NEW_NAME = "Give a --checkpoint that is a new name in a folder that can be written."
_ANEW = "--or-anew starts anew and replaces it; or give another FILE."


class UselessCheckpointError(DataError):
    """What a file holds cannot be gone on with; `fault` says why, without the remedy."""

    def __init__(self, fault: str, remedy: str = _ANEW) -> None:
        super().__init__(f"{fault}. {remedy}")
        self.fault = fault


class CheckpointFile:
    """One file that is replaced again and again while a run goes on; a context manager.

    Whoever has entered it is alone with it. It is staged under a name of its own beside it,
    which a killed run may leave behind, with the lock file, and the next one takes over. What
    stands under that name and is no checkpoint is another's, and stays.

    Parameters
    ----------
    path
        As the user names it. A symbolic link stays, its target is replaced.

    Raises
    ------
    DataError
        The file cannot be written, or it, or what is staged, is there and is no checkpoint:
        found before any work.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.target = Path(path).resolve()
            self._staged = self.target.with_name(f".{self.target.name}.shsim-tmp")
            self._lock = self.target.with_name(f".{self.target.name}.shsim-lock")
            self._refuse_foreign()
            with suppress(FileNotFoundError):
                self._refuse_foreign_staged()
            with suppress(FileNotFoundError):
                self._lock.lstat()  # a name can be too long
            # Not under the staged name: that may be in use by a run that is still going on.
            with tempfile.TemporaryFile(dir=self.target.parent) as file:
                file.write(_PROBE)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"--checkpoint {path}: {reason(error)}. {_NEW_NAME}") from error

    def __enter__(self) -> CheckpointFile:
        """Take the file for this run alone.

        Raises
        ------
        DataError
            Another run has it, or the lock cannot be made.
        """
        try:
            handle = acquire(self._lock)
        except OSError as error:
            fault = f"its lock {self._lock.name}: {reason(error)}"
            raise DataError(f"--checkpoint {self.path}: {fault}. {_NEW_NAME}") from error
        except DatabaseError as error:
            raise DataError(f"--checkpoint {self.path}: {error}") from error
        if handle is None:
            raise DataError(
                f"--checkpoint {self.path}: it is held {holder(self._lock)}. Give each run a file"
                " of its own, or run again when that run has ended."
            )
        self._handle = handle
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        release(self._lock, self._handle)

    def _refuse_foreign(self) -> None:
        """What is not ours is neither read nor replaced."""
        try:
            status = self.target.stat()
        except FileNotFoundError:
            return
        if not stat.S_ISREG(status.st_mode):
            raise DataError(
                f"--checkpoint {self.path}: it is there already and is no plain file. {_NEW_NAME}"
            )
        # A file that was cut off, to nothing even, is still ours to replace.
        if not _is_ours(self.target):
            raise DataError(
                f"--checkpoint {self.path}: it is there already and is no checkpoint of shsim,"
                f" or its first line is damaged. {_NEW_NAME}"
            )

    def _refuse_foreign_staged(self) -> None:
        if not _is_staged(self._staged):
            raise DataError(
                f"--checkpoint {self.path}: {self._staged.name}, which it is written to before it"
                f" gets its name, is there already and is no checkpoint of shsim. {_NEW_NAME}"
            )

    def read(self) -> Checkpoint | None:
        """What was written last; None where there is no file.

        Raises
        ------
        UselessCheckpointError
            It is damaged, or another version of shsim wrote it.
        DataError
            It cannot be read.
        """
        try:
            content = self.target.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DataError(f"--checkpoint {self.path}: {reason(error)}. {_ANEW}") from error
        try:
            return decoded(content)
        except ValueError as error:
            raise UselessCheckpointError(f"--checkpoint {self.path}: {error}") from error

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the file, down to the disk.

        Raises
        ------
        OSError
            It cannot be written; what stood there still stands there.
        """
        content = encoded(checkpoint)
        self._clear_staged()
        # What has come under that name meanwhile is not ours: this refuses it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(self._staged, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._staged.replace(self.target)
        except BaseException:
            with suppress(OSError):
                self._staged.unlink()  # on a full disk it would only be in the way
            raise
        with suppress(OSError):  # not every file system can
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def remove(self) -> None:
        """Take the file away, and what a killed run may have staged."""
        self.target.unlink(missing_ok=True)
        self._clear_staged()

    def _clear_staged(self) -> None:
        """Take away what a killed run has staged; never opened to write, as it may be a link."""
        with suppress(FileNotFoundError):
            if _is_staged(self._staged):
                self._staged.unlink()


def _is_ours(path: Path) -> bool:
    """Whether a file is, or begins as, a checkpoint."""
    begins = _beginning(path)
    return begins is not None and MAGIC.startswith(begins)


def _is_staged(path: Path) -> bool:
    """Whether a file is what a run that was ended may have staged."""
    begins = _beginning(path)
    return begins is not None and is_left_over(begins, MAGIC)


def _beginning(path: Path) -> bytes | None:
    """The first bytes of a plain file; a link is not followed, nor a pipe read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(len(MAGIC))


def reason(error: BaseException) -> str:
    """What the operating system says."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
