"""When a calibration's state is written down, and whether it may be gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

import numpy as np

from shsim import __version__
from shsim.errors import CapNotHeldError, PoolChangedError
from shsim.model.checkpoint import Checkpoint, IterationState, RunIdentity
from shsim.model.item_pool import ItemPool
from shsim.model.results import Measures, Origin
from shsim.model.settings import CalibrationSettings
from shsim.storage.checkpoint_file import CheckpointFile, UselessCheckpointError, reason
from shsim.workflow.iterate import answer

#: The file is written at most once in so many seconds, and in so many times what it takes:
#: a large pool on a slow disk then loses 2 % of the time at most.
PERIOD, SHARE = 1.0, 50.0

#: Ends of a run after which there is nothing to go on with; a reader of stdout that has gone
#: is one of them.
_OVER = (CapNotHeldError, PoolChangedError, BrokenPipeError)

_OTHERWISE = (
    "Run what it was made by, or start without --resume, which replaces it. A schedule that is to"
    " start anew by itself has --or-anew."
)


class Checkpoints:
    """One run's checkpoints; a context manager.

    A run that is over takes its file away. One that fails or is interrupted leaves its last
    state there, and a dry one what it has gone on with.

    Parameters
    ----------
    file
        Where they are written.
    resume
        Whether to go on with what stands there.
    or_anew
        Whether to start anew where that cannot be gone on with, instead of refusing.
    dry_run
        Whether the run is to save nothing.
    note, warn
        Say something to the operator: what may be, and what may not be missed.
    """

    def __init__(
        self,
        file: CheckpointFile,
        *,
        resume: bool,
        or_anew: bool = False,
        dry_run: bool = False,
        note: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._file = file
        self._resume, self._or_anew = resume, or_anew
        self._dry_run = dry_run
        self._resumed = False
        self._note, self._warn = note, warn
        self._pending: Checkpoint | None = None
        self._identity: RunIdentity | None = None
        self._due = 0.0
        self._warned = False
        self.written = False

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, _OVER):
            self._write()
        elif self._resumed and self._dry_run:
            self._write()
            self._note(f"{self._file.path} stays, since nothing was saved")
        elif self._identity is not None:
            try:
                self._file.remove()
            except OSError as fault:
                self._warn(f"--checkpoint {self._file.path} cannot be removed: {reason(fault)}")

    def begin(self, pool: ItemPool, settings: CalibrationSettings) -> Checkpoint | None:
        """Where to go on; None where the run starts anew.

        Raises
        ------
        DataError
            The file cannot be understood, or is of another run: it names every difference.
        """
        identity = RunIdentity.of(__version__, pool, settings)
        found = self._found(pool, settings, identity) if self._resume else None
        if found is not None:
            self._note(
                f"going on after iteration {found.state.done} of {settings.iters}, with the"
                f" seed {settings.delivery.seed}"
            )
        self._resumed = self.written = found is not None
        self._identity = identity
        self._due = time.monotonic() + PERIOD
        return found

    def _found(
        self, pool: ItemPool, settings: CalibrationSettings, now: RunIdentity
    ) -> Checkpoint | None:
        """What the file holds, if it is this run's; None where the run starts anew."""
        path = self._file.path
        found = None
        try:
            found = self._file.read()
            if found is None:
                self._note(f"there is no {path} to go on with: starting anew")
            elif _is_saved(found, pool, settings, now):
                self._note(f"the run of {path} had saved its k: starting anew, with its seed")
                found = None
            else:
                _require_same(found, now, len(pool), path)
        except UselessCheckpointError as error:
            # A file that two exams share by mistake would lose the one's state to the other.
            if not self._or_anew or (found is not None and _is_another_pool(found, now)):
                raise
            self._warn(f"{error.fault}: starting anew, as --or-anew asks")
            return None
        return found

    def keeping(self, before: Measures, origin: Origin) -> Callable[[IterationState], None]:
        """What to call after each iteration; the rest of a checkpoint doesn't change."""

        def keep(state: IterationState) -> None:
            if self._identity is not None:
                self._pending = Checkpoint(self._identity, before, origin, state)
            if state.stopped is not None or time.monotonic() >= self._due:
                self._write()

        return keep

    def _write(self) -> None:
        """Write what is not written yet; a run does not end because that fails."""
        if self._pending is None:
            return
        began = time.monotonic()
        try:
            self._file.write(self._pending)
            self._pending = None
            self.written = True
        except OSError as error:
            if not self._warned:
                kept = "an older state stays there" if self.written else "nothing is there"
                self._warn(
                    f"--checkpoint {self._file.path}: {reason(error)}. The run goes on; {kept},"
                    " and it is tried again."
                )
            self._warned = True
        now = time.monotonic()
        self._due = now + max(PERIOD, SHARE * (now - began))


def _require_same(found: Checkpoint, now: RunIdentity, size: int, path: str) -> None:
    """Refuse what another run wrote, with every difference."""
    differences = found.identity.differences(now)
    if differences or len(found.state.k) != size:
        raise UselessCheckpointError(
            f"--checkpoint {path} is of another run: {'; '.join(differences)}", _OTHERWISE
        )


def _is_another_pool(found: Checkpoint, now: RunIdentity) -> bool:
    return found.identity.items != now.items and found.identity.exam != now.exam


def _is_saved(
    found: Checkpoint, pool: ItemPool, settings: CalibrationSettings, now: RunIdentity
) -> bool:
    """Whether that run was killed after its k had been saved, and are the k in force now."""
    return (
        found.state.stopped is not None
        and found.identity.items == now.items
        and found.identity.in_force != now.in_force
        and np.array_equal(answer(found.state, settings), pool.k)
    )
