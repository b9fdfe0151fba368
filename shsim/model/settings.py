"""What the user chooses: frozen, with each method's own defaults beside the method.

What changes the answer stands here and is recorded with a run; what changes only
the speed (threads) does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from shsim.model.ability import AbilityDistribution, number
from shsim.model.blueprint import Blueprint
from shsim.model.control import SYMPSON_HETTER, Control
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.methods import (
    AVERAGE_FROM,
    DEFAULT_NODES,
    METHOD_DEFAULTS,
    METHODS,
    Estimator,
    Method,
)
from shsim.model.ranges import bounds_problems, range_problems
from shsim.model.sweep_settings import SweepSettings
from shsim.model.trace import TraceSettings

#: Taken for a method that there is not, so that the rest can be checked too.
_STAND_IN = METHOD_DEFAULTS["classical", "position"]

#: Simulated examinees of `simulate` when `--n` is not given.
DEFAULT_SIMULATE_N = 200_000

#: Examinees of a verification, at most: a test given position by position takes ten times
#: as long as one that a single walk gives.
MOST_VERIFIED, MOST_VERIFIED_ADAPTIVE = 4_000_000, 640_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """What `simulate` needs: a test, how many examinees, and the cap to judge by."""

    delivery: DeliverySettings
    tau: float = 0.2
    n: int = DEFAULT_SIMULATE_N
    tol: float = 0.01
    method: Estimator = "sampled"
    nodes: int = DEFAULT_NODES
    control: Control = SYMPSON_HETTER

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        yield from self.delivery.problems()
        yield from range_problems(self)

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver."""
        yield from self.delivery.problems_with(pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSettings:
    """What `calibrate` needs; build it with :meth:`make`, which fills a method's defaults.

    Attributes
    ----------
    delivery
        The test and its examinees.
    tau
        The cap, in (0, 1].
    method
        The update rule.
    n, iters
        Simulated examinees an iteration (0 for `exact`); the most iterations.
    alpha, decay
        First step, in the log of k; exponent by which steps decay after the tenth.
    floor, ceil
        Bounds of every k.
    target
        The rule aims at `target`·tau, never under L/N.
    tol
        Relative excess over tau that counts as none.
    restart
        Start from k = 1 instead of the k in force.
    verify_n
        Examinees of the verification.
    nodes
        Quadrature nodes of theta, wherever expected exposure is computed.
    """

    delivery: DeliverySettings
    tau: float
    method: Method
    n: int
    iters: int
    alpha: float
    decay: float
    floor: float
    ceil: float
    target: float
    tol: float
    restart: bool
    verify_n: int
    nodes: int

    @classmethod
    def make(  # noqa: PLR0913 - each is an option of the command
        cls,
        delivery: DeliverySettings,
        *,
        tau: float = 0.2,
        method: Method = "classical",
        n: int | None = None,
        iters: int | None = None,
        alpha: float | None = None,
        decay: float | None = None,
        floor: float = 0.001,
        ceil: float = 1.0,
        target: float | None = None,
        tol: float = 0.01,
        restart: bool = False,
        verify_n: int | None = None,
        nodes: int = DEFAULT_NODES,
    ) -> CalibrationSettings:
        """Fill what was left out: the method's n, iters, alpha and decay, and the rest.

        `damped` with a decay of 0 is the first script, which aims at tau itself.
        """
        own = METHOD_DEFAULTS.get((method, delivery.rejection), _STAND_IN)
        chosen_decay = own.decay if decay is None else decay
        first_script = method == "damped" and chosen_decay == 0
        most = MOST_VERIFIED if delivery.one_pass else MOST_VERIFIED_ADAPTIVE
        return cls(
            delivery=delivery,
            tau=tau,
            method=method,
            n=own.examinees(tau) if n is None else n,
            iters=own.iters if iters is None else iters,
            alpha=own.alpha if alpha is None else alpha,
            decay=chosen_decay,
            floor=floor,
            ceil=ceil,
            target=target if target is not None else (1.0 if first_script else 0.995),
            tol=tol,
            restart=restart,
            verify_n=verification_size(tau, tol, most) if verify_n is None else verify_n,
            nodes=nodes,
        )

    @property
    def stratified(self) -> bool:
        """Stratified draws of theta; the first script drew plainly."""
        return not (self.method == "damped" and self.decay == 0)

    @property
    def average_from(self) -> int | None:
        """The iteration from which ln k is averaged; None where the last k is the answer."""
        if self.iters <= AVERAGE_FROM or self.decay == 0:
            return None
        own = METHOD_DEFAULTS[self.method, self.delivery.rejection]
        return max(AVERAGE_FROM, int(own.settle * self.iters))

    def aim(self, pool_size: int) -> float:
        """The exposure rate that the rule steers every restrained item to."""
        return max(self.target * self.tau, self.delivery.shortest / pool_size)

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        if self.method not in METHODS:
            yield f"--method {self.method!r} is none of {', '.join(METHODS)}. Give one of these."
        yield from self.delivery.problems()
        yield from range_problems(self)
        yield from bounds_problems(self.floor, self.ceil)

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver."""
        yield from self.delivery.problems_with(pool)
        length, size = self.delivery.shortest, len(pool)
        smallest = length / size
        if length <= size and 0 < self.tau < smallest:
            yield (
                f"--tau {number(self.tau)} cannot be met: {length} items a test from a pool of"
                f" {size} give a mean exposure of {smallest:.6g}. Give a --tau of at least"
                f" {_round_up(smallest):g}, a shorter --len or a larger pool."
            )
        if self.delivery.blueprint is not None and 0 < self.tau <= 1:
            yield from self.delivery.blueprint.problems_under(pool, self.tau, length)


Settings = SimulationSettings | SweepSettings | CalibrationSettings | TraceSettings


def verification_size(tau: float, tol: float, most: int = MOST_VERIFIED) -> int:
    """Examinees that show a relative excess of `tol` over `tau` at four standard errors.

    Within [20,000, `most`]: the verification always says which excess it could see.
    """
    if not (0 < tau <= 1 and tol > 0):
        return 20_000  # refused by `problems`, all in one message
    wanted = 16 * (1 - tau) / tau / tol / tol  # a product of tiny numbers would be 0
    return int(min(max(wanted, 20_000), most))


def _round_up(rate: float) -> float:
    """`rate` rounded up to four decimals, so that what a message suggests is accepted."""
    return -(-rate * 10_000 // 1) / 10_000


def settings_as_dict(settings: Settings) -> dict[str, Any]:
    """Settings as plain values, the test's among them, for JSON and the ledger."""
    plain: dict[str, Any] = {}
    for owner in (settings.delivery, settings):
        for field in fields(owner):
            value = getattr(owner, field.name)
            if isinstance(value, AbilityDistribution | Control):
                plain[field.name] = value.spelling
            elif isinstance(value, Blueprint):
                plain[field.name] = value.as_dict()
            elif field.name != "delivery":
                plain[field.name] = value
    return plain
