"""A few simulated tests, position by position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool

#: More tests than anybody reads.
MOST_TESTS = 1000

#: Examinees are numbered from 0; a run has no more.
_MOST_EXAMINEES = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSettings:
    """The tests to show: `tests` of them, from examinee `first` on, as `simulate` gives them."""

    delivery: DeliverySettings
    tests: int = 3
    first: int = 0

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        yield from self.delivery.problems()
        if not 1 <= self.tests <= MOST_TESTS:
            yield f"--tests {self.tests} is not from 1 to {MOST_TESTS:,}. Give one that is."
        if not 0 <= self.first < _MOST_EXAMINEES:
            last = _MOST_EXAMINEES - 1
            yield f"--first {self.first} is not from 0 to {last:,}. Give one that is."

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver."""
        yield from self.delivery.problems_with(pool)


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One position of a test; items are positions in the pool.

    Attributes
    ----------
    ranked_at
        The ability that ranked the items: theta, or the estimate before the response.
    item
        The item given.
    information
        Of that item at `ranked_at`.
    rejected
        Items proposed before it and rejected, in order.
    cut
        Whether there were more of them than a test's journal holds.
    forced
        Whether every item was rejected, and this one given all the same.
    right
        The response; None where ability is not estimated.
    theta_hat, standard_error
        The estimate after the response.
    """

    ranked_at: float
    item: int
    information: float
    rejected: tuple[int, ...]
    cut: bool
    forced: bool
    right: bool | None
    theta_hat: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class TracedTest:
    """The test of one examinee."""

    examinee: int
    theta: float
    steps: tuple[TraceStep, ...]

    @property
    def cut_at(self) -> int | None:
        """The position, from 1, at which the list of rejected items ends before its end."""
        return next((i for i, step in enumerate(self.steps, start=1) if step.cut), None)


@dataclass(frozen=True, slots=True, eq=False)
class TraceResult:
    """The tests that were asked for."""

    pool: ItemPool
    settings: TraceSettings
    tests: tuple[TracedTest, ...]
