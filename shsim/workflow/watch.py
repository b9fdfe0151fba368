"""What a run tells whoever watches it; the front doors draw progress from it."""

from __future__ import annotations

from typing import Literal, Protocol

from shsim.model.results import IterationRecord
from shsim.storage.base import SaveOutcome
from shsim.storage.exam_waiting import Patience

Stage = Literal[
    "compiling", "before", "calibrating", "verifying", "simulating", "explaining", "sweeping"
]


class Watch(Protocol):
    """Called from the thread that runs the workflow, never from a worker."""

    def heed(self) -> None:
        """Raise KeyboardInterrupt, or `shsim.errors.Stopped`, to end the run here; else nothing.

        Asked ten times a second and between chunks of examinees, while there is work.
        """

    def stage(self, stage: Stage, total: int) -> None:
        """A stage begins; `total` is its iterations (calibrating) or examinees, 0 if unknown."""

    def advance(self, done: int) -> None:
        """So many more of the stage's total are done."""

    def iteration(self, record: IterationRecord, items_over: int) -> None:
        """An iteration of the calibration has ended."""

    def note(self, sentence: str) -> None:
        """Something the operator should read, whether or not anybody draws progress."""

    def warn(self, sentence: str) -> None:
        """Something that nobody may miss."""


class Silent:
    """Watches nothing."""

    def heed(self) -> None:
        """Go on."""

    def stage(self, stage: Stage, total: int) -> None:
        """Ignore."""

    def advance(self, done: int) -> None:
        """Ignore."""

    def iteration(self, record: IterationRecord, items_over: int) -> None:
        """Ignore."""

    def note(self, sentence: str) -> None:
        """Ignore."""

    def warn(self, sentence: str) -> None:
        """Ignore."""


SILENT = Silent()


def patience_of(seconds: float | None, watch: Watch) -> Patience | None:
    """Patience with another run that has the exam, whom the watcher is told of."""
    return None if seconds is None else Patience(seconds, watch.note)


def warn_of_commit(saved: SaveOutcome, watch: Watch) -> None:
    """Pass on what the database said of a COMMIT that stands, and yet not as it should."""
    if saved.warning is not None:
        watch.warn(saved.warning)
