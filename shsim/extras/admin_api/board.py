"""The runs of this server: a few at a time, the rest in turn, calibrations kept for a while."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Literal

from shsim.errors import DataError, NotFoundError, RefusedError, ShsimError, Stopped
from shsim.extras.admin_api.jobs import Answer, Job, Purpose, State, TooLateError
from shsim.extras.admin_api.problems import Problem, contradiction, of_fault
from shsim.extras.admin_api.services import Services
from shsim.workflow.executor import available_threads

#: Of this command somebody may ask later what became of it; others answer who waits, and are over.
CALIBRATE = "calibrate"

#: Calibrations that have ended are kept so long, in seconds, and no more of them than that.
KEPT_SECONDS, KEPT = 6 * 3600.0, 64

#: Characters of what came out of them; the last to end is kept however long its answer is.
KEPT_SIZE = 64_000_000

#: Why a run was cancelled that nobody cancelled.
STOPPING = "the server was stopping"

#: Seconds after which a full server is worth asking again.
_RETRY_AFTER = "10"

_UNENDED: tuple[State, ...] = ("queued", "running", "saving")

Work = Callable[[Job], Answer]


class Board:
    """Runs jobs in threads of its own.

    Parameters
    ----------
    services
        Of this server.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        its = services.settings
        self._most = its.concurrency + its.queue
        self._seconds = its.limits.seconds
        self._threads = ThreadPoolExecutor(its.concurrency, thread_name_prefix="shsim-run")
        # The event loop answers health checks while kernels run.
        spare = max(available_threads() - 1, 1)
        self.threads = its.threads or max(spare // its.concurrency, 1)
        self._lock = Lock()
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[str, Work] = {}
        self._closed = False
        for state in _UNENDED:
            services.metrics.watch_jobs(state, partial(self._count, state))

    def submit(self, purpose: Purpose, work: Work) -> Job:
        """Put a run into the queue.

        Raises
        ------
        Problem
            409: the exam is being calibrated by another run. 503: too many are waiting, or
            the server is stopping.
        """
        with self._lock:
            self._forget()
            open_ones = [job for job in self._jobs.values() if not job.ended]
            self._require_room(purpose, open_ones)
            job = Job(purpose, self._services.without_names, self._seconds)
            self._jobs[job.id] = job
            self._waiting[job.id] = work
            # A turn holds nothing: who is cancelled while waiting leaves at once.
            self._threads.submit(self._turn)
        return job

    def job(self, number: str) -> Job | None:
        """A run that is kept."""
        with self._lock:
            self._forget()
            return self._jobs.get(number)

    def jobs(self, command: str) -> list[Job]:
        """The runs of a command that are kept, the newest first."""
        with self._lock:
            self._forget()
            return [j for j in reversed(self._jobs.values()) if j.purpose.command == command]

    def place(self, job: Job) -> int | None:
        """How many are to begin before a run that waits; None where it does not."""
        if job.state != "queued":
            return None
        with self._lock:
            waiting = [each for each in self._jobs.values() if each.state == "queued"]
        return waiting.index(job) if job in waiting else None

    def cancel(self, job: Job, why: str) -> None:
        """End one: at once where it is waiting, else at its next chunk of examinees.

        Raises
        ------
        TooLateError
            It is saving, or has ended.
        """
        job.cancel(why)
        with self._lock:
            was_waiting = self._waiting.pop(job.id, None) is not None
        if was_waiting:
            self._tell(job, job.state)
            self._leave(job)

    def stop(self) -> None:
        """Cancel everything, and take nothing more; returns at once."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs.values())
        for job in jobs:
            try:
                self.cancel(job, STOPPING)
            except TooLateError:
                continue
        self._threads.shutdown(wait=False)

    def join(self, patience: float) -> list[Job]:
        """Wait for what is running to be on record; what is not within so many seconds is logged.

        Returns
        -------
        list of Job
            Those that were not waited for any longer.
        """
        until = time.monotonic() + patience
        with self._lock:
            jobs = list(self._jobs.values())
        left = [job for job in jobs if not job.over.wait(max(until - time.monotonic(), 0))]
        for job in left:
            became = "all of its k stand, or none" if job.state == "saving" else "no k are saved"
            self._say(
                "warning",
                job,
                job.state,
                f"It had not ended {patience:g} s after it was told to: {became}, and it may not"
                " be on record.",
                event="unfinished",
            )
        return left

    def _require_room(self, purpose: Purpose, others: list[Job]) -> None:
        if self._closed:
            raise Problem(503, "The server is stopping.", headers={"Retry-After": _RETRY_AFTER})
        for other in others:
            its = other.purpose
            if its.command == purpose.command == CALIBRATE and its.exam == purpose.exam:
                raise Problem(
                    409,
                    f"{purpose.exam} is being calibrated already, by {other.id}."
                    " Follow that one, or cancel it.",
                    calibration=other.id,
                )
        if len(others) >= self._most:
            raise Problem(
                503,
                f"{len(others)} runs are computed or waiting, which is all that this server"
                " takes. Try again later.",
                headers={"Retry-After": _RETRY_AFTER},
            )

    def _turn(self) -> None:
        """The next of those that wait, if one still does."""
        with self._lock:
            if not self._waiting:
                return
            number = next(iter(self._waiting))
            job, work = self._jobs[number], self._waiting.pop(number)
        self._run(job, work)

    def _run(self, job: Job, work: Work) -> None:
        """One job from its turn to its end, whatever happens."""
        try:
            if not job.begin():
                self._tell(job, job.state)
                return
            try:
                answer = work(job)
            except Stopped as fault:
                self._end(job, "cancelled", str(fault))
            except Exception as fault:  # noqa: BLE001 - a thread has nobody to raise to
                job.problem = self._problem(fault, job)
                refused = isinstance(fault, RefusedError)
                self._end(job, "refused" if refused else "failed", job.problem.detail)
            else:
                job.answer = answer
                self._end(job, "refused" if answer.refused else "done")
        finally:
            self._leave(job)

    def _leave(self, job: Job) -> None:
        """Nobody works on it any more."""
        job.over.set()
        if job.purpose.command != CALIBRATE:
            with self._lock:
                self._jobs.pop(job.id, None)

    def _end(self, job: Job, state: State, message: str = "") -> None:
        answer = job.answer
        more = {
            "run": None if answer is None else answer.run,
            "held": None if answer is None else answer.held,
        }
        # Told before, so that whoever has seen the end finds it in log and metrics.
        self._tell(job, state, message)
        job.end(state, {**more, "message": message} if message else more)

    def _tell(self, job: Job, state: State, message: str = "") -> None:
        self._services.metrics.runs.labels(job.purpose.command, state).inc()
        self._say("info", job, state, message)

    def _say(
        self,
        level: Literal["info", "warning"],
        job: Job,
        state: State,
        message: str,
        event: str = "run",
    ) -> None:
        purpose = job.purpose
        said = f"{purpose.command} of {purpose.exam} for {purpose.subject}: {state}"
        self._services.log(
            level,
            event,
            f"{said}. {message}" if message else said,
            {
                "command": purpose.command,
                "exam": purpose.exam,
                "subject": purpose.subject,
                "state": state,
                "id": job.id,
                "run": None if job.answer is None else job.answer.run,
            },
        )

    def _problem(self, fault: Exception, job: Job) -> Problem:
        where = f"{job.purpose.command} {job.id}"
        if isinstance(fault, DataError) and not isinstance(fault, NotFoundError):
            return contradiction(fault)
        if isinstance(fault, ShsimError):
            return of_fault(fault, self._services, where)
        incident = self._services.incident(
            f"a bug in shsim: {type(fault).__name__}",
            where,
            traceback="".join(traceback.format_exception(fault)),
        )
        return Problem(500, "This is a bug in the server.", incident=incident)

    def _count(self, state: State) -> int:
        with self._lock:
            return sum(job.state == state for job in self._jobs.values())

    def _forget(self) -> None:
        """Let go of what ended long ago, and of the first to end where there are too many."""
        ended = [job for job in self._jobs.values() if job.ended and job.over.is_set()]
        ended.sort(key=lambda job: job.age)
        size = 0
        for place, job in enumerate(ended):
            size += job.answer.size if job.answer else 0
            large = place > 0 and size > KEPT_SIZE
            if large or place >= KEPT or job.age > KEPT_SECONDS:
                del self._jobs[job.id]
