"""From `--checkpoint` and `--resume` to where a run's state is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from shsim.cli.progress import Narrator
from shsim.cli.work.sources import Database
from shsim.cli.work.taken_files import refuse_taken
from shsim.errors import Interruption
from shsim.report.plain_text import visible_line
from shsim.storage.checkpoint_file import CheckpointFile, UselessCheckpointError
from shsim.workflow.checkpoints import Checkpoints


class CheckpointRequest(Database, Protocol):
    """The options about checkpoints, and those that bear on them."""

    @property
    def checkpoint(self) -> str | None:
        """The file."""

    @property
    def resume(self) -> bool:
        """Whether to go on with what stands there."""

    @property
    def or_anew(self) -> bool:
        """Whether to start anew where that cannot be gone on with."""

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be saved."""

    @property
    def method(self) -> str | None:
        """The update rule."""

    @property
    def output(self) -> str | None:
        """The file that the result goes to."""


def checkpoint_conflicts(request: CheckpointRequest) -> Iterator[str]:
    """What cannot go together."""
    if request.checkpoint is None:
        if request.resume:
            yield "--resume goes on with a run that --checkpoint FILE kept. Give that too."
        if request.or_anew:
            yield "--or-anew starts anew over what --checkpoint FILE kept. Give that too."
        return
    if request.method == "exact":
        yield (
            "--method exact is done in seconds, and --checkpoint keeps the iterations of a sampled"
            " method. Leave --checkpoint out."
        )
    if request.output is not None and _same(request.checkpoint, request.output):
        yield "--checkpoint and --output name the same file. Give two names."


def _same(one: str, other: str) -> bool:
    try:
        return Path(one).resolve() == Path(other).resolve()
    except (OSError, RuntimeError, ValueError):
        return False  # said where the file is opened


def checkpoint_file(request: CheckpointRequest, stack: ExitStack) -> CheckpointFile | None:
    """The file, if one was asked for: it can be written, and by this run alone."""
    if request.checkpoint is None:
        return None
    refuse_taken("--checkpoint", request.checkpoint, request)
    return stack.enter_context(CheckpointFile(request.checkpoint))


def kept_seed(request: CheckpointRequest, file: CheckpointFile | None) -> int | None:
    """The seed of the run to go on with, which may have been drawn.

    Raises
    ------
    DataError
        The file cannot be understood, and the run may not start anew.
    """
    try:
        found = file.read() if file is not None and request.resume else None
    except UselessCheckpointError:
        if not request.or_anew:
            raise
        return None
    seed = None if found is None else found.identity.settings.get("--seed")
    return seed if isinstance(seed, int) else None


@contextmanager
def checkpoints_in(
    file: CheckpointFile | None, request: CheckpointRequest, narrator: Narrator
) -> Iterator[Checkpoints | None]:
    """Keep the run's state in `file`, if there is one; an interrupt says how to go on."""
    if file is None:
        yield None
        return
    checkpoints = Checkpoints(
        file,
        resume=request.resume,
        or_anew=request.or_anew,
        dry_run=request.dry_run,
        note=narrator.note,
        warn=narrator.warn,
    )
    try:
        with checkpoints:
            yield checkpoints
    except Interruption as interruption:
        if not checkpoints.written:
            raise
        place = visible_line(file.path)
        raise Interruption(
            f"{interruption.outcome}; its state is in {place}, for --resume"
        ) from None
