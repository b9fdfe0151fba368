"""Tests ranked at the true theta: one walk gives each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.kernels.acceptance import make_rule
from shsim.kernels.administer import administer
from shsim.kernels.ranking import Ranking
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
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import BLOCK, Executor, Rooms
from shsim.workflow.totals import Totals, measured_blocks


@dataclass(slots=True, eq=False)
class _Room:
    """What one worker writes to."""

    tallies: Tallies
    scratch: Scratch
    decile_sizes: IntArray


class OnePassTests:
    """Tests of one pool at the true theta, on an executor's threads and tables."""

    def __init__(self, executor: Executor, delivery: DeliverySettings) -> None:
        self._executor = executor
        self._length = delivery.length
        self._by_position = delivery.rejection == "position"

    def run(
        self,
        cohort: Cohort,
        k: FloatArray,
        *,
        histogram: bool = False,
        measure: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> Totals:
        """Test every examinee of the cohort; see :class:`shsim.workflow.totals.Tests`."""
        executor = self._executor
        executor.prepare()
        rule = make_rule(k, self._length, by_position=self._by_position)
        information = np.zeros((measured_blocks(cohort.n) if measure else 0, 2))

        def chunk(first: int, count: int, room: _Room) -> None:
            theta, decile = cohort.abilities(first, count)
            room.decile_sizes += np.bincount(decile, minlength=DECILES)
            tables = executor.prepare().tables
            examinees = make_examinees(tables, theta, decile, first, cohort.acceptance_key)
            tallies, block = room.tallies, first // BLOCK
            inform = block < len(information)
            if inform:
                tallies = tallies._replace(information=np.zeros((count, 2)))

            def call(ranking: Ranking, at: int, patience: int) -> int:
                return administer(
                    ranking.tables, rule, examinees, tallies,
                    room.scratch, at, patience, executor.cancel,
                )  # fmt: skip

            if executor.through(count, call) and inform:
                sums = np.add.reduceat(tallies.information, np.arange(0, count, BLOCK), axis=0)
                information[block : block + len(sums)] = sums[: len(information) - block]

        rooms = executor.over_chunks(
            cohort.n, chunk, self._rooms(len(k), histogram=histogram, measure=measure), advance
        )
        return _add_up(cohort.n, rooms, information)

    def _rooms(self, size: int, *, histogram: bool, measure: bool) -> Rooms[_Room]:
        """Empty tallies and scratch for workers."""

        def make() -> _Room:
            tallies = make_tallies(
                size,
                self._length,
                histogram=histogram and self._by_position,
                by_decile=measure,
            )
            return _Room(tallies, make_scratch(size), np.zeros(DECILES, np.int64))

        return Rooms(make, 8 * size * (2 + DECILES + (self._length if histogram else 0)))


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
