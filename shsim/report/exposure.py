"""The measures of an exposure table: plain numbers from counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.model.results import ItemExposure, Lengths, Measures, Uncontrolled
from shsim.report.accuracy import accuracy

#: Two-sided 95 %.
_Z95 = 1.959963984540054
#: One-sided 95 %.
_Z90 = 1.6448536269514722
#: Chance of a false alarm over all items together.
_FALSE_ALARM = 0.05
#: An expected rate under this counts as never.
UNUSED = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What a simulation counted; the arguments of :func:`measure`.

    `seen` and `proposed` are int64 (N,), `by_decile` int64 (10, N) examinees of each
    theta decile who saw the item, `decile_sizes` (10,); `information` is the mean over
    tests as given and uncontrolled. `lengths`, int64 (L + 1,), counts tests by length, and
    `errors` is what `shsim.report.accuracy` adds up, where there are such.
    """

    n: int
    seen: IntArray
    proposed: IntArray
    forced: int
    by_decile: IntArray
    decile_sizes: IntArray
    information: tuple[float, float]
    lengths: IntArray | None = None
    errors: FloatArray | None = None


def measure(
    counts: Counts, tau: float, tol: float, uncontrolled: Uncontrolled | None = None
) -> tuple[ItemExposure, Measures]:
    """Exposure per item with its noise, and the measures of the whole table.

    Parameters
    ----------
    counts
        From simulated examinees.
    tau, tol
        The cap, and the relative excess that counts as none.
    uncontrolled
        The same without control, to be shown beside it.
    """
    n, seen = counts.n, counts.seen
    size = len(seen)
    rate = seen / n
    low, high = wilson(seen, n)
    critical = critical_among(n, size, (tau, tol))
    beyond, visible = seen >= critical, visible_excess(n, tau, critical)
    gained, attainable = counts.information
    shape = _Shape(rate, float(seen.sum()) / n, tau)
    return ItemExposure(n, seen, counts.proposed, rate, low, high, beyond), Measures(
        n=n,
        held=cap_held(int(np.count_nonzero(beyond)), (tau, tol), visible),
        over=int(np.count_nonzero(seen > n * tau * (1 + 1e-12))),
        over_beyond_noise=int(np.count_nonzero(beyond)),
        visible_excess=visible,
        unused=int(np.count_nonzero(seen == 0)),
        forced=counts.forced,
        forced_per_test=counts.forced / n,
        proposals_per_test=float(counts.proposed.sum()) / n,
        overlap=overlap(seen, n, shape.length),
        max_by_decile=_max_by_decile(counts),
        information=gained,
        information_kept=_kept(gained, attainable),
        mean_length=shape.length,
        lengths=lengths_of(counts.lengths),
        accuracy=None if counts.errors is None else accuracy(counts.errors),
        uncontrolled=uncontrolled,
        **shape.measures(),
    )


def measure_uncontrolled(counts: Counts) -> Uncontrolled:
    """What to show of the test without control, from simulated examinees."""
    length = float(counts.seen.sum()) / counts.n
    return Uncontrolled(
        n=counts.n,
        max_exposure=float(counts.seen.max()) / counts.n,
        unused=int(np.count_nonzero(counts.seen == 0)),
        overlap=overlap(counts.seen, counts.n, length),
        mean_length=length,
        information=counts.information[0],
        accuracy=None if counts.errors is None else accuracy(counts.errors),
    )


def lengths_of(counted: IntArray | None) -> Lengths | None:
    """The distribution of test lengths from counts by length; None where they are fixed."""
    if counted is None:
        return None
    at = np.flatnonzero(counted)
    share = np.cumsum(counted) / counted.sum()
    p10, median, p90 = (int(np.searchsorted(share, p)) for p in (0.1, 0.5, 0.9))
    pairs = zip(at.tolist(), counted[at].tolist(), strict=True)
    return Lengths(tuple(pairs), median=median, p10=p10, p90=p90)


@dataclass(frozen=True, slots=True, eq=False)
class Expectations:
    """What the closed chain expects of an examinee; the arguments of `measure_expected`.

    `rate` and `proposed` are float64 (N,), `by_decile` (10, N) exposure rates, `left` the
    positions a test left to be filled by force, `information` as in :class:`Counts`.
    """

    rate: FloatArray
    proposed: FloatArray
    by_decile: FloatArray
    left: float
    length: int
    information: tuple[float, float]


def measure_expected(
    expected: Expectations, tau: float, tol: float
) -> tuple[ItemExposure, Measures]:
    """Exposure and measures without noise: n is 0, and the bounds are the rate itself.

    An item counts as over above tau, as over beyond noise above tau(1+tol), and as
    unused where fewer than one examinee in a million sees it.
    """
    rate = expected.rate
    beyond = rate > tau * (1 + tol)
    gained, attainable = expected.information
    shape = _Shape(rate, float(expected.length), tau)
    return ItemExposure(0, rate, expected.proposed, rate, rate, rate, beyond), Measures(
        n=0,
        held=not bool(beyond.any()),
        over=int(np.count_nonzero(rate > tau * (1 + 1e-12))),
        over_beyond_noise=int(np.count_nonzero(beyond)),
        visible_excess=0.0,
        unused=int(np.count_nonzero(rate < UNUSED)),
        forced=0,
        forced_per_test=expected.left,
        proposals_per_test=float(expected.proposed.sum()),
        overlap=float((rate * rate).sum()) / expected.length,
        max_by_decile=tuple(expected.by_decile.max(axis=1).tolist()),
        information=gained,
        information_kept=_kept(gained, attainable),
        mean_length=expected.length,
        **shape.measures(),
    )


def _kept(gained: float, attainable: float) -> float:
    """The share of information that is kept; all of none, where theta is off the pool's scale."""
    return gained / attainable if attainable > 0 else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """The measures that depend on the rates alone."""

    rate: FloatArray
    length: float
    tau: float

    def measures(self) -> dict[str, Any]:
        largest = float(self.rate.max())
        even = self.length / len(self.rate)
        return {
            "tau": self.tau,
            "max_exposure": largest,
            "max_over": max(largest - self.tau, 0.0),
            "mean_exposure": float(self.rate.mean()),
            "chi_square": float(((self.rate - even) ** 2).sum() / even),
            "gini": gini(self.rate),
        }


def wilson(count: IntArray, n: int) -> tuple[FloatArray, FloatArray]:
    """Two-sided 95 % bounds of a share (Wilson 1927), arrays of the shape of `count`."""
    share = count / n
    shrink = 1.0 + _Z95**2 / n
    centre = (share + _Z95**2 / (2 * n)) / shrink
    half = _Z95 * np.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n * n)) / shrink
    # In exact numbers the share lies between; rounding must not put 0 under the bounds.
    return np.clip(centre - half, 0.0, share), np.clip(centre + half, share, 1.0)


def overlap(seen: IntArray, n: int, length: float) -> float:
    """Share of a test that two examinees have in common, without the bias of n.

    Σ c(c-1) / (n(n-1)L) for counts c (Chen, Ankenmann & Spray 2003); 0 for n = 1.
    """
    if n < 2:
        return 0.0
    count = seen.astype(np.float64)
    return float((count * (count - 1)).sum() / (n * (n - 1.0) * length))


def gini(rate: FloatArray) -> float:
    """Gini's coefficient of the exposure rates: 0 if all are equal, near 1 if few are used."""
    size = len(rate)
    total = float(rate.sum())
    if total == 0:
        return 0.0
    weight = 2.0 * np.arange(1, size + 1) - size - 1.0
    return float((weight * np.sort(rate)).sum() / (size * total))


def critical_count(n: int, p: float, alpha: float) -> int:
    """The smallest count c with P(Binomial(n, p) >= c) <= alpha; n + 1 if there is none."""
    low, high = math.floor(n * p), n + 1  # the tail from the mean on is above any alpha
    while high - low > 1:
        middle = (low + high) // 2
        if binomial_tail(n, p, middle) <= alpha:
            high = middle
        else:
            low = middle
    return high


def binomial_tail(n: int, p: float, count: int) -> float:
    """P(Binomial(n, p) >= count) for a count above the mean n·p, by summing its terms."""
    if count <= 0:
        return 1.0
    if count > n:
        return 0.0
    if p >= 1.0:
        return 1.0
    log_term = (
        math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1)
        + count * math.log(p) + (n - count) * math.log1p(-p)
    )  # fmt: skip
    odds = p / (1.0 - p)
    term = total = 1.0
    for c in range(count, n):
        term *= (n - c) / (c + 1) * odds
        total += term
        if term < 1e-12 * total:
            break
    return min(math.exp(log_term) * total, 1.0)


def visible_excess(n: int, tau: float, critical: int) -> float:
    """The relative excess over tau that reaches the critical count with 95 % probability."""
    at = min(critical / n, 1.0)
    return (at + _Z90 * math.sqrt(at * (1 - at) / n)) / tau - 1.0


def cap_held(over: int, limit: tuple[float, float], excess: float) -> bool | None:
    """Whether a cap is held; None where nothing can tell, since no excess can have shown.

    Parameters
    ----------
    over
        Items that are over it beyond noise.
    limit
        tau, and the relative excess over it that counts as none.
    excess
        What would have shown, relatively: nothing can where that makes a rate of 1 or more.
    """
    tau, tol = limit
    if over:
        return False
    if tau * (1 + tol) >= 1:  # whatever the k
        return True
    return True if tau * (1 + excess) < 1 else None


def critical_among(n: int, size: int, limit: tuple[float, float]) -> int:
    """The count from which on one of `size` items is over the cap beyond noise."""
    tau, tol = limit
    return critical_count(n, min(tau * (1 + tol), 1.0), _FALSE_ALARM / size)


def _max_by_decile(counts: Counts) -> tuple[float, ...]:
    """The largest exposure in each theta decile; 0 for a decile without examinees."""
    sizes = np.maximum(counts.decile_sizes, 1)
    return tuple((counts.by_decile.max(axis=1) / sizes).tolist())
