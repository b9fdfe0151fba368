"""Draws, information, ranking and rules, each against its oracle."""

from __future__ import annotations

import math

import numpy as np
import oracle
import pytest
from kernel_pools import pools

from shsim.kernels.irt import PEAK, information, prepare_items
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
def test_information_is_the_three_parameter_logistic(name):
    pool = pools()[name]
    items = prepare_items(*pool.parameters, pool.scale)
    for theta in [-1e6, -400.0, -5.0, -0.1, 0.0, 1.3, 30.0, 1e6]:
        got = np.array([information(items, i, theta) for i in range(len(items))])
        expected = oracle.information(theta, *pool.parameters, pool.scale)
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-300)


def test_information_peaks_where_lord_says():
    pool = pools()["ordinary"]
    items = prepare_items(*pool.parameters, pool.scale)
    for i in range(len(items)):
        peak = items[i, PEAK]
        at_peak = information(items, i, peak)
        assert at_peak > information(items, i, peak - 1e-3)
        assert at_peak > information(items, i, peak + 1e-3)


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
