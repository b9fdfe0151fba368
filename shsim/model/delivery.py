"""The test that is simulated, and by whom it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from shsim.model.ability import AbilityDistribution, number
from shsim.model.item_pool import ItemPool

Rejection = Literal["position", "examinee"]
Ability = Literal["true"]

REJECTIONS: tuple[str, ...] = get_args(Rejection)
ABILITIES: tuple[str, ...] = get_args(Ability)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """The test that is simulated, and by whom it is taken.

    Attributes
    ----------
    length
        Items a test, L.
    rejection
        What a rejection means: see `REJECTIONS` and the README.
    ability
        Which theta ranks the items.
    theta
        The distribution of true ability.
    scale
        The scaling constant D of the 3PL.
    seed
        Of every draw; the same seed gives the same bytes.
    """

    length: int = 30
    rejection: Rejection = "position"
    ability: Ability = "true"
    theta: AbilityDistribution
    scale: float = 1.7
    seed: int

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        if self.length < 1:
            yield f"--len {self.length} must be at least 1."
        if not 0 < self.scale <= 100:
            yield f"--scale {number(self.scale)} is outside (0, 100]; D is 1.7 or 1."
        if not 0 <= self.seed < 2**63:
            yield f"--seed {self.seed} is outside [0, 2^63)."

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver."""
        if self.length > len(pool):
            yield (
                f"--len {self.length} is longer than the pool of {pool.name}, which holds"
                f" {len(pool)} items. Give a --len of at most {len(pool)}."
            )
