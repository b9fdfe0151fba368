"""What comes out: frozen values, made by workflow, read by report and storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shsim.arrays import AnyArray, BoolArray, FloatArray
from shsim.model.item_pool import ItemPool
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.model.sweep_settings import SweepSettings

StopReason = Literal["converged", "iterations"]

#: Where a calibration's first k came from: from the pool, all 1, or solved at the true theta.
Origin = Literal["in_force", "one", "exact"]

#: Why a cap is not held, or nobody can tell.
MissReason = Literal[
    "floor", "ceil", "infeasible", "examinees", "iterations", "in_force", "control", "too_few"
]


@dataclass(frozen=True, slots=True)
class IterationRecord:
    """One iteration, measured at the k it started with.

    `avg_exp` is the mean exposure rate over the items (L/N but for forced positions),
    `max_exp` the largest, `max_over` the largest excess over tau (0 if none).
    """

    iter: int
    avg_exp: float
    max_exp: float
    max_over: float
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class ItemExposure:
    """What happened to each item among `n` simulated examinees; arrays of length N.

    Attributes
    ----------
    n
        Simulated examinees; 0 where exposure was computed in closed form.
    seen, proposed
        Examinees who saw the item, times it was proposed (int64); where `n` is 0, what
        is expected of one examinee (float64).
    rate, low, high
        Exposure rate with two-sided 95 % Wilson bounds.
    over
        Over the cap beyond noise: P(Binomial(n, tau(1+tol)) >= seen) <= .05/N.
    """

    n: int
    seen: AnyArray
    proposed: AnyArray
    rate: FloatArray
    low: FloatArray
    high: FloatArray
    over: BoolArray


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well `n` simulated examinees' abilities were estimated.

    `standard_error` is the mean of what the tests themselves report at their end (the
    posterior's standard deviation, or 1/√information), `error_sd_by_decile` the spread of
    theta_hat - theta within a theta decile: the conditional standard error that was.
    `correlation` is of theta and theta_hat, nan where either does not vary.
    """

    n: int
    bias: float
    rmse: float
    standard_error: float
    correlation: float
    bias_by_decile: tuple[float, ...]
    rmse_by_decile: tuple[float, ...]
    standard_error_by_decile: tuple[float, ...]
    error_sd_by_decile: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Uncontrolled:
    """The same test of the same `n` examinees where every k is 1: what control costs."""

    n: int
    max_exposure: float
    unused: int
    overlap: float
    mean_length: float
    information: float
    accuracy: Accuracy | None


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many tests had which length: (items, tests) pairs, ascending, and quantiles."""

    counts: tuple[tuple[int, int], ...]
    median: int
    p10: int
    p90: int


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one table of k on one set of simulated examinees.

    Rates are shares of examinees. `max_over` is max exposure less tau, 0 if under.
    `over` counts items above tau, `over_beyond_noise` those that noise does not
    explain; the cap is `held` where there is none, and None where none could show.
    `visible_excess` is the relative excess over tau that this many examinees would have
    shown with 95 % probability. `overlap` is the share of items two examinees have in
    common; `information` the mean test information at the true theta and
    `information_kept` its ratio to
    that of the uncontrolled test of the same examinees. `lengths` is None where all tests
    have the same, `accuracy` where no ability is estimated, `uncontrolled` where one walk
    tells both.
    """

    n: int
    tau: float
    held: bool | None
    max_exposure: float
    max_over: float
    over: int
    over_beyond_noise: int
    visible_excess: float
    mean_exposure: float
    unused: int
    forced: int
    forced_per_test: float
    proposals_per_test: float
    overlap: float
    chi_square: float
    gini: float
    max_by_decile: tuple[float, ...]
    information: float
    information_kept: float
    mean_length: float
    lengths: Lengths | None = None
    accuracy: Accuracy | None = None
    uncontrolled: Uncontrolled | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the cap is held, why not, and what to type instead.

    `held` is None where too few examinees tell. `sentence` is complete; `reason` and `remedy`
    are None where the cap is held.
    """

    held: bool | None
    sentence: str
    reason: MissReason | None
    remedy: str | None


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a cap can't be met, and what it costs; solved without noise.

    Attributes
    ----------
    smallest_tau
        The smallest cap found to be met by bisection, with a floor of 0: an achieved
        bound, not a proof.
    largest_floor
        The largest floor under which this cap is met: the smallest k of the floor-free
        solution; None where the cap is not met at all.
    held_by_floor
        Items that the floor keeps over the cap, by position in the pool.
    price_by_decile
        Information that .01 of tau would buy in each theta decile, around this cap;
        empty where the cap is not met.
    """

    smallest_tau: float
    largest_floor: float | None
    held_by_floor: tuple[int, ...]
    price_by_decile: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SimulationResult:
    """What the k in force do; `run` is its number in the ledger, None where it has none."""

    pool: ItemPool
    settings: SimulationSettings
    exposure: ItemExposure
    measures: Measures
    verdict: Verdict
    seconds: float
    run: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationResult:
    """A calibrated table of k, with the evidence for it.

    Attributes
    ----------
    pool
        The pool as loaded: `pool.k` is the table before.
    k
        The new table, length N.
    history
        One record an iteration.
    stopped
        `converged` (the rates met the cap within `tol`), or out of `iterations`.
    before
        Measures of the table before, on the first examinees of the same stream.
    exposure, measures, verdict
        The new table on fresh examinees.
    reasons
        Where they were asked for, or the cap is not held; never for an estimated ability.
    when_estimated
        For a table made at the true theta: the largest exposure rate in a test that ranks
        by an EAP estimate.
    origin
        Where the iterations started from.
    run
        Its number in the ledger, None where it has none.
    """

    pool: ItemPool
    settings: CalibrationSettings
    k: FloatArray
    history: tuple[IterationRecord, ...]
    stopped: StopReason
    before: Measures
    exposure: ItemExposure
    measures: Measures
    verdict: Verdict
    reasons: Reasons | None
    seconds: float
    when_estimated: float | None = None
    origin: Origin = "in_force"
    run: int | None = None

    @property
    def converged(self) -> bool:
        """Whether the iterations themselves met the cap within `tol`."""
        return self.stopped == "converged"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """One cap at one length; `measures` are exact, None where tau is under L/N."""

    length: int
    tau: float
    feasible: bool
    measures: Measures | None
    iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class SweepResult:
    """A sweep, in the order in which it was asked for."""

    pool: ItemPool
    settings: SweepSettings
    points: tuple[SweepPoint, ...]
    seconds: float
