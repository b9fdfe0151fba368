"""The measures, each against a count by hand, an exact sum or a published figure."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shsim.report.exposure import (
    Counts,
    binomial_tail,
    cap_held,
    critical_count,
    gini,
    measure,
    overlap,
    visible_excess,
    wilson,
)


def counts(n, seen, length, **changed):
    """Counts of `n` examinees, all of one decile."""
    seen = np.asarray(seen, np.int64)
    assert seen.sum() == n * length
    given_counts = {
        "n": n,
        "seen": seen,
        "proposed": 2 * seen,
        "forced": 0,
        "by_decile": np.zeros((10, len(seen)), np.int64),
        "decile_sizes": np.zeros(10, np.int64),
        "information": (0.0, 0.0),
    }
    return Counts(**(given_counts | changed))


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        # Newcombe (1998), Table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_s_bounds_as_published(count, n, low, high):
    bounds = wilson(np.array([count]), n)
    assert [x.item() for x in bounds] == pytest.approx([low, high], abs=6e-5)


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_s_bounds_are_where_the_normal_test_turns(drawn):
    count, n = drawn
    low, high = (x.item() for x in wilson(np.array([count]), n))
    share = count / n
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):
        if 1e-12 < bound < 1 - 1e-12:
            distance = abs(share - bound)
            assert distance == pytest.approx(
                1.959964 * math.sqrt(bound * (1 - bound) / n), rel=1e-5, abs=1e-14
            )


def exact_tail(n, p, count):
    """P(Binomial(n, p) >= count) in rational numbers."""
    p = Fraction(p)
    return sum(
        math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(max(count, 0), n + 1)
    )  # fmt: skip


@pytest.mark.parametrize("p", [1e-9, 0.01, 0.202, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_the_tail_is_the_exact_sum(n, p):
    for count in range(math.floor(n * p) + 1, n + 2):
        assert binomial_tail(n, p, count) == pytest.approx(float(exact_tail(n, p, count)), rel=1e-9)
    assert binomial_tail(n, p, 0) == 1


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 7, 1e-4, 1e-7])
@pytest.mark.parametrize("p", [0.001, 0.2, 0.202, 0.7, 1.0])
@pytest.mark.parametrize("n", [1, 2, 5, 19, 60])
def test_the_critical_count_is_the_smallest_that_is_rare(n, p, alpha):
    rare = [c for c in range(n + 1) if exact_tail(n, p, c) <= alpha]
    assert critical_count(n, p, alpha) == (rare[0] if rare else n + 1)


@pytest.mark.parametrize("n", [20_000, 1_000_000, 4_000_000])
@pytest.mark.parametrize("p", [1e-4, 0.05, 0.202, 0.5, 0.99])
def test_the_critical_count_of_many_examinees(n, p):
    alpha = 0.05 / 500
    critical = critical_count(n, p, alpha)
    assert binomial_tail(n, p, critical) <= alpha < binomial_tail(n, p, critical - 1)
    # 3.72 standard deviations, by the normal approximation, give or take its skewness.
    sd = math.sqrt(n * p * (1 - p))
    assert (critical - n * p) / sd == pytest.approx(3.72, abs=0.15 if n * p > 1000 else 2)


def test_the_tail_of_many_examinees_falls_as_its_ratio_of_terms_says():
    n, p = 1_000_000, 0.202
    tails = [binomial_tail(n, p, c) for c in range(203_000, 203_010)]
    terms = -np.diff(tails)
    for i, c in enumerate(range(203_000, 203_008)):
        ratio = (n - c) / (c + 1) * p / (1 - p)
        assert terms[i + 1] / terms[i] == pytest.approx(ratio, rel=1e-5)


def test_a_rate_at_the_cap_is_over_by_chance_less_often_than_promised():
    n, tau, size = 200_000, 0.2, 500
    critical = critical_count(n, tau, 0.05 / size)
    draws = np.random.default_rng(1).binomial(n, tau, (400, size))
    alarms = (draws >= critical).any(axis=1).mean()
    assert alarms <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert alarms > 0


def test_the_visible_excess_is_seen_nineteen_times_in_twenty():
    n, tau, size = 640_000, 0.2, 500
    critical = critical_count(n, tau * 1.01, 0.05 / size)
    excess = visible_excess(n, tau, critical)
    draws = np.random.default_rng(2).binomial(n, tau * (1 + excess), 20_000)
    assert (draws >= critical).mean() == pytest.approx(0.95, abs=0.006)


def drawn_tests(n, length, size, seed):
    """Tests as sets of items, popular ones first."""
    rng = np.random.default_rng(seed)
    share = np.linspace(2, 1, size)
    share /= share.sum()
    return [set(rng.choice(size, length, replace=False, p=share).tolist()) for _ in range(n)]


@pytest.mark.parametrize(("n", "length", "size"), [(2, 3, 5), (9, 4, 12), (40, 10, 30), (30, 5, 5)])
def test_overlap_is_the_mean_over_pairs_of_examinees(n, length, size):
    given_tests = drawn_tests(n, length, size, seed=n)
    seen = np.bincount([item for test in given_tests for item in test], minlength=size)
    pairs = [len(one & other) / length for one, other in itertools.combinations(given_tests, 2)]
    assert overlap(seen, n, length) == pytest.approx(np.mean(pairs), rel=1e-12)


def test_overlap_of_one_examinee_is_nought():
    assert overlap(np.array([1, 1]), 1, 2.0) == 0


def test_overlap_is_the_chi_square_in_another_dress():
    # (chi-square + L)/N = Σr²/L where Σr = L; the counts' own overlap less the bias of n.
    n, length, size = 1_000_000, 30, 300
    rate = np.random.default_rng(4).dirichlet(np.full(size, 0.4)) * length
    rate = np.minimum(rate, 0.9)
    seen = np.floor(rate * n).astype(np.int64)
    seen[-1] += n * length - seen.sum()
    _, measures = measure(counts(n, seen, length), 1.0, 0.01)
    asymptotic = (measures.chi_square + length) / size
    assert asymptotic == pytest.approx(float(((seen / n) ** 2).sum()) / length, rel=1e-12)
    assert measures.overlap == pytest.approx((asymptotic * n - 1) / (n - 1), rel=1e-12)


@pytest.mark.parametrize(
    ("variance", "percent"), [(0.01376, 30.3), (0.01131, 25.9), (0.00229, 9.7), (7.14e-6, 5.6)]
)
def test_the_overlap_that_chen_ankenmann_and_spray_print_for_a_variance(variance, percent):
    # 1999, Table 3: N = 360, L = 20, n = 7,000. Rates of two sizes give any variance.
    n, length, size = 7000, 20, 360
    mean, spread = length / size, math.sqrt(variance)
    share = 0.05  # of the items are popular
    popular = int(share * size)
    up = spread * math.sqrt((1 - share) / share)
    down = spread * math.sqrt(share / (1 - share))
    seen = np.rint(n * np.r_[np.full(popular, mean + up), np.full(size - popular, mean - down)])
    seen = seen.astype(np.int64)
    seen[-1] += n * length - seen.sum()
    assert 100 * overlap(seen, n, length) == pytest.approx(percent, abs=0.06)


def test_random_selection_gives_the_last_row():
    given_tests = np.argsort(np.random.default_rng(6).random((7000, 360)), axis=1)[:, :20]
    seen = np.bincount(given_tests.ravel(), minlength=360)
    assert 100 * overlap(seen, 7000, 20) == pytest.approx(5.6, abs=0.06)
    assert seen.max() / 7000 == pytest.approx(0.063, abs=0.003)


def test_gini_of_equal_rates_is_nought_and_of_one_item_near_one():
    assert gini(np.full(100, 0.3)) == pytest.approx(0, abs=1e-12)
    assert gini(np.r_[np.zeros(99), 1.0]) == pytest.approx(0.99)
    assert gini(np.r_[1.0, np.zeros(99)]) == pytest.approx(0.99)
    assert gini(np.zeros(5)) == 0
    assert gini(np.array([0.2])) == 0
    assert gini(np.array([0.1, 0.3])) == pytest.approx(0.25)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=40))
def test_gini_is_half_the_relative_mean_difference(rates):
    rate = np.array(rates)
    expected = np.abs(rate[:, None] - rate).mean() / (2 * rate.mean())
    assert gini(rate) == pytest.approx(expected, abs=1e-9)


def test_measures_of_counts_made_by_hand():
    # Four examinees, two items a test, from five: AB AB AC AD; two are of decile 0.
    by_decile = np.zeros((10, 5), np.int64)
    by_decile[0] = [2, 2, 0, 0, 0]
    by_decile[9] = [2, 0, 1, 1, 0]
    exposure, measures = measure(
        counts(
            4, [4, 2, 1, 1, 0], 2,
            proposed=np.array([5, 4, 2, 2, 1]), forced=3, by_decile=by_decile,
            decile_sizes=np.array([2, 0, 0, 0, 0, 0, 0, 0, 0, 2]), information=(6.0, 8.0),
        ),
        0.4, 0.01,
    )  # fmt: skip
    assert exposure.rate.tolist() == [1, 0.5, 0.25, 0.25, 0]
    assert (exposure.low <= exposure.rate).all()
    assert (exposure.high >= exposure.rate).all()
    assert (measures.n, measures.tau, measures.over, measures.unused) == (4, 0.4, 2, 1)
    assert measures.max_exposure == 1
    assert measures.max_over == pytest.approx(0.6)
    assert measures.mean_exposure == pytest.approx(2 / 5)
    assert (measures.forced, measures.forced_per_test) == (3, 0.75)
    assert measures.proposals_per_test == 3.5
    # Pairs: AB-AB share 2, the other five share 1.
    assert measures.overlap == pytest.approx((1 + 5 * 0.5) / 6)
    squares = 0.6**2 + 0.1**2 + 2 * 0.15**2 + 0.4**2
    assert measures.chi_square == pytest.approx(squares / 0.4)
    assert measures.gini == pytest.approx((4 * 1 + 2 * 0.5 - 2 * 0.25) / (5 * 2))
    assert measures.max_by_decile == (1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert (measures.information, measures.information_kept) == (6, 0.75)
    # Even all four of four are no proof: P = .404^4 = .027 is over .05/5.
    assert measures.over_beyond_noise == 0
    assert measures.held is None
    assert not exposure.over.any()


def test_over_begins_above_the_cap_and_not_at_it():
    # .07 * 100,000 is 7000.000000000001 in floating point, .29 * 100,000 is 28999.999999999996.
    for tau, at in ((0.07, 7000), (0.29, 29_000), (0.2, 20_000)):
        for extra, over in ((0, 0), (1, 1), (-1, 0)):
            rest = 100_000 - at - extra
            seen = [at + extra] + [rest // 20] * 19 + [rest - 19 * (rest // 20)]
            _, measures = measure(counts(100_000, seen, 1), tau, 0.01)
            assert measures.over == over
            assert measures.over_beyond_noise == 0


def test_over_beyond_noise_begins_at_the_critical_count():
    n, tau, tol = 100_000, 0.2, 0.01
    critical = critical_count(n, tau * 1.01, 0.05 / 10)
    for extra, beyond in ((-1, False), (0, True)):
        seen = np.full(10, 1000)
        seen[3] = critical + extra
        seen[4] = n - seen.sum() + 1000
        exposure, measures = measure(counts(n, seen, 1), tau, tol)
        assert bool(exposure.over[3]) is beyond
        assert measures.over_beyond_noise == beyond + 1
    assert not measures.held


def test_a_cap_of_one_can_only_be_held():
    exposure, measures = measure(counts(10, [10, 10], 2), 1.0, 0.01)
    assert measures.held
    assert (measures.over, measures.max_over) == (0, 0)
    assert exposure.high.tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("over", "tau", "excess", "held"),
    [
        (1, 0.2, 4.28, False),
        (0, 0.2, 4.28, None),  # an exposure of 1.056 is none
        (0, 0.2, 4.0, None),
        (0, 0.2, 3.99, True),
        (0, 0.2, math.inf, None),
        (0, 0.2, 0.0, True),  # without noise
        (0, 0.991, 0.01, True),  # tau(1+tol) is over 1: none can be over
        (0, 1.0, math.inf, True),
    ],
)
def test_an_excess_that_no_exposure_can_have_tells_nothing(over, tau, excess, held):
    assert cap_held(over, (tau, 0.01), excess) is held


def test_no_information_at_all_counts_as_kept():
    _, measures = measure(counts(10, [10, 10], 2), 1.0, 0.01)
    assert measures.information_kept == 1
