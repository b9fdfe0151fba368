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
    "Run what it was made by, or give another FILE; --or-anew, which a schedule has, starts anew"
    " and replaces it."
)
_TO_KEEP = (
    "--resume goes on with it, by the settings that it was made by; --or-anew replaces it; or give"
    " another FILE."
)
_AS_ASKED = ": starting anew, as --or-anew asks"
_ANOTHER_POOL = (
    "Give each exam a FILE of its own. --resume goes on with this one for its own exam; remove it"
    " if nobody will, as --or-anew does not."
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
        Whether to start anew where that cannot be gone on with, or is not to be, instead of
        refusing.
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
        self._looked: RunIdentity | None = None
        self._found: Checkpoint | None = None
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

    def look(self, pool: ItemPool, settings: CalibrationSettings) -> RunIdentity:
        """Read the file before the run is on record: one that is refused never began.

        Raises
        ------
        DataError
            The file cannot be understood, is of another run, or would be lost; it names every
            difference.
        """
        now = RunIdentity.of(__version__, pool, settings)
        if self._resume:
            self._found = self._to_go_on_with(pool, settings, now)
        else:
            self._refuse_to_lose(pool, settings, now)
        self._looked = now
        return now

    def begin(self, pool: ItemPool, settings: CalibrationSettings) -> Checkpoint | None:
        """Where to go on; None where the run starts anew. It looks, where nobody has yet."""
        identity = self._looked or self.look(pool, settings)
        found = self._found
        if found is not None:
            self._note(
                f"going on after iteration {found.state.done} of {settings.iters}, with the"
                f" seed {settings.delivery.seed}"
            )
        self._resumed = self.written = found is not None
        self._identity = identity
        self._due = time.monotonic() + PERIOD
        return found

    def _to_go_on_with(
        self, pool: ItemPool, settings: CalibrationSettings, now: RunIdentity
    ) -> Checkpoint | None:
        """What the file holds, if it is this run's; None where the run starts anew."""
        path = self._file.path
        found = None
        try:
            found = self._file.read()
            if found is None:
                self._note(f"there is no {path} to go on with: starting anew")
            elif found.identity.in_force != now.in_force and _is_in_force(
                found, pool, settings, now
            ):
                self._note(f"the run of {path} had saved its k: starting anew, with its seed")
                found = None
            else:
                _require_same(found, now, len(pool), path)
        except UselessCheckpointError as error:
            # A file that two exams share by mistake would lose the one's state to the other.
            if not self._or_anew or (found is not None and _is_another_pool(found, now)):
                raise
            self._warn(f"{error.fault}{_AS_ASKED}")
            return None
        return found

    def _refuse_to_lose(
        self, pool: ItemPool, settings: CalibrationSettings, now: RunIdentity
    ) -> None:
        """A state that can be gone on with is only replaced where that was asked for."""
        path = self._file.path
        try:
            found = self._file.read()
        except UselessCheckpointError as error:
            if not self._or_anew:
                raise
            self._warn(f"{error.fault}{_AS_ASKED}")
            return
        if found is None:
            return
        if _is_in_force(found, pool, settings, now):
            self._note(f"the k of {path} are in force already: starting anew")
            return
        another = _is_another_pool(found, now)
        fault = f"--checkpoint {path} holds {_words(found, now)}"
        if another or not self._or_anew:
            raise UselessCheckpointError(
                f"{fault}, and starting anew would lose it", _ANOTHER_POOL if another else _TO_KEEP
            )
        self._warn(f"{fault}{_AS_ASKED}")

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
            f"--checkpoint {path} is of another run: {'; '.join(differences)}",
            _ANOTHER_POOL if _is_another_pool(found, now) else _OTHERWISE,
        )


def _words(found: Checkpoint, now: RunIdentity) -> str:
    """What a file holds, and how that differs from the run that finds it."""
    its = found.identity
    # A seed that nobody gave is drawn, and differs each time.
    others = [each for each in its.differences(now) if not each.startswith("--seed ")]
    return (
        f"a run of {its.exam}, --seed {its.settings.get('--seed')}, after iteration"
        f" {found.state.done} of {its.settings.get('--iters')}"
        + (f" ({'; '.join(others)})" if others else "")
    )


def _is_another_pool(found: Checkpoint, now: RunIdentity) -> bool:
    return found.identity.items != now.items and found.identity.exam != now.exam


def _is_in_force(
    found: Checkpoint, pool: ItemPool, settings: CalibrationSettings, now: RunIdentity
) -> bool:
    """Whether that run was over, and its k are those in force: it was killed after its save."""
    return (
        found.state.stopped is not None
        and found.identity.items == now.items
        and np.array_equal(answer(found.state, settings), pool.k)
    )
