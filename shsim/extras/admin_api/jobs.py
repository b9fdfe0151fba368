"""A run in this server: where it stands, what it has told so far, and how it is cancelled."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from shsim.errors import Stopped
from shsim.extras.admin_api.problems import Problem
from shsim.model.results import CalibrationResult, IterationRecord
from shsim.workflow.watch import Stage

State = Literal["queued", "running", "saving", "done", "refused", "failed", "cancelled"]

#: Those that a run has ended in. `refused`: a rule of ours forbade the save.
ENDINGS: tuple[State, ...] = ("done", "refused", "failed", "cancelled")

#: Events kept of a run; the oldest go first.
_EVENTS = 4000

#: Seconds between two events of progress.
_PACE = 0.2


class Event(NamedTuple):
    """Something that happened; numbers ascend from 1."""

    number: int
    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a run is for.

    Attributes
    ----------
    command, exam
        What runs, on what.
    subject
        Who asked for it.
    dry_run
        Whether it leaves the database as it is, the ledger apart.
    """

    command: str
    exam: str
    subject: str
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came out.

    Attributes
    ----------
    document
        The JSON that the command line would print.
    summary
        The text that it would print.
    run
        The number in the ledger, None where there is none.
    held
        Whether the cap is held, None where that was not asked.
    saved
        Whether k were written.
    refused
        Whether `require_cap` kept them from being written.
    """

    document: str
    summary: str
    run: int | None
    held: bool | None = None
    saved: bool = False
    refused: bool = False

    @property
    def size(self) -> int:
        """Characters of it, each a byte of memory as a rule."""
        return len(self.document) + len(self.summary)


class TooLateError(Exception):
    """The run has ended, or is saving: all of its k or none will be there."""


class Job:
    """A run, from its place in the queue to its answer; any thread may ask it anything.

    It is the `Watch` of its own workflow, and its :attr:`gate` is the `Output`.

    Parameters
    ----------
    purpose
        What it is for.
    without_names
        Takes out of a sentence what no client may know.
    seconds
        After so many from its beginning it is cancelled.
    """

    def __init__(
        self,
        purpose: Purpose,
        without_names: Callable[[str], str],
        seconds: float = math.inf,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.purpose = purpose
        self.created = datetime.now(UTC)
        self.started: datetime | None = None
        self.finished: datetime | None = None
        self.state: State = "queued"
        self.progress: dict[str, Any] | None = None
        self.answer: Answer | None = None
        self.problem: Problem | None = None
        self.gate = Gate(self)
        #: Set when its thread has done with it: its record is in the ledger, or will never be.
        self.over = threading.Event()
        self._lock = threading.RLock()
        self._stop: str | None = None
        self._seconds, self._until = seconds, math.inf
        self._without_names = without_names
        self._events: deque[Event] = deque(maxlen=_EVENTS)
        self._count = 0
        self._listeners: list[Callable[[], None]] = []
        self._told = 0.0
        self._emit("queued", {})

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDINGS

    @property
    def age(self) -> float:
        """Seconds since it ended; 0 before."""
        return (datetime.now(UTC) - self.finished).total_seconds() if self.finished else 0.0

    @property
    def cancelled(self) -> str:
        """Why it was, or is to be, cancelled; empty where it was not."""
        return self._stop or ""

    def after(self, number: int) -> tuple[list[Event], bool]:
        """The events kept beyond a number, and whether there will be no more."""
        with self._lock:
            return [event for event in self._events if event.number > number], self.ended

    @contextmanager
    def listened(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake`, in whichever thread, after every event."""
        with self._lock:
            self._listeners.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(wake)

    def cancel(self, why: str) -> None:
        """End it: at once where it is waiting, else at its next chunk of examinees.

        Raises
        ------
        TooLateError
            It is saving, or has ended.
        """
        with self._lock:
            if self.state == "saving" or self.ended:
                raise TooLateError
            if self._stop is None:
                self._stop = why
            if self.state == "queued":
                self.end("cancelled", {"message": self._stop})

    # What follows is called by whoever runs it.

    def begin(self) -> bool:
        """Leave the queue; False where it has been cancelled."""
        with self._lock:
            if self.ended:
                return False
            self.started = datetime.now(UTC)
            self._until = time.monotonic() + self._seconds
            self.state = "running"
            self._emit("running", {})
            return True

    def save(self) -> None:
        """From here on it is too late to cancel.

        Raises
        ------
        Stopped
            It has been cancelled before.
        """
        with self._lock:
            self.heed()
            self.state = "saving"
            self._emit("saving", {})

    def end(self, state: State, more: Mapping[str, Any]) -> None:
        """Nothing more will happen."""
        with self._lock:
            self.finished = datetime.now(UTC)
            self.state = state
            self._emit("end", {"state": state, **more})

    # A Watch.

    def heed(self) -> None:
        """Stop where it has been cancelled, or has had its time."""
        if self._stop is None and time.monotonic() > self._until:
            self._stop = (
                f"it took longer than the {self._seconds:,.0f} seconds that this server permits"
                " (shsim serve --most-seconds)"
            )
        if self._stop is not None:
            raise Stopped(self._stop)

    def stage(self, stage: Stage, total: int) -> None:
        """A stage begins."""
        self.heed()
        self.progress = {"stage": stage, "done": 0, "total": total}
        self._emit("stage", {"stage": stage, "total": total})

    def advance(self, done: int) -> None:
        """So many more are done."""
        if self.progress is None:
            return
        self.progress = {**self.progress, "done": self.progress["done"] + done}
        now = time.monotonic()
        if now - self._told >= _PACE:
            self._told = now
            self._emit("progress", self.progress)

    def iteration(self, record: IterationRecord, items_over: int) -> None:
        """An iteration has ended."""
        self._emit(
            "iteration",
            {"iter": record.iter, "max_exposure": record.max_exp, "items_over": items_over},
        )

    def note(self, sentence: str) -> None:
        """Something that the operator should read."""
        self._emit("note", {"message": self._without_names(sentence)})

    def warn(self, sentence: str) -> None:
        """Something that nobody may miss."""
        self._emit("warning", {"message": self._without_names(sentence)})

    def said(self, name: str) -> list[str]:
        """The sentences of its events of a name: `note`, `warning`."""
        return [event.data["message"] for event in self.after(0)[0] if event.name == name]

    def _emit(self, name: str, data: Mapping[str, Any]) -> None:
        with self._lock:
            if name == "progress" and self._events[-1].name == name:
                self._events.pop()  # nobody asks how far it was before
            self._count += 1
            self._events.append(Event(self._count, name, data))
            listeners = tuple(self._listeners)
        for wake in listeners:
            wake()


class Gate:
    """The `Output` of a job's calibration, which stands before the save."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def stage(self, _result: CalibrationResult, /) -> None:
        """The save comes next, unless the run is dry."""
        if not self._job.purpose.dry_run:
            self._job.save()

    def publish(self, run: int | None = None, /) -> None:
        """There is no file to give a name."""
