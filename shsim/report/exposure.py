"""The measures of an exposure table: plain numbers from counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.model.results import ItemExposure, Measures

#: Two-sided 95 %.
_Z95 = 1.959963984540054
#: One-sided 95 %.
_Z90 = 1.6448536269514722
#: Chance of a false alarm over all items together.
_FALSE_ALARM = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What a simulation counted; the arguments of :func:`measure`.

    `seen` and `proposed` are int64 (N,), `by_decile` int64 (10, N) examinees of each
    theta decile who saw the item, `decile_sizes` (10,); `information` is the mean over
    tests as given and uncontrolled.
    """

    n: int
    seen: IntArray
    proposed: IntArray
    forced: int
    by_decile: IntArray
    decile_sizes: IntArray
    information: tuple[float, float]


def measure(counts: Counts, tau: float, tol: float) -> tuple[ItemExposure, Measures]:
    """Exposure per item with its noise, and the measures of the whole table.

    Parameters
    ----------
    counts
        From simulated examinees.
    tau, tol
        The cap, and the relative excess that counts as none.
    """
    n, seen = counts.n, counts.seen
    size = len(seen)
    rate = seen / n
    length = float(seen.sum()) / n
    low, high = wilson(seen, n)
    critical = critical_count(n, min(tau * (1 + tol), 1.0), _FALSE_ALARM / size)
    beyond = seen >= critical
    exposure = ItemExposure(n, seen, counts.proposed, rate, low, high, beyond)
    gained, attainable = counts.information
    largest = float(rate.max())
    return exposure, Measures(
        n=n,
        tau=tau,
        held=not bool(beyond.any()),
        max_exposure=largest,
        max_over=max(largest - tau, 0.0),
        over=int(np.count_nonzero(seen > n * tau * (1 + 1e-12))),
        over_beyond_noise=int(np.count_nonzero(beyond)),
        visible_excess=visible_excess(n, tau, critical),
        mean_exposure=float(rate.mean()),
        unused=int(np.count_nonzero(seen == 0)),
        forced=counts.forced,
        forced_per_test=counts.forced / n,
        proposals_per_test=float(counts.proposed.sum()) / n,
        overlap=overlap(seen, n, length),
        chi_square=float(((rate - length / size) ** 2).sum() / (length / size)),
        gini=gini(rate),
        max_by_decile=_max_by_decile(counts),
        information=gained,
        information_kept=gained / attainable if attainable > 0 else 1.0,
    )


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


def _max_by_decile(counts: Counts) -> tuple[float, ...]:
    """The largest exposure in each theta decile; 0 for a decile without examinees."""
    sizes = np.maximum(counts.decile_sizes, 1)
    return tuple((counts.by_decile.max(axis=1) / sizes).tolist())
