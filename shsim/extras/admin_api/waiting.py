"""Waiting, in the event loop, for jobs that run in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from starlette.requests import Request

from shsim.extras.admin_api.board import STOPPING, Board
from shsim.extras.admin_api.jobs import Answer, Event, Job, TooLateError
from shsim.extras.admin_api.problems import Problem

#: Seconds between two looks whether the client is still there.
_LOOK_EVERY = 0.5


async def ended(job: Job, request: Request) -> bool:
    """Wait for its end; False where the client went away before."""
    with _woken(job) as more:
        while not job.ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(more.wait(), _LOOK_EVERY)
            more.clear()
            if not job.ended and await request.is_disconnected():
                return False
    return True


async def answer_of(board: Board, job: Job, request: Request) -> Answer:
    """What comes out of a job that nobody else follows: a client that goes away cancels it.

    Raises
    ------
    Problem
        There is no answer; it says why.
    """
    if not await ended(job, request):
        with suppress(TooLateError):
            board.cancel(job, "its client went away")
        raise Problem(503, "The client went away.")
    return answer_or_problem(job)


def answer_or_problem(job: Job) -> Answer:
    """What came out of a job that has ended; errors as :func:`answer_of`."""
    if job.problem is not None:
        raise job.problem
    if job.answer is None:
        if job.cancelled == STOPPING:
            raise Problem(503, "The server was stopping, and cancelled it. Nothing was saved.")
        raise Problem(409, f"It was cancelled: {job.cancelled}. Nothing was saved.")
    return job.answer


async def events_after(job: Job, number: int) -> AsyncIterator[Event]:
    """The events beyond a number, as they come, up to the last."""
    with _woken(job) as more:
        over = False
        while not over:
            events, over = job.after(number)
            for event in events:
                number = event.number
                yield event
            if not over:
                await more.wait()
                more.clear()


@contextmanager
def _woken(job: Job) -> Iterator[asyncio.Event]:
    """An event of the loop's that is set after each of the job's."""
    loop, more = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop has been closed, and nobody waits
            loop.call_soon_threadsafe(more.set)

    with job.listened(wake):
        yield more
