"""The judgement of live exposure: what chance does, what is found, what is known of n."""

from __future__ import annotations

import math

import numpy as np
import pytest
from live_tests import drawn
from scipy.stats import binom

from shsim.arrays import FloatArray, IntArray
from shsim.model.audit import LiveExposure, LiveTests
from shsim.report.live_exposure import estimated_tests, given_tests, judge_live

LENGTH, SIZE, SIMULATED = 10, 100, 200_000


def a_table() -> FloatArray:
    """Rates at the cap, under it, near 0 and at 0; a test has ten items."""
    rates = np.concatenate([np.full(30, 0.2), np.linspace(0.001, 0.19, 40), np.zeros(30)])
    rates[30:70] *= (LENGTH - 6) / rates[30:70].sum()
    return rates


def judged(attempts: IntArray, tests: LiveTests, rates: FloatArray) -> LiveExposure:
    every = np.ones(len(rates), dtype=np.bool_)
    return judge_live(attempts, every, rates, SIMULATED, tests, (0.2, 0.01))


def test_chance_raises_few_alarms() -> None:
    """Over and drift each in at most one of twenty audits."""
    rng = np.random.default_rng(4)
    rates, n, over, drift = a_table(), 1000, 0, 0
    for _ in range(400):
        attempts = rng.binomial(n, rates)
        found = judged(attempts, given_tests(n, int(attempts.sum()), LENGTH), rates)
        over += bool(found.over.any())
        drift += bool(found.drift.any())
    assert over <= binom.ppf(0.999, 400, 0.05)
    assert drift <= binom.ppf(0.999, 400, 0.05)


def test_tests_of_one_length_are_counted_exactly() -> None:
    counts = drawn(a_table(), 700)
    tests = estimated_tests(int(counts.sum()), int(counts.max()), LENGTH, LENGTH)
    assert (tests.low, tests.n, tests.high) == (700, 700, 700)
    assert not judged(counts, tests, a_table()).drift.any()


def test_the_bounds_of_an_estimate_hold_the_number() -> None:
    """Where shared items are left out, the own items of a test vary."""
    rates, own = a_table(), np.arange(SIZE) % 3 > 0
    for seed in range(20):
        counts = drawn(rates, 400, seed)[own]
        tests = estimated_tests(
            int(counts.sum()), int(counts.max()), float(rates[own].sum()), LENGTH
        )
        assert tests.low < 400 < tests.high


def test_drift_and_excess_are_found_where_they_are() -> None:
    rates, n = a_table(), 2000
    counts = np.round(rates * n).astype(np.int64)
    counts[0], counts[1], counts[90] = 2 * counts[0], counts[1] // 2, 12
    found = judged(counts, given_tests(n, int(counts.sum()), LENGTH), rates)
    assert np.flatnonzero(found.over).tolist() == [0]
    assert found.drift[[0, 1, 90]].tolist() == [1, -1, 1]
    assert np.count_nonzero(found.drift) == 3
    assert found.low[0] < found.rate[0] < found.high[0]
    assert 0 < found.visible_excess < 1


def test_tails_are_those_of_the_binomial() -> None:
    """The first count that is flagged is the first whose tail is small enough."""
    n, p = 500, 0.1
    alpha = 0.04 / 2
    flags = [
        int(
            judge_live(
                np.array([c]), np.array([True]), np.array([p]), 10**12,
                given_tests(n, c, p), (1.0, 0.0),
            ).drift[0]
        )
        for c in range(n + 1)
    ]  # fmt: skip
    assert flags.index(0) == binom.ppf(alpha, n, p)
    assert flags.index(1) == next(c for c in range(n) if binom.sf(c - 1, n, p) <= alpha)


@pytest.mark.parametrize("n", [1, 3])
def test_a_handful_of_tests_tells_nothing(n: int) -> None:
    rates = a_table()
    counts = drawn(rates, n)
    found = judged(counts, given_tests(n, int(counts.sum()), LENGTH), rates)
    assert not found.over.any()


def test_without_attempts_nothing_is_judged() -> None:
    tests = estimated_tests(0, 0, LENGTH, LENGTH)
    found = judged(np.zeros(SIZE, dtype=np.int64), tests, a_table())
    assert np.isnan(found.rate).all()
    assert not found.over.any()
    assert not found.drift.any()
    assert math.isinf(found.visible_excess)


def test_there_were_as_many_tests_as_attempts_on_one_item() -> None:
    tests = estimated_tests(100, 60, 10.0, 10)
    assert (tests.low, tests.n, tests.high) == (60, 60, 60)
