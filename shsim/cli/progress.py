"""What a run says while it goes on: notes, warnings, and progress where somebody watches."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING

from shsim.cli.process import stop_if_interrupted
from shsim.cli.streams import say
from shsim.model.results import IterationRecord
from shsim.report.plain_text import visible_line
from shsim.workflow.watch import Stage

if TYPE_CHECKING:
    from shsim.cli.progress_bar import ProgressBar

_COMPILING = "compiling the kernels, as on the first run only"


class Narrator:
    """A `Watch` that writes to stderr; a context manager, which clears its progress bar.

    Parameters
    ----------
    quiet
        Say warnings only.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._drawing = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._bar: ProgressBar | None = None

    def __enter__(self) -> Narrator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the progress bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def stage(self, stage: Stage, total: int) -> None:
        """Begin a stage; compiling is said even where no progress is drawn."""
        stop_if_interrupted()
        if stage == "compiling" and not self._quiet:
            self.note(_COMPILING)
        if not self._drawing:
            return
        if self._bar is None:
            # rich costs 50 ms, which a pipe need not pay.
            from shsim.cli.progress_bar import ProgressBar

            self._bar = ProgressBar()
        self._bar.stage(stage, total)

    def advance(self, done: int) -> None:
        """So many more are done."""
        stop_if_interrupted()
        if self._bar is not None:
            self._bar.advance(done)

    def iteration(self, record: IterationRecord, items_over: int) -> None:
        """An iteration has ended."""
        stop_if_interrupted()
        if self._bar is not None:
            self._bar.iteration(record.max_exp, items_over)

    def note(self, sentence: str) -> None:
        """Say something unless the operator wants quiet."""
        if not self._quiet:
            self._say(sentence)

    def warn(self, sentence: str) -> None:
        """Say something that nobody may miss."""
        self._say(f"warning: {sentence}")

    def _say(self, sentence: str) -> None:
        line = visible_line(sentence)
        if self._bar is None:
            say(line)
        else:
            with self._bar.hidden():
                say(line)
