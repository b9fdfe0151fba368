"""The one-pass walk is the literal process, draw for draw."""

from __future__ import annotations

import random

import numpy as np
import oracle
import pytest
from kernel_pools import KEY, Pool, give, pools

THETAS = [-40.0, -3.2, -1.0, -0.3, 0.0, 0.25, 0.9, 2.9999, 3.0, 7.5]


def literally(pool, theta, length, e, *, by_position):
    """Seen and proposed of one examinee by the oracle, as arrays, and what was forced."""
    order = oracle.ranking(theta, *pool.parameters)
    key = oracle.nth(int(KEY), e)
    seen, proposed, forced = oracle.test_with_clocks(
        order, pool.k.tolist(), key, length, by_position
    )
    counts = np.zeros((len(order), 2), np.int64)
    counts[seen, 0] = 1
    for item, times in proposed.items():
        counts[item, 1] = times
    return counts, forced, seen


@pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
@pytest.mark.parametrize("length", [1, 7, 24], ids=["L=1", "L=7", "L=N"])
@pytest.mark.parametrize("name", pools())
def test_each_examinee_sees_what_the_literal_process_gives(name, length, by_position):
    pool = pools()[name]
    for e, theta in enumerate(THETAS):
        expected, forced, seen = literally(pool, theta, length, e, by_position=by_position)
        given = give(pool, [theta], length, by_position=by_position, first=e)
        assert given.counts.tolist() == expected.tolist(), (theta, e)
        assert given.forced == forced
        information = oracle.information(theta, *pool.parameters)
        best = np.sort(information)[::-1][:length].sum()
        np.testing.assert_allclose(
            given.information[0], [information[seen].sum(), best], rtol=1e-9, atol=1e-280
        )


@pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
@pytest.mark.parametrize(("bins", "depth"), [(1, 24), (1, 1), (3, 5), (2000, 2), (2000, 24)])
def test_bins_and_depth_change_nothing(bins, depth, by_position):
    rng = np.random.default_rng(11)
    theta = rng.normal(0, 1.3, 300)
    for name, pool in pools().items():
        plain = give(pool, theta, 7, by_position=by_position, histogram=True)
        other = give(
            pool, theta, 7, by_position=by_position, histogram=True, bins=bins, depth=depth
        )
        assert other.counts.tolist() == plain.counts.tolist(), name
        assert other.information.tolist() == plain.information.tolist(), name
        if depth == 1:
            assert other.strays > 0


@pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
def test_a_real_pool_with_a_long_test(by_position):
    a, b, c = oracle.pool_c2(300)
    k = np.random.default_rng(5).uniform(0.02, 1.0, 300) ** 2
    pool = Pool(a, b, c, np.where(k > 0.6, 1.0, k))
    theta = np.random.default_rng(6).normal(0, 1, 60)
    total = np.zeros((300, 2), np.int64)
    for e, t in enumerate(theta):
        total += literally(pool, t, 30, e, by_position=by_position)[0]
    given = give(pool, theta, 30, by_position=by_position, depth=120, bins=500)
    assert given.counts.tolist() == total.tolist()


def test_the_histogram_counts_the_open_positions_of_the_walk():
    pool = pools()["ordinary"]
    theta = np.random.default_rng(7).normal(0, 1, 50)
    given = give(pool, theta, 7, by_position=True, histogram=True)
    expected = np.zeros((24, 7), np.int64)
    for e, t in enumerate(theta):
        key, left = oracle.nth(int(KEY), e), 7
        for item in oracle.ranking(t, *pool.parameters):
            if left == 0:
                break
            expected[item, left - 1] += 1
            left -= oracle.clock(oracle.uniform(oracle.nth(key, item)), pool.k[item]) <= left
    assert given.counts[:, 2:].tolist() == expected.tolist()


@pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
@pytest.mark.parametrize("name", ["ordinary", "runs out"])
def test_deciles_add_up_to_what_was_seen(name, by_position):
    theta = np.linspace(-2, 2, 200)
    decile = np.repeat(np.arange(10, dtype=np.uint8), 20)
    given = give(pools()[name], theta, 7, by_position=by_position, decile=decile)
    assert given.by_decile.sum(axis=0).tolist() == given.counts[:, 0].tolist()
    assert given.by_decile.sum(axis=1).tolist() == [20 * 7] * 10


@pytest.mark.compiled
@pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
@pytest.mark.parametrize("name", ["ordinary", "runs out", "mixed", "ties"])
def test_a_literal_process_with_dice_agrees_in_distribution(name, by_position):
    pool, theta, length, literal_n, n = pools()[name], 0.3, 7, 6000, 400_000
    order = oracle.ranking(theta, *pool.parameters)
    dice = random.Random(9)  # noqa: S311 - dice, not secrets
    seen_sum = np.zeros(24)
    proposed_sum, proposed_squares = np.zeros(24), np.zeros(24)
    for _ in range(literal_n):
        seen, proposed, _ = oracle.test_with_dice(order, pool.k, dice, length, by_position)
        seen_sum[seen] += 1
        for item, times in proposed.items():
            proposed_sum[item] += times
            proposed_squares[item] += times * times
    given = give(pool, np.full(n, theta), length, by_position=by_position)
    rate = given.counts[:, 0] / n
    spread = np.sqrt(rate * (1 - rate) * (1 / literal_n + 1 / n))
    z = (seen_sum / literal_n - rate)[spread > 0] / spread[spread > 0]
    assert np.abs(z).max() < 4.5
    assert (seen_sum / literal_n == rate)[spread == 0].all()
    mean = proposed_sum / literal_n
    spread = np.sqrt((proposed_squares / literal_n - mean**2) / literal_n)
    often = (proposed_sum > 200) & (spread > 0)
    assert often.any() or not by_position
    z = (mean - given.counts[:, 1] / n)[often] / spread[often]
    assert np.abs(z).max(initial=0) < 4.5
