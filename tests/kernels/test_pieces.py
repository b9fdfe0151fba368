"""Draws, information, ranking and rules, each against its oracle."""

from __future__ import annotations

import math

import numpy as np
import oracle
import pytest
from kernel_pools import Pool, pools

from shsim.kernels.irt import PEAK, SLOPE, information
from shsim.kernels.jit import rare
from shsim.kernels.response import probability
from shsim.kernels.rng import stream_key, uniforms
from shsim.kernels.update import (
    move,
    wanted_by_examinee,
    wanted_by_position,
    wanted_by_rate,
)


def test_uniforms_are_splitmix64_and_chunks_do_not_matter():
    key = stream_key(42, 2, 7, 1)
    assert int(key) == oracle.stream(42, 2, 7, 1)
    whole = uniforms(key, 0, 100)
    assert whole.tolist() == [oracle.uniform(oracle.nth(int(key), i)) for i in range(100)]
    assert whole[37:61].tolist() == uniforms(key, 37, 24).tolist()


def test_splitmix64_gives_the_published_sequence():
    # The first outputs for the seed 1234567, as in the reference implementation.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [oracle.nth(1234567, i) for i in range(3)] == expected


def test_uniforms_are_uniform_and_streams_are_strangers():
    n = 1_000_000
    first, second = uniforms(stream_key(1, 1, 0, 1), 0, n), uniforms(stream_key(1, 2, 0, 1), 0, n)
    assert first.min() > 0
    assert first.max() < 1
    counts = np.histogram(first, bins=1000, range=(0, 1))[0]
    chi_square = ((counts - n / 1000) ** 2 / (n / 1000)).sum()
    assert abs(chi_square - 999) < 5 * math.sqrt(2 * 999)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(n)
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / math.sqrt(n)


@pytest.mark.parametrize("name", pools())
def test_information_is_that_of_the_logistic_model(name):
    pool = pools()[name]
    items = pool.items
    for theta in [-1e6, -400.0, -5.0, -0.1, 0.0, 1.3, 30.0, 1e6]:
        got = np.array([information(items, i, theta) for i in range(len(items))])
        expected = oracle.information(theta, *pool.parameters)
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", pools())
def test_probability_is_that_of_the_logistic_model(name):
    pool = pools()[name]
    items = pool.items
    for theta in [-1e6, -400.0, -5.0, -0.1, 0.0, 1.3, 30.0, 1e6]:
        got = np.array([probability(items, i, theta) for i in range(len(items))])
        expected = oracle.probability(theta, *pool.parameters)
        assert ((got >= pool.c) & (got <= pool.upper)).all()
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", pools())
def test_information_is_the_squared_slope_of_probability_over_its_variance(name):
    pool = pools()[name]
    items = pool.items
    for i in range(len(items)):
        for z in (-3.0, -0.7, 0.0, 0.4, 2.5):
            theta = pool.b[i] + z / items[i, SLOPE]
            step = 1e-4 / items[i, SLOPE]
            slope = (
                (probability(items, i, theta + step) - probability(items, i, theta - step))
                / (2 * step)
            )  # fmt: skip
            p = probability(items, i, theta)
            expected = slope * slope / (p * (1 - p))
            assert information(items, i, theta) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["ordinary", "upper asymptotes", "upper asymptotes, no guessing"])
def test_information_peaks_where_lord_and_magis_say(name):
    items = pools()[name].items
    for i in range(len(items)):
        peak = items[i, PEAK]
        at_peak = information(items, i, peak)
        assert at_peak > information(items, i, peak - 1e-3)
        assert at_peak > information(items, i, peak + 1e-3)


@rare  # not a kernel, whose cache would not know of an edit here
def curves(items, theta, out):
    """Information of every item (rows) at its own thetas."""
    for i in range(len(items)):
        for t in range(theta.shape[1]):
            out[i, t] = information(items, i, theta[i, t])


def test_information_has_one_maximum_and_a_bounded_slope_whatever_the_asymptotes():
    # What the ranking's bounds rely on; z is D a (theta - b).
    rng = np.random.default_rng(12)
    n, z = 600, np.linspace(-30, 30, 1501)
    c = np.select([np.arange(n) % 4 == 0, np.arange(n) % 4 == 1], [0.0, 1e-9], rng.uniform(0, 1, n))
    gap = np.where(np.arange(n) % 3 == 0, 10 ** rng.uniform(-12, 0, n), rng.uniform(0, 1, n))
    d = np.clip(c + (1 - c) * gap, np.nextafter(c, 2), 1.0)
    a, b = np.exp(rng.normal(0, 1, n)), rng.normal(0, 2, n)
    items = Pool(a, b, c, np.ones(n), d=d).items
    theta = b[:, None] + z / items[:, [SLOPE]]
    theta[:, 0] = items[:, PEAK]
    out = np.empty(theta.shape)
    curves(items, theta, out)
    peak, info, theta = out[:, 0], out[:, 1:], theta[:, 1:]
    assert np.isfinite(out).all()
    assert (info.max(axis=1) <= peak * (1 + 1e-12)).all()
    rising = np.diff(info, axis=1) / info[:, 1:]
    before = theta[:, 1:] <= items[:, [PEAK]]
    after = theta[:, :-1] >= items[:, [PEAK]]
    assert (rising[before] >= -1e-12).all()
    assert (rising[after] <= 1e-12).all()
    steps = items[:, [SLOPE]] * np.diff(theta, axis=1)
    assert (np.abs(np.diff(np.log(info), axis=1)) <= 2 * steps * (1 + 1e-9)).all()


def test_nothing_is_nan_however_far_out_and_however_odd_the_asymptotes():
    tiny, below = 5e-324, np.nextafter(1.0, 0.0)
    pairs = [
        (0.0, tiny), (0.0, 1e-310), (tiny, 2 * tiny), (1e-310, 2e-310), (1e-200, 1e-160),
        (0.0, below), (1e-300, below), (0.3, np.nextafter(0.3, 1)), (below - 2**-53, below),
    ]  # fmt: skip
    c, d = np.array(pairs).T
    for a in (1e-300, 1.0, 1e4):
        items = Pool(np.full(len(c), a), np.zeros(len(c)), c, np.ones(len(c)), d=d).items
        for theta in (-np.inf, -1e6, -450.0, -372.0, -1.0, 0.0, 1.0, 372.0, 450.0, 1e6, np.inf):
            for i in range(len(items)):
                assert information(items, i, theta) >= 0
                assert c[i] <= probability(items, i, theta) <= d[i]


def test_the_root_of_the_histogram_against_bisection():
    rng = np.random.default_rng(2)
    length, n = 30, 10_000
    reached = rng.multinomial(n, rng.dirichlet(np.ones(length + 1), 200))[:, :length]
    reached[0] = 0
    reached[1, :-1], reached[1, -1] = 0, n
    k = wanted_by_position(reached, n, 0.2)
    m = np.arange(1, length + 1)
    for row, root in zip(reached / n, k, strict=True):
        if row.sum() <= 0.2:
            assert root == 1
            continue
        low, high = 0.0, 1.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if (row * (1 - (1 - middle) ** m)).sum() < 0.2 else (low, middle)
            )
        assert root == pytest.approx(low, rel=1e-10)


def test_sympson_and_hetter_s_rule():
    proposed = np.array([0, 100, 200, 400, 1000])
    assert wanted_by_examinee(proposed, 1000, 0.2).tolist() == [1, 1, 1, 0.5, 0.2]


def test_the_first_script_s_rule():
    k = np.array([0.5, 0.5, 0.9, 1.0])
    wanted = wanted_by_rate(k, np.array([400, 100, 0, 0]), 1000, 0.2)
    assert wanted.tolist() == pytest.approx([0.25, 1.0, 0.99, 1.1])
    moved = move(k, wanted, 0.6, 0.02, 1.0)
    assert moved.tolist() == pytest.approx([0.5 * 0.5**0.6, 0.5 * 2**0.6, 0.9 * 1.1**0.6, 1.0])


def test_a_k_of_nought_counts_as_the_floor_and_stays_where_that_is_nought():
    k, wanted = np.array([0.0, 0.5]), np.array([1.0, 0.1])
    assert move(k, wanted, 1.0, 0.001, 1.0).tolist() == [1.0, 0.1]
    assert move(k, wanted, 1.0, 0.0, 1.0).tolist() == [0.0, 0.1]
    assert move(k, wanted, 1.0, 0.2, 0.8).tolist() == [0.8, 0.2]
