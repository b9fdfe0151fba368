"""A lock file beside a SQLite file: one run an exam, and who holds it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shsim.errors import DatabaseError
from shsim.storage.exam_waiting import Patience, take_exam
from shsim.storage.lock_file import acquire, holder, release


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
        handle = acquire(path)
        if handle is None:
            return holder(path)
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
        release(path, handles[0])
