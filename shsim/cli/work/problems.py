"""Everything that is wrong with a command, gathered so that it can be said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from shsim.cli.progress import Narrator
from shsim.cli.work.sources import PoolRequest, open_source
from shsim.errors import DatabaseError, DataError, UsageError
from shsim.model.settings import Settings
from shsim.workflow.run import load_checked

T = TypeVar("T")


class Problems:
    """What was found wrong so far, the command line before the data."""

    def __init__(self, usage: Iterable[str] = ()) -> None:
        self._usage = list(usage)
        self._data: list[str] = []
        self._database: list[str] = []

    def add(self, usage: str) -> None:
        """One more thing wrong with the command line."""
        self._usage.append(usage)

    def without(self, work: Callable[[], T]) -> T | None:
        """What `work` gives; None where it found something wrong, which is kept."""
        try:
            return work()
        except (UsageError, DataError, DatabaseError) as error:
            self._keep(error)
            return None

    def end_here(self, request: PoolRequest, settings: Settings) -> None:
        """Go on if nothing is wrong; else look at the settings and the pool too, and end.

        Raises
        ------
        UsageError
            Only the command line is wrong, in itself: whatever the data.
        DataError
            Data are, or settings that they cannot meet; perhaps beside the command line.
        """
        contents = set(settings.delivery.content_problems())
        for problem in settings.problems():
            (self._data if problem in contents else self._usage).append(problem)
        if not (self._usage or self._data):
            return
        self.without(lambda: _look_at_pool(request, settings))
        everything = dict.fromkeys([*self._usage, *self._database, *self._data])
        # Whoever looks at the pool meets the settings' problems once more.
        if set(self._data) - set(self._usage):
            raise DataError(list(everything))
        raise UsageError("\n".join(everything))

    def _keep(self, error: UsageError | DataError | DatabaseError) -> None:
        if isinstance(error, DataError):
            self._data.extend(error.problems)
        elif isinstance(error, UsageError):
            self._usage.append(str(error))
        else:
            self._database.append(str(error))


def _look_at_pool(request: PoolRequest, settings: Settings) -> None:
    """Load the pool for what is wrong with it; nothing is written, nor said."""
    with open_source(request, Narrator(quiet=True), read_only=True) as source:
        load_checked(source.load, settings)
