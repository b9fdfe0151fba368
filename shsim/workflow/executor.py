"""Threads, the bin tables they share, and chunks of examinees dealt out to them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar

import numpy as np

from shsim.arrays import AnyArray, FloatArray
from shsim.kernels.irt import prepare_items
from shsim.kernels.ranking import FEWEST_BINS, Ranking, build_ranking, deepen
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.prior import grid
from shsim.workflow.watch import SILENT

Value = TypeVar("Value")
Room = TypeVar("Room")

#: Floating sums are taken over blocks of so many examinees, added in block order.
BLOCK = 1024

#: A chunk is whole blocks: few enough to share out, enough to be worth a call.
_MOST_BLOCKS = 32

#: Workers' rooms together take no more than this.
_ROOM_BYTES = 2**29

#: Tables start this many times as deep as the test is long: a walk at the true theta passes
#: an item once, a position of an adaptive test all that was seen or refused before it.
_DEPTH_PER_ITEM, _DEPTH_PER_ITEM_ADAPTIVE = 4, 8

#: An adaptive test comes through the tables once a position, not once a test: narrower bins,
#: which spare it values of information, pay for themselves many times over.
_BUILD_BUDGET_ADAPTIVE, _MOST_BINS_ADAPTIVE = 16_000_000, 16_384

#: Tables reach from this quantile of theta to its mirror image.
_TAIL = 5e-4

#: Walks of one call that may go past the tables before these are deepened.
_PATIENCE = 4
_ENDLESS = 2**62

#: A kernel call: the tables, where to go on, its patience; where it ended.
Call = Callable[[Ranking, int, int], int]


@dataclass(frozen=True, slots=True, eq=False)
class Rooms(Generic[Room]):
    """How to make what one worker writes to, and about how many bytes it takes."""

    make: Callable[[], Room]
    size: int


class Executor:
    """Runs chunks of examinees, and other jobs, on threads; a context manager.

    Which tests are given is the affair of whoever hands in the work. An exception in the
    caller (Ctrl-C among them, or what `heed` raises, see :class:`shsim.workflow.watch.Watch`)
    makes running kernels return at once.
    """

    def __init__(
        self,
        pool: ItemPool,
        delivery: DeliverySettings,
        threads: int | None,
        heed: Callable[[], None] = SILENT.heed,
    ) -> None:
        self._delivery = delivery
        self._heed = heed
        self.items: FloatArray = prepare_items(pool.a, pool.b, pool.c, pool.d, delivery.scale)
        self.threads = threads or available_threads()
        self.cancel: AnyArray = np.zeros(1, np.uint8)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="shsim")
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
        self.cancel[0] = error is not None
        self._pool.shutdown(wait=error is None, cancel_futures=True)

    def prepare(self) -> Ranking:
        """Build the bin tables (compiling what has to be compiled), unless they stand."""
        if self._ranking is None:
            low, high = ranked_range(self._delivery)
            per_item, bins = _DEPTH_PER_ITEM, None
            if not self._delivery.one_pass:
                per_item = _DEPTH_PER_ITEM_ADAPTIVE
                bins = max(_BUILD_BUDGET_ADAPTIVE // len(self.items), FEWEST_BINS)
                bins = min(bins, _MOST_BINS_ADAPTIVE)
            depth = per_item * self._delivery.length
            self._ranking = build_ranking(self.items, low, high, depth, bins, self._run_jobs)
        return self._ranking

    def deepen(self, ranking: Ranking) -> Ranking:
        """Tables deeper than `ranking`'s, built once however many threads ask."""
        with self._deepening:
            newest = self.prepare()
            if newest.depth <= ranking.depth:
                newest = self._ranking = deepen(newest)
            return newest

    def over_chunks(
        self,
        n: int,
        work: Callable[[int, int, Room], None],
        rooms: Rooms[Room],
        advance: Callable[[int], None] | None = None,
        *,
        in_order: bool = False,
    ) -> list[Room]:
        """Deal `n` examinees out in chunks of whole blocks; the rooms that were written to.

        Parameters
        ----------
        n
            Examinees.
        work
            Called in a worker with a chunk's first examinee, their number and a room.
        rooms
            Of workers; no more are in use at a time than memory allows.
        advance
            Called in this thread with the number of examinees that have been tested.
        in_order
            One chunk after the other, in one room.
        """
        blocks = -(-n // BLOCK)
        step = BLOCK * max(1, min(_MOST_BLOCKS, blocks // (4 * self.threads)))
        lent = _Lent(rooms.make)
        limit = threading.BoundedSemaphore(max(1, min(self.threads, _ROOM_BYTES // rooms.size)))

        def chunk(first: int) -> int:
            count = min(step, n - first)
            with limit, lent.one() as room:
                work(first, count, room)
            return count

        jobs = [partial(chunk, first) for first in range(0, n, step)]
        for batch in [[job] for job in jobs] if in_order else [jobs]:
            for done in self.each(batch):
                if advance is not None:
                    advance(done)
        return lent.rooms

    def through(self, count: int, call: Call) -> bool:
        """Call a kernel until `count` examinees are done, with deeper tables where it asks.

        False where the run was cancelled.
        """
        ranking = self.prepare()
        at = 0
        while at < count:
            at = call(ranking, at, _PATIENCE if ranking.can_deepen else _ENDLESS)
            if self.cancel[0]:
                return False
            if at < count:
                ranking = self.deepen(ranking)
        return True

    def _run_jobs(self, jobs: Sequence[Callable[[], None]]) -> None:
        """Run jobs in workers, so that Ctrl-C need not wait for a compilation either."""
        for _ in self.each(jobs):
            pass

    def each(self, jobs: Sequence[Callable[[], Value]]) -> Iterator[Value]:
        """Results of jobs as they end; signals are answered, and `heed` asked, between."""
        waiting: set[Future[Any]] = {self._pool.submit(job) for job in jobs}
        while waiting:
            # The timeout lets the main thread run signal handlers on every platform.
            ended, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            self._heed()
            for future in ended:
                yield future.result()


class _Lent(Generic[Room]):
    """Rooms that workers borrow; as many as were ever in use at once."""

    def __init__(self, make: Callable[[], Room]) -> None:
        self._make = make
        self._free: list[Room] = []
        self._lock = threading.Lock()
        self.rooms: list[Room] = []

    @contextmanager
    def one(self) -> Iterator[Room]:
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


def ranked_range(delivery: DeliverySettings) -> tuple[float, float]:
    """Where nearly all abilities lie that items are ranked at; others are ranked more slowly."""
    tails = np.array([_TAIL, 1.0 - _TAIL])
    ends = [*delivery.theta.quantile(tails).tolist()]
    if delivery.ability == "eap":
        ends += delivery.believed.quantile(tails).tolist()
    elif delivery.estimated:
        nodes, _ = grid(delivery)
        ends += [float(nodes[0]), float(nodes[-1])]
    if delivery.estimated:
        ends.append(delivery.first_estimate)
    return min(ends), max(ends)


def available_threads() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
