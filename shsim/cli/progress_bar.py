"""The progress bar on a terminal's stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from shsim.cli.stages import STAGE_WORDS
from shsim.workflow.watch import Stage


class ProgressBar:
    """One line: the stage, how far it is, the largest exposure, items over, time left."""

    def __init__(self) -> None:
        console = Console(
            file=sys.stderr,
            force_terminal=True,
            color_system=None if os.environ.get("NO_COLOR") else "standard",
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[detail]}", markup=False),
            TimeRemainingColumn(compact=True),
            TextColumn("left", markup=False, style="progress.remaining"),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task: TaskID | None = None
        self._total = self._done = 0
        self._iterating = False
        self._progress.start()

    def stage(self, stage: Stage, total: int) -> None:
        """Show a stage in place of the one before."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._total, self._done = total, 0
        self._iterating = stage == "calibrating"
        self._task = self._progress.add_task(STAGE_WORDS[stage], total=total or None, detail="")
        # A short stage is over before the next of the regular frames.
        self._progress.refresh()

    def advance(self, done: int) -> None:
        """Move on within a stage."""
        if self._task is None:
            return
        self._done += done
        self._progress.update(self._task, advance=done)
        if not self._iterating:
            self._progress.update(self._task, detail=f"{self._done:,}/{self._total:,}")

    def iteration(self, largest: float, items_over: int) -> None:
        """Show what the last iteration found."""
        if self._task is None:
            return
        number = self._done + 1
        self._progress.update(
            self._task,
            detail=f"{number}/{self._total} at most, largest {largest:.4f}, over {items_over:,}",
            refresh=number == 1,
        )

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Off the screen, while something else is written there."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def stop(self) -> None:
        """Clear the line."""
        self._progress.stop()
