"""The runs of a server: their turns, what is kept of them, and what is left at its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from extras.served import SECRET

from shsim.errors import DatabaseError
from shsim.extras.admin_api import app, board, serve
from shsim.extras.admin_api.board import Board
from shsim.extras.admin_api.jobs import Answer, Job, Purpose
from shsim.extras.admin_api.keys import secret_key
from shsim.extras.admin_api.metrics import Metrics
from shsim.extras.admin_api.problems import Problem
from shsim.extras.admin_api.services import Services
from shsim.extras.admin_api.settings import ServerSettings
from shsim.extras.admin_api.stores import StorePool
from shsim.extras.admin_api.waiting import answer_or_problem

DONE = Answer(document="{}", summary="", run=None)
SETTINGS = ServerSettings(
    dsn="sqlite:////nowhere.sqlite", port=0, keys=secret_key(SECRET, "SECRET")
)

#: Seconds that a test waits before it has failed.
PATIENCE = 30.0


class Held:
    """Work that goes on until it is released."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.release = threading.Event()

    def __call__(self, _job: Job | None) -> Answer:
        self.begun.set()
        assert self.release.wait(PATIENCE)
        return DONE


class Lines(list[tuple[str, str, str]]):
    """A server's log."""

    def __call__(self, level: str, event: str, message: str, _fields: Any = None, /) -> None:
        self.append((level, event, message))


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def its(lines: Lines) -> Iterator[Board]:
    services = Services(
        settings=SETTINGS, stores=StorePool(SETTINGS.dsn), metrics=Metrics(), log=lines
    )
    made = Board(services)
    yield made
    made.stop()


def purpose(exam: str, command: str = "calibrate") -> Purpose:
    return Purpose(command=command, exam=exam, subject="tester", dry_run=True)


def ended(job: Job) -> Job:
    assert job.over.wait(PATIENCE)
    return job


def test_the_last_to_end_are_kept_whenever_they_began(
    its: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "KEPT", 2)
    held = Held()
    long = its.submit(purpose("LONG"), held)
    waiting = [its.submit(purpose(f"E{number}"), lambda _: DONE) for number in range(3)]
    for each in waiting[:2]:
        its.cancel(each, "it is in the way")
    held.release.set()
    last = ended(waiting[2])
    assert its.jobs("calibrate") == [last, ended(long)]
    assert its.job(waiting[0].id) is None


def test_no_more_of_them_are_kept_than_memory_is_for(
    its: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "KEPT_SIZE", 100)
    sizes = {"SMALL": 30, "FIRST": 50, "SECOND": 40, "LARGE": 1000}

    def answer(size: int, _job: Job) -> Answer:
        return Answer(document="x" * (size - 10), summary="y" * 10, run=None)

    def run(*exams: str) -> list[str]:
        for exam in exams:
            ended(its.submit(purpose(exam), partial(answer, sizes[exam])))
        return [job.purpose.exam for job in its.jobs("calibrate")]

    assert run("SMALL", "FIRST", "SECOND") == ["SECOND", "FIRST"]
    assert run("LARGE") == ["LARGE"]


def test_who_takes_too_long_is_cancelled(its: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(its, "_seconds", 0.001)

    def work(job: Job) -> Answer:
        for _ in range(10**7):
            job.heed()
        return DONE

    job = ended(its.submit(purpose("ENDLESS"), work))
    assert job.state == "cancelled"
    with pytest.raises(Problem, match=r"this server permits \(shsim serve --most-seconds\)\. Noth"):
        answer_or_problem(job)


@pytest.mark.parametrize("command", ["simulate", "sweep"])
def test_what_answers_who_waits_is_not_kept(its: Board, command: str) -> None:
    job = ended(its.submit(purpose("EXAM", command), lambda _: DONE))
    assert job.answer is DONE
    assert its.job(job.id) is None


def test_who_is_cancelled_while_waiting_leaves_at_once(its: Board, lines: Lines) -> None:
    held = Held()
    running = its.submit(purpose("FIRST"), held)
    assert held.begun.wait(PATIENCE)
    cancelled = its.submit(purpose("SECOND"), held)
    third = its.submit(purpose("THIRD"), lambda _: DONE)
    assert its.place(third) == 1
    its.cancel(cancelled, "nobody wants it")
    assert cancelled.over.is_set()
    assert ("info", "run", "calibrate of SECOND for tester: cancelled") in lines
    assert its.place(third) == 0
    assert its._waiting.keys() == {third.id}  # its work is let go of
    again = its.submit(purpose("SECOND"), lambda _: DONE)
    held.release.set()
    assert [ended(each).state for each in (running, third, again)] == ["done"] * 3


@pytest.mark.parametrize(
    ("saving", "became"), [(True, "stand, or none"), (False, "no k are saved")]
)
def test_what_does_not_end_with_the_server_is_named(
    its: Board, lines: Lines, saving: object, became: str
) -> None:
    held = Held()

    def work(job: Job) -> Answer:
        if saving:
            job.save()
        return held(job)

    job = its.submit(purpose("HELD-UP"), work)
    assert held.begun.wait(PATIENCE)
    its.stop()
    assert its.join(0.01) == [job]
    level, event, message = lines[-1]
    assert (level, event) == ("warning", "unfinished")
    assert message.startswith("calibrate of HELD-UP for tester: ")
    assert became in message
    held.release.set()
    assert its.join(PATIENCE) == []


@pytest.mark.parametrize("by_hand", ["run", "change"])
def test_a_server_that_leaves_something_ends_in_another_way(
    monkeypatch: pytest.MonkeyPatch, lines: Lines, by_hand: str
) -> None:
    monkeypatch.setattr(app, "PATIENCE", 0.01)
    held = Held()

    class Server:
        def __init__(self, config: Any, _services: Services) -> None:
            self._app = config.app

        def run(self, **_sockets: Any) -> None:
            anyio.run(self._live)

        async def _live(self) -> None:
            state = self._app.state
            begun, free = partial(held.begun.wait, PATIENCE), anyio.CapacityLimiter(1)
            async with anyio.create_task_group() as tasks:
                async with self._app.router.lifespan_context(self._app):
                    if by_hand == "run":
                        state.calibrations._board.submit(purpose("HELD-UP"), held)
                    else:
                        change = partial(held, None)
                        tasks.start_soon(state.services.changes.make, "set of HELD-UP", change)
                    assert await anyio.to_thread.run_sync(begun, limiter=free)
                held.release.set()

    monkeypatch.setattr(serve, "_Server", Server)
    with pytest.raises(DatabaseError, match="1 run or change had not ended"):
        serve.serve(SETTINGS, lines)
    (said,) = [message for _, event, message in lines if event == "unfinished"]
    assert "HELD-UP" in said
