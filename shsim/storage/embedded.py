"""The embedded default: a SQLite file of the user's, with DEMO-EXAM in it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from shsim.errors import DatabaseError
from shsim.storage.dsn import Dsn


def embedded_path() -> Path:
    """Where the embedded database lies, whether it exists yet or not.

    Under `XDG_DATA_HOME` where it is set to an absolute path, as its specification
    demands; else where the system keeps a user's data.
    """
    chosen = os.environ.get("XDG_DATA_HOME", "")
    if Path(chosen).is_absolute():
        return Path(chosen) / "shsim" / "shsim.sqlite"
    try:
        home = Path.home()
    except RuntimeError as error:
        raise DatabaseError(
            "There is no home directory to keep the embedded database in."
            " Set HOME or XDG_DATA_HOME, or give --dsn."
        ) from error
    data = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "share")
    return home.joinpath(*data, "shsim", "shsim.sqlite")


def embedded_dsn(path: Path) -> str:
    """The spelling of `--dsn` that names the file."""
    return f"sqlite:///{path}"


def make_embedded(path: Path) -> bool:
    """Make the embedded database with DEMO-EXAM in it; False if it is there already.

    It is built under another name and appears whole: a first run that is interrupted,
    or meets another first run, leaves no half-made file.
    """
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".making-") as folder:
            draft = Path(folder) / path.name
            _build(draft)
            return _publish(draft, path)
    except OSError as error:
        raise DatabaseError(
            f"The embedded database {path} cannot be made: {error.strerror}."
            " Check the folder, set XDG_DATA_HOME, or give --dsn."
        ) from error


def _build(draft: Path) -> None:
    from shsim.storage.sqlite import SqliteStore

    store = SqliteStore(Dsn("sqlite", label=str(draft), path=draft), read_only=False)
    try:
        store.create_tables()
        store.add_demo()
    finally:
        store.close()


def _publish(draft: Path, path: Path) -> bool:
    """Give the file its name, unless another run has been quicker."""
    try:
        # Unlike renaming, linking never replaces a file, which may hold saved k by now.
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:
        # A file system without links; the race that is left is that of two first runs.
        if path.exists():
            return False
        draft.replace(path)
    return True
