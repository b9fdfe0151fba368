"""Whether live exposure holds the cap and the prediction, from counts of attempts.

An item is seen once a test at most, so that its attempts are binomial. All items are
judged at once: chance raises a flag of either kind in one of twenty audits at most
(Bonferroni), of which a fifth is spent on the number of tests and on the prediction, where
these are known only within bounds.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from shsim.arrays import BoolArray, FloatArray, IntArray
from shsim.model.audit import LiveExposure, LiveTests
from shsim.report.exposure import binomial_tail, critical_count, visible_excess, wilson

#: Chance of a false alarm over all items together: of the counts, of what they are held against.
_OF_COUNTS, _OF_BOUNDS = 0.04, 0.01


def given_tests(tests: int, attempts: int, per_test: float) -> LiveTests:
    """The number of tests as the operator knows it."""
    return LiveTests(tests, tests, tests, attempts, per_test, given=True)


def estimated_tests(attempts: int, most: int, per_test: float, longest: float) -> LiveTests:
    """The number of tests that so many attempts on the exam's own items make.

    A test holds X own items, 0 <= X <= `longest`, `per_test` on average; the variance of
    such an X is at most per_test·(longest - per_test) (Bhatia & Davis 2000), and 0 where all
    tests have one length and no item is shared.

    Parameters
    ----------
    attempts, most
        On all own items, and on the one that has the most: there were as many tests at least.
    """
    if attempts == 0 or per_test <= 0:
        return LiveTests(0, 0, 0, attempts, per_test)
    n = attempts / per_test
    spread = math.sqrt(max(longest - per_test, 0.0) / (per_test * n))
    reach = spread * NormalDist().inv_cdf(1 - _OF_BOUNDS / 4)
    whole = max(round(n), most, 1)
    low = max(math.floor(whole * (1 - reach)), most, 1)
    high = max(math.ceil(whole * (1 + reach)), low)
    return LiveTests(whole, low, high, attempts, per_test)


def judge_live(
    attempts: IntArray,
    judged: BoolArray,
    predicted: FloatArray,
    simulated: int,
    tests: LiveTests,
    limit: tuple[float, float],
) -> LiveExposure:
    """Hold each item's attempts against the cap and the prediction.

    Parameters
    ----------
    attempts, judged
        By item; the others' are left alone.
    predicted, simulated
        The predicted rate, and from how many simulated examinees.
    tests
        How many tests there were, at least and at most.
    limit
        tau, and the relative excess over it that counts as none.
    """
    size = len(attempts)
    rate, low, high = (np.full(size, np.nan) for _ in range(3))
    over, drift = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int64)
    count = int(judged.sum())
    if tests.n == 0 or count == 0:
        return LiveExposure(rate, low, high, over, drift, math.inf)
    tau, tol = limit
    seen = attempts[judged]
    rate[judged] = seen / tests.n
    low[judged] = wilson(seen, tests.high)[0]
    high[judged] = wilson(seen, tests.low)[1]
    critical = critical_count(tests.high, min(tau * (1 + tol), 1.0), _OF_COUNTS / count)
    over[judged] = seen >= critical
    z = NormalDist().inv_cdf(1 - _OF_BOUNDS / 4 / count)
    least, most = _bounds(predicted[judged], simulated, z)
    drift[judged] = _drift(seen, (least, most), tests, _OF_COUNTS / 2 / count)
    visible = math.inf if critical > tests.n else visible_excess(tests.n, tau, critical)
    return LiveExposure(rate, low, high, over, drift, visible)


def _bounds(rate: FloatArray, n: int, z: float) -> tuple[FloatArray, FloatArray]:
    """Wilson's bounds at `z` standard errors of a rate seen among n."""
    shrink = 1.0 + z * z / n
    centre = (rate + z * z / (2 * n)) / shrink
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrink
    return np.clip(centre - half, 0.0, rate), np.clip(centre + half, rate, 1.0)


def _drift(
    seen: IntArray, bounds: tuple[FloatArray, FloatArray], tests: LiveTests, alpha: float
) -> IntArray:
    """1 or -1 where a tail of the binomial that bears the count best is at most `alpha`."""
    least, most = bounds
    found = np.zeros(len(seen), dtype=np.int64)
    # Within a standard deviation no tail is small: only the others need be summed.
    above = seen > tests.high * most + np.sqrt(tests.high * most * (1 - most))
    for i in np.flatnonzero(above).tolist():
        found[i] = binomial_tail(tests.high, float(most[i]), int(seen[i])) <= alpha
    below = seen < tests.low * least - np.sqrt(tests.low * least * (1 - least))
    for i in np.flatnonzero(below).tolist():
        unseen = tests.low - int(seen[i])
        found[i] = -(binomial_tail(tests.low, 1 - float(least[i]), unseen) <= alpha)
    return found
