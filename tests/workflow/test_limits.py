"""The ends of every range, and what must add up whatever the pool."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pools import calibration, golden_pool, make_pool, same_ranking, simulation

from shsim.model.ability import AbilityDistribution
from shsim.model.item_pool import LARGEST_A, LARGEST_B
from shsim.workflow.calibrate import calibrate
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.one_pass import OnePassTests
from shsim.workflow.simulate import simulate

pytestmark = pytest.mark.compiled

BOTH = pytest.mark.parametrize("rejection", ["position", "examinee"])
FIXED = AbilityDistribution.fixed(0.0)


def adds_up(result):
    """What holds for every simulation."""
    length, n = result.settings.delivery.length, result.exposure.n
    exposure, measures = result.exposure, result.measures
    assert n == measures.n
    assert exposure.seen.sum() == n * length
    assert (exposure.seen >= 0).all()
    assert (exposure.seen <= n).all()
    assert (exposure.proposed >= exposure.seen).all()
    assert (exposure.low <= exposure.rate).all()
    assert (exposure.rate <= exposure.high).all()
    assert 0 <= measures.forced <= n * length
    assert measures.mean_exposure == pytest.approx(length / len(result.pool))
    numbers = [value for value in vars_of(measures) if isinstance(value, float)]
    assert np.isfinite(numbers).all()
    assert measures.information_kept >= 0
    assert (measures.held is False) == exposure.over.any()
    return result


def vars_of(measures):
    return [getattr(measures, name) for name in measures.__slots__]


def calibrated(pool, **settings):
    """A calibration whose table is a table and whose verification adds up."""
    result = adds_up(calibrate(pool, calibration(**({"verify_n": 20_000} | settings))))
    floor, ceil = result.settings.floor, result.settings.ceil
    assert ((result.k >= floor) & (result.k <= ceil)).all()
    assert [record.iter for record in result.history] == list(range(len(result.history)))
    return result


@BOTH
def test_a_test_of_the_whole_pool_shows_everybody_everything(rejection):
    pool = golden_pool(20, k=np.linspace(0, 1, 20))
    result = adds_up(simulate(pool, simulation(20, rejection, n=3000)))
    assert (result.exposure.seen == 3000).all()
    assert result.measures.overlap == pytest.approx(1)
    found = calibrated(pool, length=20, rejection=rejection, tau=1.0, n=500, iters=14)
    assert found.verdict.held


@BOTH
def test_one_item(rejection):
    pool = golden_pool(1, k=[0.3])
    result = adds_up(simulate(pool, simulation(1, rejection, n=2000, tau=1.0)))
    assert result.exposure.seen.tolist() == [2000]
    assert result.measures.forced == pytest.approx(1400, abs=100)
    found = calibrated(pool, length=1, rejection=rejection, tau=1.0, n=500, iters=14)
    assert found.k.tolist() == [1]


@BOTH
def test_a_cap_of_one_restrains_nothing(rejection):
    result = calibrated(golden_pool(60), length=5, rejection=rejection, tau=1.0, n=500)
    assert (result.k == 1).all()
    assert result.measures.information_kept == 1
    assert result.verdict.held


@BOTH
def test_a_cap_of_exactly_the_mean_exposure_runs_to_an_honest_end(rejection):
    result = calibrated(golden_pool(40), length=8, rejection=rejection, tau=0.2, n=2000, iters=60)
    assert result.measures.max_exposure < 0.3
    assert result.verdict.held or result.verdict.reason


@BOTH
def test_everybody_of_one_ability(rejection):
    result = calibrated(
        same_ranking(20), length=4, rejection=rejection, tau=0.5, theta=FIXED, iters=40
    )
    assert result.verdict.held
    assert result.exposure.seen[11:].sum() == 0


@pytest.mark.parametrize("theta", ["fixed:-40", "fixed:1e6", "uniform:-1e6,1e6", "normal:0,1e6"])
def test_abilities_far_from_every_item(theta):
    result = simulate(
        golden_pool(50, k=np.full(50, 0.6)),
        simulation(5, theta=AbilityDistribution.parse(theta), n=4000),
    )
    adds_up(result)


def test_abilities_from_a_file_with_outliers():
    values = [*np.random.default_rng(1).normal(0, 1, 500), -1e6, 1e6, 90.0]
    theta = AbilityDistribution.empirical(values, "file:x")
    result = calibrated(golden_pool(200), length=10, theta=theta)
    assert result.verdict.held


@pytest.mark.parametrize("n", [1, 2, 1023, 1024, 1025])
@BOTH
def test_few_examinees(rejection, n):
    adds_up(simulate(golden_pool(40), simulation(10, rejection, n=n)))
    calibrated(golden_pool(40), length=4, rejection=rejection, n=n, iters=15, verify_n=n)


@BOTH
def test_a_k_of_nought_everywhere_forces_every_position(rejection):
    pool = golden_pool(30, k=np.zeros(30))
    result = adds_up(simulate(pool, simulation(6, rejection, n=2000)))
    free = simulate(golden_pool(30), simulation(6, rejection, n=2000))
    assert result.measures.forced == 6 * 2000
    assert result.exposure.seen.tolist() == free.exposure.seen.tolist()
    found = calibrated(pool, length=6, rejection=rejection, tau=0.5)
    assert found.verdict.held


@BOTH
def test_a_ceiling_under_one(rejection):
    result = calibrated(golden_pool(100), length=5, rejection=rejection, ceil=0.7)
    assert result.k.max() == 0.7
    assert result.verdict.held


@BOTH
def test_a_floor_that_is_the_ceiling_leaves_no_choice(rejection):
    result = calibrated(
        golden_pool(100), length=5, rejection=rejection, floor=0.5, ceil=0.5, n=500, iters=20
    )
    assert (result.k == 0.5).all()


def test_the_steepest_and_the_farthest_items_of_the_range():
    size = 40
    pool = make_pool(
        np.geomspace(1e-6, LARGEST_A, size), np.linspace(-LARGEST_B, LARGEST_B, size),
        np.linspace(0, 1 - 2**-53, size), np.linspace(0, 1, size),
    )  # fmt: skip
    for rejection in ("position", "examinee"):
        adds_up(simulate(pool, simulation(7, rejection, n=3000)))
    steep = make_pool(np.full(60, LARGEST_A), np.linspace(-2, 2, 60), np.full(60, 0.2))
    assert calibrated(steep, length=5).verdict.held


@pytest.mark.parametrize("scale", [1e-300, 1.0, 100.0])
def test_the_ends_of_the_scaling_constant(scale):
    calibrated(golden_pool(60), length=5, scale=scale, n=500, iters=14)


def test_a_hundred_thousand_items():
    rng = np.random.default_rng(5)
    size = 100_000
    pool = make_pool(np.exp(rng.normal(0, 0.3, size)), rng.normal(0, 1, size), np.full(size, 0.2))
    result = calibrated(pool, length=30, n=1000, iters=3, verify_n=2000)
    assert (result.k < 1).any()


@st.composite
def small_pools(draw):
    """Up to twelve items with ties and extremes among them, and a test length."""
    size = draw(st.integers(1, 12))

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    pool = make_pool(
        column(st.sampled_from([0.5, 1.0, 1.0, 3.0, 1e-3, 40.0])),
        column(st.sampled_from([0.0, 0.0, -2.0, 1.0, 35.0])),
        column(st.sampled_from([0.0, 0.2, 0.2, 0.99])),
        column(st.sampled_from([0.0, 5e-324, 1e-9, 0.03, 0.4, 0.9, 1.0])),
    )
    return pool, draw(st.integers(1, size))


ABILITIES = st.sampled_from(["normal:0,1", "uniform:-3,3", "fixed:0.5", "normal:1,1e-9"])


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_pools(), ABILITIES, st.integers(0, 2**63 - 1), st.integers(1, 1500), st.booleans())
def test_the_counts_of_any_pool_add_up(drawn, theta, seed, n, by_position):
    pool, length = drawn
    rejection = "position" if by_position else "examinee"
    settings = simulation(length, rejection, seed=seed, theta=AbilityDistribution.parse(theta), n=n)
    result = adds_up(simulate(pool, settings, threads=2))
    exposure, forced = result.exposure, result.measures.forced
    never = pool.k == 0
    if by_position:
        assert (exposure.proposed <= n * length).all()
        assert exposure.proposed.sum() >= n * length
    else:
        # Proposed at most once: accepted (seen unless it never got so far) or rejected.
        assert (exposure.proposed <= n).all()
        rejected = exposure.proposed.sum() - (exposure.seen.sum() - forced)
        assert forced <= rejected <= exposure.proposed.sum()
    assert exposure.seen[never].sum() <= forced
    if (pool.k == 1).sum() >= length:
        assert forced == 0
    if (pool.k == 1).all():
        assert (exposure.proposed == exposure.seen).all()


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_pools(), st.integers(1, 3000), st.booleans())
def test_the_open_positions_of_any_pool_add_up(drawn, n, by_position):
    pool, length = drawn
    delivery = simulation(length, "position" if by_position else "examinee").delivery
    with Executor(pool, delivery, 2) as executor:
        cohort = cohort_of(n)
        totals = OnePassTests(executor, delivery).run(
            cohort, pool.k, measure=True, histogram=by_position
        )
    assert totals.by_decile.sum(axis=0).tolist() == totals.seen.tolist()
    assert totals.decile_sizes.sum() == n
    assert (totals.by_decile <= totals.decile_sizes[:, None]).all()
    if by_position:
        reached = totals.reached.sum(axis=1)
        assert totals.reached.shape == (len(pool), length)
        assert (reached <= n).all()
        assert reached.sum() >= n
        assert (totals.seen - totals.forced <= reached).all()


def cohort_of(n):
    return Cohort(theta=AbilityDistribution.normal(0, 1), n=n, seed=4, stream=7)


@examples(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_pools(), st.floats(0, 1), st.sampled_from(["classical", "damped"]), st.booleans())
def test_any_small_pool_can_be_calibrated(drawn, slack, method, by_position):
    pool, length = drawn
    mean = length / len(pool)
    calibrated(
        pool,
        length=length,
        rejection="position" if by_position else "examinee",
        method=method,
        tau=min(mean + slack * (1 - mean), 1.0),
        n=200,
        iters=15,
        verify_n=500,
    )
