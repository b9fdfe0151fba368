"""`--output`: a file that is replaced whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Generic, TypeVar

from shsim.errors import DataError, UsageError
from shsim.report.render import DataFormat

R_contra = TypeVar("R_contra", contravariant=True)

_FORMATS: dict[str, DataFormat] = {".csv": "csv", ".json": "json"}


class OutputFile(Generic[R_contra]):
    """Stages a result under a temporary name beside the target, and renames it to publish.

    A context manager: what was staged and not published is removed on the way out. A
    symbolic link stays, its target is replaced; a file's mode is kept.

    Parameters
    ----------
    path
        FILE.csv or FILE.json.
    render
        The result as text, in the format that the suffix names.

    Raises
    ------
    UsageError
        The suffix is another one.
    DataError
        The file cannot be written; found before any work is done.
    """

    def __init__(self, path: str, render: Callable[[R_contra, DataFormat], str]) -> None:
        suffix = Path(path).suffix.lower()
        if suffix not in _FORMATS:
            raise UsageError(f"--output {path}: the name must end in .csv or .json.")
        self.path = path
        self._format = _FORMATS[suffix]
        self._render = render
        self._staged: Path | None = None
        try:
            self._target = Path(path).resolve()
            self._mode = _mode(self._target, path)
            # Trying is the only test that a read-only file system and root cannot fool.
            with tempfile.TemporaryFile(dir=self._target.parent):
                pass
        except (OSError, RuntimeError) as error:
            raise DataError(f"--output {path}: {_reason(error)}. {_REMEDY}") from error

    def __enter__(self) -> OutputFile[R_contra]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    def _drop(self) -> None:
        """Remove what was staged and not published."""
        if self._staged is not None:
            with suppress(OSError):
                self._staged.unlink()
            self._staged = None

    @property
    def tells_the_run(self) -> bool:
        """Whether the format has a place for the run's number in the ledger."""
        return self._format == "json"

    def stage(self, result: R_contra) -> None:
        """Write everything under a temporary name, down to the disk.

        What was staged before stays staged if this fails.
        """
        text = self._render(result, self._format)
        staged = self._target.parent / f".shsim-{secrets.token_hex(6)}.tmp"
        before, self._staged = self._staged, staged
        try:
            self._write(staged, text)
        except BaseException:
            self._drop()
            self._staged = before
            raise
        if before is not None:
            before.unlink(missing_ok=True)

    def _write(self, staged: Path, text: str) -> None:
        try:
            descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                if self._mode is not None:
                    os.fchmod(descriptor, self._mode)
                file.write(text)
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            raise DataError(f"--output {self.path}: {_reason(error)}. {_REMEDY}") from error

    def publish(self, _run: int | None = None, /) -> None:
        """Give the file its name; what is staged tells the run's number, if any."""
        if self._staged is None:
            return
        try:
            self._staged.replace(self._target)
            self._staged = None
            _sync_folder(self._target.parent)
        except OSError as error:
            raise DataError(f"--output {self.path}: {_reason(error)}. {_REMEDY}") from error


_REMEDY = "Give a --output in a folder that exists and can be written."


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _mode(target: Path, path: str) -> int | None:
    """The permissions of the file that will be replaced, if there is one."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"--output {path}: it is there already and is no plain file. {_REMEDY}")
    return stat.S_IMODE(status.st_mode)


def _sync_folder(folder: Path) -> None:
    """Make the renaming last through a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
