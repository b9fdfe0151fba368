"""What comes out: frozen values, made by workflow, read by report and storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shsim.arrays import BoolArray, FloatArray, IntArray
from shsim.model.item_pool import ItemPool
from shsim.model.settings import CalibrationSettings, SimulationSettings

StopReason = Literal["converged", "iterations"]

#: Why a cap is not held.
MissReason = Literal["floor", "ceil", "infeasible", "examinees", "iterations", "in_force"]


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
        Simulated examinees.
    seen, proposed
        Examinees who saw the item; times it was proposed.
    rate, low, high
        Exposure rate with two-sided 95 % Wilson bounds.
    over
        Over the cap beyond noise: P(Binomial(n, tau(1+tol)) >= seen) <= .05/N.
    """

    n: int
    seen: IntArray
    proposed: IntArray
    rate: FloatArray
    low: FloatArray
    high: FloatArray
    over: BoolArray


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one table of k on one set of simulated examinees.

    Rates are shares of examinees. `max_over` is max exposure less tau, 0 if under.
    `over` counts items above tau, `over_beyond_noise` those that noise does not
    explain; the cap is `held` where there is none. `visible_excess` is the relative
    excess over tau that this many examinees would have shown with 95 % probability.
    `overlap` is the share of items two examinees have in common; `information` the
    mean test information at the true theta and `information_kept` its ratio to
    that of the uncontrolled test of the same examinees.
    """

    n: int
    tau: float
    held: bool
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the cap is held, why not, and what to type instead.

    `sentence` is complete; `reason` and `remedy` are None where the cap is held.
    """

    held: bool
    sentence: str
    reason: MissReason | None
    remedy: str | None


@dataclass(frozen=True, slots=True, eq=False)
class SimulationResult:
    """What the k in force do."""

    pool: ItemPool
    settings: SimulationSettings
    exposure: ItemExposure
    measures: Measures
    verdict: Verdict
    seconds: float


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
    seconds: float

    @property
    def converged(self) -> bool:
        """Whether the iterations themselves met the cap within `tol`."""
        return self.stopped == "converged"
