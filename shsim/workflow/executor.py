"""Maps the kernel over chunks of examinees on threads, and sums the tallies."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.acceptance import Rule, make_rule
from shsim.kernels.administer import administer
from shsim.kernels.irt import prepare_items
from shsim.kernels.ranking import Ranking, build_ranking, deepen
from shsim.kernels.sitting import make_examinees
from shsim.kernels.workspace import (
    DECILES,
    PROPOSED,
    SEEN,
    Scratch,
    Tallies,
    make_scratch,
    make_tallies,
)
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.workflow.examinees import Cohort

Value = TypeVar("Value")

#: Floating sums are taken over blocks of so many examinees, added in block order.
BLOCK = 1024

#: A chunk is whole blocks: few enough to share out, enough to be worth a call.
_MOST_BLOCKS = 32

#: Workers' tallies together take no more than this.
_TALLY_BYTES = 2**29

#: Information is summed over the first examinees only: it costs as much as a third of
#: the walk, and its mean is known to .05 % by then.
INFORMATION_N = 64 * BLOCK

#: Tables start this many times as deep as the test is long.
_DEPTH_PER_ITEM = 4

#: Tables reach from this quantile of theta to its mirror image.
_TAIL = 5e-4

#: Walks of one call that may go past the tables before these are deepened.
_PATIENCE = 4
_ENDLESS = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Sums over the examinees of a cohort.

    `reached` (N, L) counts the examinees who reached the item with m = column + 1
    positions open, where asked for; `by_decile` (10, N) the examinees who saw it, and
    `information` the means of tests as given and uncontrolled, where measured.
    """

    n: int
    seen: IntArray
    proposed: IntArray
    reached: IntArray
    forced: int
    by_decile: IntArray
    decile_sizes: IntArray
    information: tuple[float, float]


@dataclass(slots=True, eq=False)
class _Room:
    """What one worker writes to."""

    tallies: Tallies
    scratch: Scratch
    decile_sizes: IntArray


class Executor:
    """Runs cohorts through a pool's tests on threads; a context manager.

    Totals do not depend on the number of threads. An exception in the caller (Ctrl-C
    among them) makes running kernels return at once.
    """

    def __init__(self, pool: ItemPool, delivery: DeliverySettings, threads: int | None) -> None:
        self._delivery = delivery
        self._items = prepare_items(pool.a, pool.b, pool.c, pool.d, delivery.scale)
        self._by_position = delivery.rejection == "position"
        self.threads = threads or available_threads()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="shsim")
        self._cancel: AnyArray = np.zeros(1, np.uint8)
        self._deepening = threading.Lock()
        self._ranking: Ranking | None = None

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A thread that is compiling can't be stopped; whoever ends the process won't wait.
        self._cancel[0] = error is not None
        self._pool.shutdown(wait=error is None, cancel_futures=True)

    def prepare(self) -> Ranking:
        """Build the bin tables (compiling what has to be compiled), unless they stand."""
        if self._ranking is None:
            theta = self._delivery.theta
            low, high = theta.quantile(np.array([_TAIL, 1.0 - _TAIL])).tolist()
            depth = _DEPTH_PER_ITEM * self._delivery.length
            self._ranking = build_ranking(self._items, low, high, depth, run=self._run_jobs)
        return self._ranking

    def deepen(self, ranking: Ranking) -> Ranking:
        """Tables deeper than `ranking`'s, built once however many threads ask."""
        with self._deepening:
            newest = self.prepare()
            if newest.depth <= ranking.depth:
                newest = self._ranking = deepen(newest)
            return newest

    def run(
        self,
        cohort: Cohort,
        k: FloatArray,
        *,
        histogram: bool = False,
        measure: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> Totals:
        """Test every examinee of the cohort under `k`.

        Parameters
        ----------
        cohort
            The examinees.
        k
            Exposure-control parameters, (N,).
        histogram
            Count open positions per item (only under `position`).
        measure
            Count by decile of theta, and average the information of the first examinees.
        advance
            Called in this thread with the number of examinees that have been tested.
        """
        self.prepare()
        rule = make_rule(k, self._delivery.length, by_position=self._by_position)
        blocks = -(-cohort.n // BLOCK)
        step = BLOCK * max(1, min(_MOST_BLOCKS, blocks // (4 * self.threads)))
        starts = range(0, cohort.n, step)
        information = np.zeros((min(blocks, INFORMATION_N // BLOCK) if measure else 0, 2))
        rooms = _Rooms(lambda: self._make_room(histogram=histogram, measure=measure))
        limit = threading.BoundedSemaphore(self._workers(len(k), histogram=histogram))

        def chunk(first: int) -> int:
            count = min(step, cohort.n - first)
            with limit, rooms.one() as room:
                self._chunk(cohort, rule, first, count, room, information)
            return count

        for done in self.each([partial(chunk, first) for first in starts]):
            if advance is not None:
                advance(done)
        return _add_up(cohort.n, rooms.rooms, information)

    def _chunk(
        self,
        cohort: Cohort,
        rule: Rule,
        first: int,
        count: int,
        room: _Room,
        information: FloatArray,
    ) -> None:
        """Test examinees first … first + count - 1 into `room` and their blocks' sums."""
        ranking = self.prepare()
        theta, decile = cohort.abilities(first, count)
        tallies = room.tallies
        room.decile_sizes += np.bincount(decile, minlength=DECILES)
        block = first // BLOCK
        inform = block < len(information)
        if inform:
            tallies = tallies._replace(information=np.zeros((count, 2)))
        examinees = make_examinees(ranking.tables, theta, decile, first, cohort.acceptance_key)
        at = 0
        while at < count:
            patience = _PATIENCE if ranking.can_deepen else _ENDLESS
            at = administer(
                ranking.tables, rule, examinees, tallies,
                room.scratch, at, patience, self._cancel,
            )  # fmt: skip
            if self._cancel[0]:
                return
            if at < count:
                ranking = self.deepen(ranking)
        if inform:
            sums = np.add.reduceat(tallies.information, np.arange(0, count, BLOCK), axis=0)
            information[block : block + len(sums)] = sums[: len(information) - block]

    def _make_room(self, *, histogram: bool, measure: bool) -> _Room:
        """Empty tallies and scratch for one more worker."""
        size = len(self._items)
        tallies = make_tallies(
            size,
            self._delivery.length,
            histogram=histogram and self._by_position,
            by_decile=measure,
        )
        return _Room(tallies, make_scratch(size), np.zeros(DECILES, np.int64))

    def _workers(self, size: int, *, histogram: bool) -> int:
        """How many workers may have tallies at a time."""
        each = 8 * size * (2 + DECILES + (self._delivery.length if histogram else 0))
        return max(1, min(self.threads, _TALLY_BYTES // each))

    def _run_jobs(self, jobs: Sequence[Callable[[], None]]) -> None:
        """Run jobs in workers, so that Ctrl-C need not wait for a compilation either."""
        for _ in self.each(jobs):
            pass

    def each(self, jobs: Sequence[Callable[[], Value]]) -> Iterator[Value]:
        """Results of jobs as they end; signals are answered between."""
        waiting: set[Future[Any]] = {self._pool.submit(job) for job in jobs}
        while waiting:
            # The timeout lets the main thread run signal handlers on every platform.
            ended, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()


class _Rooms:
    """Rooms that workers borrow; as many as were ever in use at once."""

    def __init__(self, make: Callable[[], _Room]) -> None:
        self._make = make
        self._free: list[_Room] = []
        self._lock = threading.Lock()
        self.rooms: list[_Room] = []

    @contextmanager
    def one(self) -> Iterator[_Room]:
        """Borrow a room, made if none is free."""
        with self._lock:
            room = self._free.pop() if self._free else None
        if room is None:
            room = self._make()
            with self._lock:
                self.rooms.append(room)
        yield room
        with self._lock:
            self._free.append(room)


def _add_up(n: int, rooms: list[_Room], information: FloatArray) -> Totals:
    """The sum over rooms; integers, so that their order does not matter."""
    counts = rooms[0].tallies.counts
    by_decile = rooms[0].tallies.by_decile
    for room in rooms[1:]:
        counts += room.tallies.counts
        by_decile += room.tallies.by_decile
    informed = max(min(n, BLOCK * len(information)), 1)
    gained, attainable = (float(total) / informed for total in information.sum(axis=0))
    return Totals(
        n=n,
        seen=counts[:, SEEN].copy(),
        proposed=counts[:, PROPOSED].copy(),
        reached=counts[:, 2:],
        forced=int(sum(int(room.tallies.forced[0]) for room in rooms)),
        by_decile=by_decile,
        decile_sizes=np.sum([room.decile_sizes for room in rooms], axis=0),
        information=(gained, attainable),
    )


def available_threads() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
