"""What `sweep` is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shsim.model.ability import number
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.methods import DEFAULT_NODES
from shsim.model.ranges import bounds_problems, range_problems


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """What `sweep` needs: one of `taus` and `lengths` usually has several values.

    `delivery.length` is not used; `lengths` is.
    """

    delivery: DeliverySettings
    taus: tuple[float, ...]
    lengths: tuple[int, ...]
    floor: float = 0.001
    ceil: float = 1.0
    iters: int = 200
    tol: float = 0.01
    nodes: int = DEFAULT_NODES

    @property
    def points(self) -> tuple[tuple[int, float], ...]:
        """(length, tau) in the order in which they are shown."""
        return tuple((length, tau) for length in self.lengths for tau in self.taus)

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        for length in self.lengths:
            yield from replace(self.delivery, length=length).problems()
        for tau in self.taus:
            if not 0 < tau <= 1:
                yield f"--tau {number(tau)} is not in (0, 1]. Give one that is."
        yield from range_problems(self)
        yield from bounds_problems(self.floor, self.ceil)

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver; a tau too small is marked, not refused."""
        for length in self.lengths:
            yield from replace(self.delivery, length=length).problems_with(pool)
