"""Expected exposure of a table of k, without noise, where theta itself ranks the items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.exact import (
    NEGLIGIBLE,
    acceptance_table,
    carry,
    expected_information,
    forced_by_examinee,
    order_nodes,
)
from shsim.kernels.ranking import Ranking
from shsim.kernels.sitting import make_examinees
from shsim.kernels.workspace import DECILES, make_scratch
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.workflow.executor import Executor

#: Nodes are dealt to so many lanes, whatever the number of threads, and lanes are
#: added in their order: the same bytes on any machine. Two lanes make a decile of theta.
_LANES = 2 * DECILES

#: Rankings start this many times as long as the test, and grow by as much again.
_DEPTH_PER_ITEM = 6

#: How many times as deep they are at the end, as a rule.
_USUAL_DEPTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What a table of k does to an examinee drawn at random.

    Attributes
    ----------
    rate
        Expected exposure rates, (N,), but for forced positions.
    reached
        (N, L): the probability that the item is reached with m = column + 1 positions open.
    by_decile
        (10, N): exposure rates within each theta decile.
    left
        Positions a test that the walk leaves open, to be filled by force: L - Σ rate.
    forced
        (10, N): what force adds to `by_decile`. Exact under `examinee`; 0 under
        `position`, where only simulation can tell.
    """

    rate: FloatArray
    reached: FloatArray
    by_decile: FloatArray
    left: float
    forced: FloatArray


def nodes_of(theta: AbilityDistribution, count: int) -> FloatArray:
    """Equal-probability midpoints, ascending, at least one to a lane.

    A fixed ability needs no more than that; an empirical one of up to `count` values has
    each of them equally often.
    """
    if theta.kind == "fixed":
        count = _LANES
    elif theta.kind == "empirical" and len(theta.values) <= count:
        count = len(theta.values) * -(-_LANES // len(theta.values))
    return theta.quantile((np.arange(count) + 0.5) / count)


def working_bytes(nodes: int, size: int, length: int, ceil: float = 1.0) -> int:
    """Memory that :class:`Expectation` takes: its rankings, the former too, and its lanes' sums.

    No k is over `ceil`, or walks are so much longer. Where rejections are so many all the same
    that they outgrow rankings of this depth it takes more.
    """
    length = min(length, size)
    depth = int(min(_USUAL_DEPTH * _DEPTH_PER_ITEM * length / ceil, size))
    return 10 * nodes * depth + 8 * (_LANES + 1) * size * (length + 1)


class Expectation:
    """The closed chain over the nodes of one pool and one test.

    Rankings are found once; each call of :meth:`of` then carries the distribution of
    open positions down them. Results do not depend on the number of threads.

    Parameters
    ----------
    executor
        Whose threads and tables are used.
    pool, delivery
        The items and the test.
    nodes
        Quadrature nodes. With 4,000 the largest rate errs by under .1 % of tau.
    """

    def __init__(
        self, executor: Executor, pool: ItemPool, delivery: DeliverySettings, nodes: int
    ) -> None:
        self._executor = executor
        self._size = len(pool)
        self._length = delivery.length
        self._by_position = delivery.rejection == "position"
        self.theta = nodes_of(delivery.theta, nodes)
        edges = np.linspace(0, len(self.theta), _LANES + 1).astype(np.int64)
        self._lanes = [slice(a, b) for a, b in pairwise(edges.tolist())]
        self._rank(min(_DEPTH_PER_ITEM * delivery.length, self._size))

    def of(self, k: FloatArray) -> Expected:
        """What the table `k`, (N,) in [0, 1], does."""
        while True:
            accept = acceptance_table(k[self._items], self._length, by_position=self._by_position)
            lanes = np.zeros((_LANES, *accept.shape))
            left = np.empty(len(self.theta))
            unfinished = sum(
                self._executor.each(
                    [
                        partial(self._carry, accept, lanes[j], left[lane], lane)
                        for j, lane in enumerate(self._lanes)
                    ]
                )
            )
            depth = self._orders.shape[1]
            if unfinished == 0 or depth == self._size:
                return self._expected(accept, lanes, float(left.mean()))
            self._rank(min(2 * depth, self._size))

    def information(self, k: FloatArray) -> FloatArray:
        """Expected test information as given and uncontrolled, by theta decile, (10, 2)."""
        self.of(k)  # rankings as long as walks go
        accept = acceptance_table(k[self._items], self._length, by_position=self._by_position)
        gained = np.empty((len(self.theta), 2))

        def lane(part: slice) -> None:
            expected_information(
                self._executor.prepare().tables.items,
                self.theta[part],
                self._orders[part],
                self._items,
                accept,
                np.empty(self._length + 1),
                gained[part],
            )

        for _ in self._executor.each([partial(lane, part) for part in self._lanes]):
            pass
        means = np.array([gained[part].mean(axis=0) for part in self._lanes])
        by_decile: FloatArray = means.reshape(DECILES, 2, 2).mean(axis=1)
        return by_decile

    def proposals(self, k: FloatArray, expected: Expected) -> FloatArray:
        """Expected proposals a test, (N,): an item is proposed until it accepts."""
        reached: FloatArray = expected.reached.sum(axis=1)
        if not self._by_position:
            return reached
        # E[min(G, m)] = (1-(1-k)^m)/k, and m where k = 0.
        waiting = expected.reached @ np.arange(1.0, self._length + 1)
        return np.where(k > 0, expected.rate / np.where(k > 0, k, 1.0), waiting)

    def _carry(self, accept: FloatArray, lane: FloatArray, left: FloatArray, part: slice) -> int:
        return carry(self._orders[part], accept, np.empty(self._length + 1), lane, left)

    def _expected(self, accept: FloatArray, lanes: FloatArray, left: float) -> Expected:
        """Rates and histograms of the whole pool from the lanes' sums."""
        sizes = np.array([part.stop - part.start for part in self._lanes], dtype=np.float64)
        taken = np.einsum("jim,im->ji", lanes, accept).reshape(DECILES, 2, -1).sum(axis=1)
        by_decile = np.zeros((DECILES, self._size))
        by_decile[:, self._items] = taken / sizes.reshape(DECILES, 2).sum(axis=1)[:, None]
        rate = np.zeros(self._size)
        rate[self._items] = taken.sum(axis=0) / len(self.theta)
        reached = np.zeros((self._size, self._length))
        reached[self._items] = lanes.sum(axis=0)[:, 1:] / len(self.theta)
        return Expected(rate, reached, by_decile, left, np.zeros_like(by_decile))

    def with_forced(self, k: FloatArray, expected: Expected) -> Expected:
        """`expected`, which is of `k`, with what force adds where the pool runs short."""
        if self._by_position or expected.left < NEGLIGIBLE:
            return expected
        self._rank(self._size)
        forced = np.empty((_LANES, self._size))

        def lane(j: int, part: slice) -> None:
            sums = forced_by_examinee(self._orders[part], k[self._items], self._length)
            forced[j, self._items] = sums / (part.stop - part.start)

        for _ in self._executor.each([partial(lane, j, p) for j, p in enumerate(self._lanes)]):
            pass
        return replace(expected, forced=forced.reshape(DECILES, 2, -1).mean(axis=1))

    def _rank(self, depth: int) -> None:
        """Find each node's `depth` best items, and number the items that occur in them."""
        ranking = self._executor.prepare()
        while ranking.depth < depth and ranking.can_deepen:
            ranking = self._executor.deepen(ranking)
        orders = np.empty((len(self.theta), depth), np.int32)
        jobs = [partial(self._order, ranking, part, orders) for part in self._lanes]
        for _ in self._executor.each(jobs):
            pass
        seen = np.zeros(self._size, np.bool_)
        seen[orders.ravel()] = True
        self._items: IntArray = np.flatnonzero(seen)
        number = np.empty(self._size, np.int32)
        number[self._items] = np.arange(len(self._items), dtype=np.int32)
        self._orders: AnyArray = number[orders]

    def _order(self, ranking: Ranking, part: slice, orders: AnyArray) -> None:
        theta = np.ascontiguousarray(self.theta[part])
        examinees = make_examinees(ranking.tables, theta, np.empty(0, np.uint8), 0, np.uint64(0))
        order_nodes(ranking.tables, theta, examinees.bin, make_scratch(self._size), orders[part])
