"""Tests given position by position, however items are chosen: chunks, sums, errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.acceptance import make_rule
from shsim.kernels.desk import (
    HISTOGRAM,
    INFORMATION,
    STANDARD_ERROR,
    THETA_HAT,
    Desk,
    Sums,
    make_desk,
    make_sums,
)
from shsim.kernels.grid import least_error, make_curves
from shsim.kernels.plan import Content, Plan, Test, no_content
from shsim.kernels.ranking import Ranking
from shsim.kernels.sitting import Examinees, make_examinees
from shsim.kernels.update import potential_proposals
from shsim.kernels.workspace import DECILES, PROPOSED, SEEN
from shsim.model.delivery import ABILITIES, DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.prior import grid, nodes_for
from shsim.report.accuracy import ERROR_COLUMNS, error_terms
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import BLOCK, Executor, Rooms
from shsim.workflow.totals import Totals, measured_blocks

#: A kernel call: who is tested, what is written to, the tables, where to go on, the patience;
#: where it ended.
Give = Callable[[Examinees, Sums, Desk, Ranking, int, int], int]


@dataclass(slots=True, eq=False)
class Room:
    """What one worker writes to."""

    sums: Sums
    desk: Desk
    decile_sizes: IntArray


class StepwiseTests:
    """Tests of one pool, position by position, on an executor's threads and tables."""

    def __init__(self, executor: Executor, pool: ItemPool, delivery: DeliverySettings) -> None:
        self._executor = executor
        self._delivery = delivery
        self._centre = delivery.theta.mean
        nodes, weights = grid(delivery)
        if delivery.estimated:
            finest = least_error(executor.items, nodes[::2], delivery.length)
            nodes, weights = grid(delivery, nodes_for(delivery, finest))
        believed = delivery.believed
        normal = (believed.first, believed.second) if believed.kind == "normal" else None
        # The place among ABILITIES is the kernels' code: TRUE … WLE.
        estimator = ABILITIES.index(delivery.ability)
        self._curves = make_curves(
            executor.items,
            nodes,
            weights,
            estimator,
            normal if delivery.ability == "map" else None,
        )
        self._plan = Plan(
            estimator=estimator,
            start=float(delivery.first_estimate),
            shortest=int(delivery.shortest),
            longest=int(delivery.length),
            se_stop=float(delivery.se_stop or 0.0),
        )
        self._content = content_of(pool, delivery)

    def over(
        self,
        cohort: Cohort,
        give: Give,
        key: np.uint64,
        *,
        histogram: bool = False,
        measure: bool = False,
        in_order: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> Totals:
        """Test every examinee of the cohort; see :class:`shsim.workflow.totals.Tests`.

        Parameters
        ----------
        cohort, histogram, measure, advance
            As in `Tests.run`.
        give
            A kernel call.
        key
            Of the draws that control exposure.
        in_order
            One examinee after another, as a test that depends on earlier ones must be given.
        """
        executor, size = self._executor, len(self._executor.items)
        tables = executor.prepare().tables
        blocks = measured_blocks(cohort.n) if measure else 0
        information = np.zeros(blocks)
        errors = np.zeros((blocks, DECILES, ERROR_COLUMNS))

        def chunk(first: int, count: int, room: Room) -> None:
            theta, decile = cohort.abilities(first, count)
            room.decile_sizes += np.bincount(decile, minlength=DECILES)
            examinees = make_examinees(tables, theta, decile, first, key, cohort.answer_key)
            if in_order:
                examinees = examinees._replace(order=np.arange(count))
            sums, block = room.sums, first // BLOCK
            inform = block < blocks
            if inform:
                sums = sums._replace(outcome=np.zeros((count, INFORMATION + 1)))
            call = partial(give, examinees, sums, room.desk)
            if executor.through(count, call) and inform:
                self._average(theta, decile, sums.outcome, information[block:], errors[block:])

        rooms = executor.over_chunks(
            cohort.n,
            chunk,
            self._rooms(size, histogram=histogram, measure=measure),
            advance,
            in_order=in_order,
        )
        return self._add_up(cohort.n, rooms, information, errors)

    def test(self, k: FloatArray) -> Test:
        """The test as kernels want it."""
        by_position = self._delivery.rejection == "position"
        rule = make_rule(k, self._delivery.length, by_position=by_position)
        tables = self._executor.prepare().tables
        return Test(tables, self._curves, rule, self._plan, self._content)

    def desk(self, trail: int = 0) -> Desk:
        """Room for one worker."""
        topics = len(self._content.least)
        size = len(self._executor.items)
        return make_desk(size, self._delivery.length, len(self._curves.nodes), topics, trail)

    def _average(
        self,
        theta: FloatArray,
        decile: AnyArray,
        outcome: FloatArray,
        information: FloatArray,
        errors: FloatArray,
    ) -> None:
        """Add a chunk's outcomes up by block and decile, from its first block on."""
        count = min(len(theta), BLOCK * len(information))
        starts = np.arange(0, count, BLOCK)
        sums = np.add.reduceat(outcome[:count, INFORMATION], starts)
        information[: len(sums)] = sums
        terms = error_terms(
            theta[:count] - self._centre,
            outcome[:count, THETA_HAT] - self._centre,
            outcome[:count, STANDARD_ERROR],
        )
        cell = np.arange(count) // BLOCK * DECILES + decile[:count]
        for column, term in enumerate(terms):
            added = np.bincount(cell, term, len(starts) * DECILES)
            errors[: len(starts), :, column] = added.reshape(-1, DECILES)

    def _rooms(self, size: int, *, histogram: bool, measure: bool) -> Rooms[Room]:
        """Empty sums and desks for workers."""
        length = self._delivery.length
        by_position = self._delivery.rejection == "position"

        def make() -> Room:
            sums = make_sums(size, length, histogram=histogram and by_position, by_decile=measure)
            return Room(sums, self.desk(), np.zeros(DECILES, np.int64))

        return Rooms(make, 8 * size * (2 + DECILES + (2 * length if histogram else 0)))

    def _add_up(
        self, n: int, rooms: list[Room], information: FloatArray, errors: FloatArray
    ) -> Totals:
        """The sum over rooms; integers, so that their order does not matter."""
        sums = rooms[0].sums
        for room in rooms[1:]:
            for i in range(len(sums) - 1):  # all but the outcomes
                sums[i][...] += room.sums[i]
        length = self._delivery.length
        accepted = sums.counts[:, HISTOGRAM : HISTOGRAM + length]
        rejected = sums.counts[:, HISTOGRAM + length :]
        informed = max(min(n, BLOCK * len(information)), 1)
        return Totals(
            n=n,
            seen=sums.counts[:, SEEN].copy(),
            proposed=sums.counts[:, PROPOSED].copy(),
            reached=potential_proposals(accepted, rejected),
            forced=int(sums.forced[0]),
            by_decile=sums.by_decile,
            decile_sizes=np.sum([room.decile_sizes for room in rooms], axis=0),
            information=(float(information.sum()) / informed, None),
            lengths=None if self._delivery.se_stop is None else sums.lengths,
            errors=errors.sum(axis=0) if self._delivery.estimated and len(errors) else None,
        )


def content_of(pool: ItemPool, delivery: DeliverySettings) -> Content:
    """The blueprint as kernels want it."""
    if delivery.blueprint is None:
        return no_content()
    of_item, least, most = delivery.blueprint.classes(pool, delivery.length)
    return Content(np.ascontiguousarray(of_item, dtype=np.int32), least, most)
