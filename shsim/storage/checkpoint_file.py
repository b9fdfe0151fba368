"""The file of a checkpoint: replaced whole, read back to the same bytes, or refused.

A line ``shsim checkpoint 1``, the SHA-256 of all that follows, a line of JSON, and the
arrays that it lists as little-endian numbers. Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from shsim.arrays import AnyArray
from shsim.errors import DatabaseError, DataError
from shsim.model.checkpoint import Checkpoint, IterationState, RunIdentity
from shsim.model.results import Accuracy, IterationRecord, Lengths, Measures, Uncontrolled
from shsim.storage.lock_file import acquire, holder, release
from shsim.storage.typed_fields import well_typed

_MAGIC, _VERSION = b"shsim checkpoint ", b"1"

#: The arrays in their order, and how their numbers are written.
_ARRAYS = (("k", "<f8"), ("log_sum", "<f8"), ("seen", "<i8"))

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
    which a killed run may leave behind, with the lock file, and the next one takes over.

    Parameters
    ----------
    path
        As the user names it. A symbolic link stays, its target is replaced.

    Raises
    ------
    DataError
        The file cannot be written, or is there and is no checkpoint: found before any work.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.target = Path(path).resolve()
            self._staged = self.target.with_name(f".{self.target.name}.shsim-tmp")
            self._lock = self.target.with_name(f".{self.target.name}.shsim-lock")
            self._refuse_foreign()
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
        with self.target.open("rb") as file:
            head = file.read(len(_MAGIC))
        # A file that was cut off, to nothing even, is still ours to replace.
        if not _MAGIC.startswith(head):
            raise DataError(
                f"--checkpoint {self.path}: it is there already and is no checkpoint of shsim,"
                f" or its first line is damaged. {_NEW_NAME}"
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
        try:
            self._stage(encoded(checkpoint))
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
        self._staged.unlink(missing_ok=True)

    def _stage(self, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(self._staged, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def reason(error: BaseException) -> str:
    """What the operating system says."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def encoded(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as the bytes of its file."""
    state = checkpoint.state
    arrays = [np.ascontiguousarray(getattr(state, name), kind) for name, kind in _ARRAYS]
    header = {
        "identity": asdict(checkpoint.identity),
        "origin": checkpoint.origin,
        "done": state.done,
        "averaged": state.averaged,
        "examinees": state.examinees,
        "stopped": state.stopped,
        "items": len(state.k),
        "arrays": _ARRAYS,
        "before": asdict(checkpoint.before),
        # JSON writes the shortest decimals that read back to the same float.
        "history": [list(asdict(record).values()) for record in state.history],
    }
    body = json.dumps(header).encode() + b"\n" + b"".join(array.tobytes() for array in arrays)
    return b"\n".join((_MAGIC + _VERSION, hashlib.sha256(body).hexdigest().encode(), body))


def decoded(content: bytes) -> Checkpoint:
    """The checkpoint in a file's bytes.

    Raises
    ------
    ValueError
        They are not what :func:`encoded` made; the message is half a sentence.
    """
    first, _, rest = content.partition(b"\n")
    if not first.startswith(_MAGIC):
        cut = _MAGIC.startswith(first)
        raise ValueError("it is cut off" if cut else "it is no checkpoint of shsim")
    version = first.removeprefix(_MAGIC)
    if version != _VERSION and rest:
        raise ValueError(
            f"it is of format {version[:20].decode('ascii', 'replace')!r},"
            f" and this version of shsim reads format {_VERSION.decode()}"
        )
    checksum, _, body = rest.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        raise ValueError("it is cut off or damaged")
    try:
        return _understood(body)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("its content makes no sense") from error


def _understood(body: bytes) -> Checkpoint:
    """The checkpoint in what stands under the checksum."""
    line, _, numbers = body.partition(b"\n")
    header = json.loads(line)
    size = header["items"]
    if header["arrays"] != [list(pair) for pair in _ARRAYS]:
        raise ValueError("other arrays")
    if len(numbers) != sum(np.dtype(kind).itemsize for _, kind in _ARRAYS) * size:
        raise ValueError("another number of items")
    arrays: dict[str, AnyArray] = {}
    at = 0
    for name, kind in _ARRAYS:
        column = np.frombuffer(numbers, kind, size, at)
        arrays[name] = column.astype(column.dtype.newbyteorder("="))
        at += column.nbytes
    state = IterationState(
        done=header["done"],
        averaged=header["averaged"],
        examinees=header["examinees"],
        history=tuple(IterationRecord(*record) for record in header["history"]),
        stopped=header["stopped"],
        **arrays,
    )
    identity = RunIdentity(**header["identity"])
    found = Checkpoint(identity, _measures(header["before"]), header["origin"], state)
    if not well_typed(found) or min(state.done, state.averaged, state.examinees) < 0:
        raise ValueError("another kind of value")
    return found


def _measures(plain: Mapping[str, Any]) -> Measures:
    """Measures as `asdict` took them apart; JSON made lists of their tuples."""
    found = dict(_tuples(plain))
    if found["lengths"] is not None:
        found["lengths"] = Lengths(**_tuples(found["lengths"]))
    if found["accuracy"] is not None:
        found["accuracy"] = Accuracy(**_tuples(found["accuracy"]))
    if found["uncontrolled"] is not None:
        found["uncontrolled"] = _uncontrolled(found["uncontrolled"])
    return Measures(**found)


def _uncontrolled(plain: Mapping[str, Any]) -> Uncontrolled:
    found = dict(plain)
    if found["accuracy"] is not None:
        found["accuracy"] = Accuracy(**_tuples(found["accuracy"]))
    return Uncontrolled(**found)


def _tuples(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) for name, value in plain.items()}


def _tuple(value: Any) -> Any:
    return tuple(_tuple(inner) for inner in value) if isinstance(value, list) else value
