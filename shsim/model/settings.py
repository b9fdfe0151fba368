"""What the user chooses: frozen, with each method's own defaults beside the method.

What changes the answer stands here and is recorded with a run; what changes only
the speed (threads) does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from shsim.model.ability import AbilityDistribution, number
from shsim.model.item_pool import ItemPool
from shsim.model.methods import AVERAGE_FROM, DEFAULT_NODES, METHOD_DEFAULTS, Estimator, Method

Rejection = Literal["position", "examinee"]
Ability = Literal["true"]

REJECTIONS: tuple[str, ...] = get_args(Rejection)
ABILITIES: tuple[str, ...] = get_args(Ability)

#: Simulated examinees of `simulate` when `--n` is not given.
DEFAULT_SIMULATE_N = 200_000


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """What `simulate` needs: a test, how many examinees, and the cap to judge by."""

    delivery: DeliverySettings
    tau: float = 0.2
    n: int = DEFAULT_SIMULATE_N
    tol: float = 0.01
    method: Estimator = "sampled"
    nodes: int = DEFAULT_NODES

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        yield from self.delivery.problems()
        yield from _range_problems(self)

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver."""
        yield from self.delivery.problems_with(pool)


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
                yield f"--tau {number(tau)} is not in (0, 1]."
        yield from _range_problems(self)
        yield from _bounds_problems(self.floor, self.ceil)

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver; a tau too small is marked, not refused."""
        for length in self.lengths:
            yield from replace(self.delivery, length=length).problems_with(pool)


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
        own = METHOD_DEFAULTS[method, delivery.rejection]
        chosen_decay = own.decay if decay is None else decay
        first_script = method == "damped" and chosen_decay == 0
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
            verify_n=verification_size(tau, tol) if verify_n is None else verify_n,
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
        return max(self.target * self.tau, self.delivery.length / pool_size)

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        yield from self.delivery.problems()
        yield from _range_problems(self)
        yield from _bounds_problems(self.floor, self.ceil)

    def problems_with(self, pool: ItemPool) -> Iterator[str]:
        """What this pool cannot deliver."""
        yield from self.delivery.problems_with(pool)
        length, size = self.delivery.length, len(pool)
        smallest = length / size
        if length <= size and self.tau < smallest:
            yield (
                f"--tau {number(self.tau)} cannot be met: {length} items a test from a pool of"
                f" {size} give a mean exposure of {smallest:.6g}. Give a --tau of at least"
                f" {_round_up(smallest):g}, a shorter --len or a larger pool."
            )


Settings = SimulationSettings | SweepSettings | CalibrationSettings


def verification_size(tau: float, tol: float) -> int:
    """Examinees that show a relative excess of `tol` over `tau` at four standard errors.

    Within [20,000, 4,000,000]: the verification always says which excess it could see.
    """
    if not (0 < tau <= 1 and tol > 0):
        return 20_000  # refused by `problems`, all in one message
    wanted = 16 * (1 - tau) / tau / tol / tol  # a product of tiny numbers would be 0
    return int(min(max(wanted, 20_000), 4_000_000))


#: setting, its range in words, test
_RANGES: tuple[tuple[str, str, Callable[[float], bool]], ...] = (
    ("tau", "in (0, 1]", lambda x: 0 < x <= 1),
    ("n", "from 1 to 1,000,000,000", lambda x: 1 <= x <= 10**9),
    ("nodes", "from 20 to 1,000,000", lambda x: 20 <= x <= 10**6),
    ("verify_n", "from 1 to 1,000,000,000", lambda x: 1 <= x <= 10**9),
    ("iters", "from 1 to 100,000", lambda x: 1 <= x <= 100_000),
    ("alpha", "in (0, 10]", lambda x: 0 < x <= 10),
    ("decay", "in [0, 1]", lambda x: 0 <= x <= 1),
    ("floor", "in [0, 1]", lambda x: 0 <= x <= 1),
    ("ceil", "in (0, 1]", lambda x: 0 < x <= 1),
    ("target", "in (0, 1]", lambda x: 0 < x <= 1),
    ("tol", "in (0, 1]", lambda x: 0 < x <= 1),
)


def _range_problems(settings: Settings) -> Iterator[str]:
    """One sentence for each number outside its range (NaN is outside every range)."""
    names = {field.name for field in fields(settings)}
    for name, words, good in _RANGES:
        if name not in names or (name == "n" and getattr(settings, "method", "") == "exact"):
            continue
        if not good(value := getattr(settings, name)):
            yield f"--{name.replace('_', '-')} {number(value)} is not {words}."


def _bounds_problems(floor: float, ceil: float) -> Iterator[str]:
    """Whether floor and ceil, each in its range, leave room between them."""
    if 0 <= ceil < floor <= 1:
        yield (
            f"--floor {number(floor)} is over --ceil {number(ceil)}."
            " Give a --floor of at most the --ceil."
        )


def _round_up(rate: float) -> float:
    """`rate` rounded up to four decimals, so that what a message suggests is accepted."""
    return -(-rate * 10_000 // 1) / 10_000


def settings_as_dict(settings: Settings) -> dict[str, Any]:
    """Settings as plain values, the test's among them, for JSON and the ledger."""
    plain: dict[str, Any] = {}
    for owner in (settings.delivery, settings):
        for field in fields(owner):
            value = getattr(owner, field.name)
            if field.name == "theta":
                plain["theta"] = value.spelling
            elif field.name != "delivery":
                plain[field.name] = value
    return plain
