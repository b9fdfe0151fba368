"""What had been saved when a run was interrupted, so that the message can be true."""

from __future__ import annotations

from types import TracebackType

from shsim.cli.output_file import OutputFile
from shsim.cli.process import Interruption, stop_if_interrupted
from shsim.errors import DataError
from shsim.model.results import CalibrationResult

_OUTCOMES = {
    "computing": "nothing was saved",
    "saving": "it was saving, and the database holds all of the new k or none."
    " See which with: shsim export",
    "saved": "the new k had been saved already",
    "written": "the file had been written already",
}


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
        if self._saves:
            self._state = "saving"

    def publish(self) -> None:
        """Give the file its name; the save is done."""
        if self._saves:
            self._state = "saved"
        if self._output is None:
            return
        try:
            self._output.publish()
        except DataError as error:
            if self._saves:
                raise DataError([*error.problems, "The new k had been saved before."]) from error
            raise
        if not self._saves:
            self._state = "written"
