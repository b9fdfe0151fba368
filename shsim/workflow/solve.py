"""The `exact` method: the classical rule on exact histograms, until every k stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.anderson import Anderson
from shsim.kernels.update import move, roots_by_examinee, roots_by_position
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.results import IterationRecord
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expectation, Expected

#: The rates have settled when none is further from the aim than this, relatively.
SETTLED = 1e-4

#: A cap is met when no rate is further over it, and no more positions a test are left open.
MET = 1e-3

#: The iterations come near on so many times fewer nodes, and end on all of them: two to
#: four times as fast as all of them on all (`scripts/bench/exact.py`).
_COARSER = 8
_FEWEST_NODES = 200

#: Before this iteration a pool is not said to run short: k may be on their way up.
_SHORT_FROM = 30

Each = Callable[[IterationRecord, Expected], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What to solve for: the rate that restrained items are to have, and bounds of k.

    The iterations end when no rate is further from the aim than `settled`, relatively.
    With `only_met` any table that meets the aim as a cap will do.
    """

    aim: float
    floor: float = 0.0
    ceil: float = 1.0
    iters: int = 200
    settled: float = SETTLED
    only_met: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A table of k, what it does, and whether the iterations settled."""

    k: FloatArray
    expected: Expected
    iterations: int
    converged: bool

    def meets(self, tau: float) -> bool:
        """Whether the cap is met and tests are filled (not by force)."""
        return meets(self.expected, tau)


class Solver:
    """Solves one pool and test for any number of targets; rankings are found once."""

    def __init__(
        self, executor: Executor, pool: ItemPool, delivery: DeliverySettings, nodes: int
    ) -> None:
        self._by_position = delivery.rejection == "position"
        coarse = nodes // _COARSER
        levels = [coarse, nodes] if coarse >= _FEWEST_NODES else [nodes]
        self._levels = [Expectation(executor, pool, delivery, count) for count in levels]

    @property
    def fine(self) -> Expectation:
        """The expectation on all nodes."""
        return self._levels[-1]

    def solve(self, start: FloatArray, target: Target, each: Each | None = None) -> Solution:
        """Find the k whose exact rates meet the target, from `start`, (N,).

        `each` is told of every iteration. Where the pool runs short the iterations end
        unsettled.
        """
        solution = self.solve_roughly(start, target, each)
        if len(self._levels) == 1 or not solution.converged:
            return solution
        return self._on(self.fine, solution.k, target, solution.iterations, each)

    def solve_roughly(
        self, start: FloatArray, target: Target, each: Each | None = None
    ) -> Solution:
        """The same on few nodes: right to about .5 % of the aim, and much sooner."""
        return self._on(self._levels[0], start, target, 0, each)

    def _on(
        self, level: Expectation, start: FloatArray, target: Target, done: int, each: Each | None
    ) -> Solution:
        """Iterate on one level of nodes; `done` iterations went before."""
        rule = roots_by_position if self._by_position else roots_by_examinee
        k = np.clip(start, target.floor, target.ceil)
        mixer = Anderson()
        for t in range(target.iters):
            began = time.perf_counter()
            expected = level.of(k)
            converged = settled(k, expected.rate, target)
            if each is not None:
                each(_record(done + t, expected, target.aim, began), expected)
            enough = target.only_met and meets(expected, target.aim)
            if converged or enough or t == target.iters - 1 or _short(expected, target, t):
                break
            plain = move(k, rule(expected.reached, target.aim), 1.0, target.floor, target.ceil)
            mixed = np.clip(mixer.next(k, plain), target.floor, target.ceil)
            # What the rule puts at a bound stays there exactly.
            k = np.where((plain > target.floor) & (plain < target.ceil), mixed, plain)
        return Solution(k, expected, done + t + 1, converged)


def meets(expected: Expected, tau: float) -> bool:
    """Whether the cap is met, and tests are filled without force."""
    return bool(expected.rate.max() <= tau * (1 + MET)) and expected.left <= MET


def settled(k: FloatArray, rate: FloatArray, target: Target) -> bool:
    """Whether each item is at the aim, or under it at the ceil, or over it at the floor."""
    excess = rate / target.aim - 1.0
    high_enough = (excess >= -target.settled) | (k >= target.ceil)
    low_enough = (excess <= target.settled) | (k <= target.floor)
    return bool(np.all(high_enough & low_enough))


def _short(expected: Expected, target: Target, t: int) -> bool:
    """Whether every rate is at the aim or under it, and tests are not full all the same."""
    return (
        t >= _SHORT_FROM
        and expected.left > MET
        and bool(expected.rate.max() <= target.aim * (1 + SETTLED))
    )


def _record(t: int, expected: Expected, aim: float, began: float) -> IterationRecord:
    largest = float(expected.rate.max())
    return IterationRecord(
        iter=t,
        avg_exp=float(expected.rate.mean()),
        max_exp=largest,
        max_over=max(largest - aim, 0.0),
        seconds=time.perf_counter() - began,
    )
