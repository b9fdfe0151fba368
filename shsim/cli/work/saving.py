"""What had been saved when a run was interrupted, so that the message can be true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Protocol

from shsim.cli.output_file import OutputFile
from shsim.cli.process import stop_if_interrupted
from shsim.errors import DataError, Interruption, UsageError
from shsim.model.results import CalibrationResult

_OUTCOMES = {
    "computing": "nothing was saved",
    "saving": "it was saving, and the database holds all of the new k or none."
    " See which with: shsim export",
    "saved": "the new k had been saved already",
    "written": "the file had been written already",
}


class WaitingRequest(Protocol):
    """The options about waiting for an exam that another run has."""

    @property
    def dry_run(self) -> bool:
        """Whether nothing is saved, and so nothing locked."""

    @property
    def typed(self) -> frozenset[str]:
        """What stood on the command line."""


def needless_waiting(request: WaitingRequest) -> Iterator[str]:
    """`--wait` where nothing is waited for."""
    if request.dry_run and "wait" in request.typed:
        yield (
            "--wait waits for another run's end in order to save, and --dry-run does not save."
            " Give one of them."
        )


def refuse_waiting(request: WaitingRequest) -> None:
    """Raise for a `--wait` that would be ignored."""
    for problem in needless_waiting(request):
        raise UsageError(problem)


class Saving:
    """The `Output` of a calibration, which follows the save because it stands on both sides.

    A context manager: it adds to an interrupt what had been saved before.

    Parameters
    ----------
    output
        The file to write, if one was asked for.
    saves
        Whether the database is written at all.
    """

    def __init__(self, output: OutputFile[CalibrationResult] | None, *, saves: bool) -> None:
        self._output = output
        self._saves = saves
        self._state = "computing"
        self._result: CalibrationResult | None = None

    def __enter__(self) -> Saving:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise Interruption(_OUTCOMES[self._state]) from error

    def stage(self, result: CalibrationResult) -> None:
        """Write the file under a temporary name; the save comes next."""
        stop_if_interrupted()
        if self._output is not None:
            self._output.stage(result)
            self._result = result
        if self._saves:
            self._state = "saving"

    def publish(self, run: int | None = None, /) -> None:
        """Give the file its name; the save is done, and is `run` in the ledger."""
        if self._saves:
            self._state = "saved"
        if self._output is None:
            return
        if run is not None and self._result is not None and self._output.tells_the_run:
            # What is staged already is whole but for the run's number, and stays if this fails.
            with suppress(DataError):
                self._output.stage(replace(self._result, run=run))
        try:
            self._output.publish()
        except DataError as error:
            if self._saves:
                raise DataError([*error.problems, "The new k had been saved before."]) from error
            raise
        if not self._saves:
            self._state = "written"
