"""The test that is simulated, and by whom it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from shsim.model.ability import LARGEST_THETA, AbilityDistribution, number
from shsim.model.blueprint import Blueprint
from shsim.model.item_pool import ItemPool

Rejection = Literal["position", "examinee"]
Ability = Literal["true", "eap", "map", "mle", "wle"]

REJECTIONS: tuple[str, ...] = get_args(Rejection)
ABILITIES: tuple[str, ...] = get_args(Ability)

#: Estimates reach so many standard deviations of what is believed to either side.
REACH = 4.0

#: Estimates that a prior bears on.
WITH_PRIOR = ("eap", "map")

#: A distribution narrower than this share of its abilities is a point for every estimate.
_NARROWEST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """The test that is simulated, and by whom it is taken.

    Attributes
    ----------
    length
        Items a test, L; with `se_stop` the most.
    rejection
        What a rejection means: see `REJECTIONS` and the README.
    ability
        Which theta ranks the items: the true one, or an estimate after each response.
    theta
        The distribution of true ability.
    scale
        The scaling constant D of the 3PL.
    seed
        Of every draw; the same seed gives the same bytes.
    start
        The estimate before the first response; None: the mean of `theta`.
    prior
        Of EAP and MAP; None: `theta`.
    se_stop, min_len
        A test ends once the standard error is at most `se_stop`, after `min_len` items at
        least; None: all tests have `length` items.
    blueprint
        The least and the most items of each topic; None: any.
    """

    length: int = 30
    rejection: Rejection = "position"
    ability: Ability = "true"
    theta: AbilityDistribution
    scale: float = 1.7
    seed: int
    start: float | None = None
    prior: AbilityDistribution | None = None
    se_stop: float | None = None
    min_len: int | None = None
    blueprint: Blueprint | None = None

    @property
    def estimated(self) -> bool:
        """Whether ability is estimated from responses."""
        return self.ability != "true"

    @property
    def one_pass(self) -> bool:
        """Whether the ranking is fixed within a test, so that one walk gives it all."""
        return not self.estimated and self.blueprint is None

    @property
    def shortest(self) -> int:
        """Items that every test has at least."""
        return self.length if self.se_stop is None else self.min_len or 1

    @property
    def first_estimate(self) -> float:
        """The estimate before the first response."""
        return self.theta.mean if self.start is None else self.start

    @property
    def believed(self) -> AbilityDistribution:
        """What is believed of ability before the first response."""
        return self.theta if self.prior is None else self.prior

    @property
    def reach(self) -> tuple[float, float]:
        """The smallest and the largest estimate: four standard deviations, or a range's ends."""
        believed = self.believed
        if not has_spread(believed):  # nothing to go by but its place
            return believed.mean - REACH, believed.mean + REACH
        if believed.kind == "uniform":
            return believed.first, believed.second
        if believed.kind == "normal" or self.ability in ("mle", "wle"):
            return (
                believed.first - REACH * believed.second,
                believed.first + REACH * believed.second,
            )
        return float(believed.values[0]), float(believed.values[-1])

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        if self.length < 1:
            name = "--len" if self.se_stop is None else "--max-len"
            yield f"{name} {self.length} is under 1. Give at least 1."
        if not 0 < self.scale <= 100:
            yield (
                f"--scale {number(self.scale)} is outside (0, 100]."
                " Give 1.7 or 1, as the a were scaled."
            )
        if not 0 <= self.seed < 2**63:
            yield f"--seed {self.seed} is outside [0, 2^63). Give one inside, or none."
        for name, value, known in (
            ("--ability", self.ability, ABILITIES),
            ("--rejection", self.rejection, REJECTIONS),
        ):
            if value not in known:
                yield f"{name} {value!r} is none of {', '.join(known)}. Give one of these."
        low, high = self.reach
        if self.start is not None and self.estimated and not low <= self.start <= high:
            yield (
                f"--start {number(self.start)} is outside what an estimate can be here,"
                f" {low:.4g} to {high:.4g}. Give one inside, or another --prior."
            )
        yield from self._stopping_problems()
        yield from self._prior_problems()
        yield from self.content_problems()

    def content_problems(self) -> Iterator[str]:
        """Those that stand in the blueprint's file, not on the command line."""
        if self.blueprint is not None and self.length >= 1:
            yield from self.blueprint.problems(self.length)

    def _stopping_problems(self) -> Iterator[str]:
        if self.se_stop is not None and not 0 < self.se_stop <= LARGEST_THETA:
            yield (
                f"--se-stop {number(self.se_stop)} is not in (0, {LARGEST_THETA:g}]. Give 0.3, say."
            )
        if self.se_stop is not None and not self.estimated:
            yield "--se-stop ends a test by the error of an estimate. Give --ability eap too."
        if self.min_len is not None and not 1 <= self.min_len <= max(self.length, 1):
            yield (
                f"--min-len {self.min_len} is not between 1 and --max-len {self.length}."
                " Give one that is."
            )

    def _prior_problems(self) -> Iterator[str]:
        if self.ability not in WITH_PRIOR:
            return
        believed = self.believed
        if not has_spread(believed):
            yield (
                f"--ability {self.ability} has nothing to estimate where the prior is"
                f" {believed.spelling}. Give one with a spread: --prior"
                f" normal:{number(believed.mean)},1"
            )
        elif self.ability == "map" and believed.kind == "empirical":
            yield (
                f"--ability map wants a prior with a density, which {believed.spelling} has not."
                f" Give one like it: --prior normal:{believed.first:.4g},{believed.second:.4g}"
            )

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver."""
        if self.length > len(pool):
            name = "--len" if self.se_stop is None else "--max-len"
            yield (
                f"{name} {self.length} is longer than the pool of {pool.name}, which holds"
                f" {len(pool)} items. Give a {name} of at most {len(pool)}."
            )
        elif self.blueprint is not None:
            yield from self.blueprint.problems_with(pool, self.length)


def has_spread(believed: AbilityDistribution) -> bool:
    """Whether abilities differ enough for an estimate to tell them apart."""
    if believed.kind == "empirical":
        low, high = float(believed.values[0]), float(believed.values[-1])
    elif believed.kind == "uniform":
        low, high = believed.first, believed.second
    else:  # 0 for `fixed`
        low, high = believed.first - believed.second, believed.first + believed.second
    return high - low > _NARROWEST * max(abs(low), abs(high), 1.0)
