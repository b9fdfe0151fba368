"""What a run says while it goes on: notes, warnings, milestones, and progress to a watcher."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from shsim.cli.log_lines import Level, log, speaks_json
from shsim.cli.process import stop_if_interrupted
from shsim.cli.stages import STAGE_WORDS
from shsim.cli.streams import one_terminal, say
from shsim.model.results import IterationRecord
from shsim.report.plain_text import visible_line
from shsim.workflow.watch import Stage

if TYPE_CHECKING:
    from shsim.cli.progress_bar import ProgressBar

_COMPILING = "compiling the kernels, as on the first run of each kind"


def seen_in_table(form: str) -> bool:
    """Whether a verdict stands in the table above what stderr says, and needs no repeating."""
    return form == "table" and one_terminal() and not speaks_json()


class Narrator:
    """A `Watch` that writes to stderr; a context manager, which clears its progress bar.

    Parameters
    ----------
    quiet
        Say warnings only.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        watched = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawing = watched and not quiet and not speaks_json()
        self._bar: ProgressBar | None = None
        self._told: set[str] = set()
        self._awaiting: list[str] = []

    def __enter__(self) -> Narrator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._awaiting.clear()
        self.clear()

    def clear(self) -> None:
        """Take the progress bar away; the work is done."""
        self._say_awaiting()
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def heed(self) -> None:
        """End the run on an interrupt, even one that foreign code has swallowed."""
        stop_if_interrupted()

    def stage(self, stage: Stage, total: int) -> None:
        """Begin a stage; compiling is said even where no progress is drawn."""
        self._say_awaiting()
        if speaks_json():
            words = _COMPILING if stage == "compiling" else STAGE_WORDS[stage]
            self.milestone("stage", words, stage=stage, total=total)
        elif stage == "compiling":
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
        if self._bar is not None:
            self._bar.advance(done)

    def iteration(self, record: IterationRecord, items_over: int) -> None:
        """An iteration has ended."""
        if self._bar is not None:
            self._bar.iteration(record.max_exp, items_over)
        self.milestone(
            "iteration",
            f"iteration {record.iter}: largest {record.max_exp:.4f}, over {items_over:,}",
            iter=record.iter,
            max_exposure=record.max_exp,
            items_over=items_over,
        )

    def note(self, sentence: str) -> None:
        """Say something unless the operator wants quiet."""
        if self._quiet:
            return
        if speaks_json():
            self._once("info", "note", sentence)
        else:
            self._say(sentence)

    def note_of_work(self, sentence: str) -> None:
        """Say something once the work has begun: of a run that is refused it would be idle."""
        self._awaiting.append(sentence)

    def warn(self, sentence: str) -> None:
        """Say something that nobody may miss."""
        if speaks_json():
            self._once("warning", "warning", sentence)
        else:
            self._say(f"warning: {sentence}")

    def milestone(self, event: str, sentence: str, *, level: Level = "info", **fields: Any) -> None:
        """Tell a program how far the run is; people see it on the bar, or in the summary."""
        if speaks_json() and (not self._quiet or level != "info"):
            log(level, event, sentence, fields)
            self._told.add(sentence)

    def _say_awaiting(self) -> None:
        while self._awaiting:
            self.note(self._awaiting.pop(0))

    def _once(self, level: Level, event: str, sentence: str) -> None:
        """A sentence that came with a milestone's fields is not said again without them."""
        if sentence not in self._told:
            log(level, event, sentence)

    def _say(self, sentence: str) -> None:
        line = visible_line(sentence)
        if self._bar is None:
            say(line)
        else:
            with self._bar.hidden():
                say(line)
