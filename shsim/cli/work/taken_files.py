"""Files that a run must not replace by what it writes: its database, and what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from shsim.cli.config_file import config_read
from shsim.cli.output_file import OutputFile
from shsim.cli.work.sources import Database, PoolRequest, named_database
from shsim.errors import DatabaseError, UsageError
from shsim.report.plain_text import visible_line
from shsim.report.render import DataFormat
from shsim.storage.ability_file import named_file
from shsim.storage.dsn import Dsn
from shsim.storage.embedded import embedded_dsn, embedded_path

#: What SQLite keeps beside a file, and what locks an exam there ends in.
_BESIDE, _LOCK = ("-journal", "-wal", "-shm"), ".lock"


R = TypeVar("R")


class OutputRequest(Database, Protocol):
    """The options of a command that writes a file."""

    @property
    def output(self) -> str | None:
        """The file."""


def output_asked(
    request: OutputRequest, render: Callable[[R, DataFormat], str], stack: ExitStack
) -> OutputFile[R] | None:
    """The file that `--output` names, if it does; `stack` sees it closed."""
    if request.output is None:
        return None
    refuse_taken("--output", request.output, request)
    return stack.enter_context(OutputFile(request.output, render))


def refuse_taken(option: str, path: str, request: Database) -> None:
    """Refuse to write over the database of the run, what lies beside it, or what is read.

    Parameters
    ----------
    option
        The option that names the file to write.
    path
        That file; a symbolic link's target is what would be replaced.

    Raises
    ------
    UsageError
        It is one of these.
    """
    with suppress(OSError, RuntimeError, ValueError):  # said where the file is opened
        target = Path(path).resolve()
        for taken, what in (*_database(request), *_read(request)):
            if _same(target, taken) or (what == _DATABASE and _beside(target, taken)):
                raise UsageError(
                    f"{option} {visible_line(path)} would replace {what}"
                    f" {visible_line(str(taken))}. Give another name."
                )


_DATABASE = "the database, or what lies beside it:"


def _database(request: Database) -> Iterator[tuple[Path, str]]:
    with suppress(UsageError, DatabaseError):  # said where it is opened
        dsn = Dsn.parse(named_database(request) or embedded_dsn(embedded_path()))
        if dsn.kind == "sqlite":
            yield dsn.path.resolve(), _DATABASE


def _read(request: Database) -> Iterator[tuple[Path, str]]:
    """The files that the options name to be read."""
    pool = None
    if isinstance(request, PoolRequest):
        with suppress(UsageError):
            pool = request.pool_file
    spelled = [named_file(getattr(request, name, None) or "") for name in ("theta", "prior")]
    for file, option in (
        (pool if pool != "-" else None, "--pool"),
        (getattr(request, "blueprint", None), "--blueprint"),
        (spelled[0], "--theta"),
        (spelled[1], "--prior"),
        (config_read(), "--config"),
    ):
        if file:
            yield Path(file), f"the file that {option} reads:"


def _same(target: Path, taken: Path) -> bool:
    try:
        return target.samefile(taken)
    except FileNotFoundError:
        return target == taken.resolve()


def _beside(target: Path, database: Path) -> bool:
    if target.parent != database.parent or not target.name.startswith(database.name):
        return False
    rest = target.name.removeprefix(database.name)
    return rest in _BESIDE or (rest.startswith(".") and rest.endswith(_LOCK))
