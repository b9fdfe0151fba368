"""The closed chain against the plain one, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pools import calibration, golden_pool, make_pool, same_ranking, simulation

from shsim.model.ability import AbilityDistribution
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expectation, nodes_of
from shsim.workflow.simulate import simulate
from shsim.workflow.solve import Solver, Target, meets

pytestmark = pytest.mark.compiled

BOTH = pytest.mark.parametrize("rejection", ["position", "examinee"])
FIXED = AbilityDistribution.fixed(0.0)


def expected(pool, length, rejection, k, *, theta=None, nodes=400):
    delivery = calibration(
        length, rejection, theta=theta or AbilityDistribution.normal(0, 1)
    ).delivery
    with Executor(pool, delivery, 2) as executor:
        return Expectation(executor, pool, delivery, nodes).of(np.asarray(k, float))


def solved(pool, length, rejection, tau, *, theta=None, nodes=4000, **target):
    delivery = calibration(
        length, rejection, theta=theta or AbilityDistribution.normal(0, 1)
    ).delivery
    with Executor(pool, delivery, 2) as executor:
        return Solver(executor, pool, delivery, nodes).solve(
            np.ones(len(pool)), Target(tau, **target)
        )


@BOTH
@pytest.mark.parametrize("least", [1.0, 0.7], ids=["3PL", "4PL"])
def test_the_chain_is_the_plain_one(rejection, least):
    rng = np.random.default_rng(8)
    three = golden_pool(120)
    pool = make_pool(three.a, three.b, three.c, d=rng.uniform(least, 1, 120))
    for k in (np.ones(120), rng.uniform(0.01, 1, 120), np.full(120, 0.05), rng.integers(0, 2, 120)):
        got = expected(pool, 12, rejection, k)
        nodes = oracle.normal_nodes(400)
        rate, unfilled = oracle.exact_exposure(
            nodes, pool.a, pool.b, pool.c, np.asarray(k, float), 12, 1.7,
            rejection == "position", d=pool.d,
        )  # fmt: skip
        np.testing.assert_allclose(got.rate, rate, atol=1e-11)
        assert got.left == pytest.approx(unfilled, abs=1e-11)
        np.testing.assert_allclose(got.by_decile.mean(axis=0), rate, atol=1e-11)


@pytest.mark.parametrize(
    ("length", "tau", "rejection", "k", "rates"),
    [
        (1, 0.25, "position", [1 / 4, 1 / 3, 1 / 2, 1], [1 / 4] * 4),
        (1, 0.25, "examinee", [1 / 4, 1 / 3, 1 / 2, 1], [1 / 4] * 4),
        (2, 0.5, "examinee", [1 / 2, 1 / 2, 2 / 3, 1], [1 / 2, 1 / 2, 1 / 2, 5 / 12, 1 / 12]),
    ],
)
def test_closed_forms(length, tau, rejection, k, rates):
    solution = solved(same_ranking(8), length, rejection, tau, theta=FIXED, settled=1e-12)
    assert solution.k[: len(k)] == pytest.approx(k, abs=1e-9)
    assert solution.expected.rate[: len(rates)] == pytest.approx(rates, abs=1e-9)
    full = np.array([*k, *[1.0] * (8 - len(k))])
    got = expected(same_ranking(8), length, rejection, full, theta=FIXED)
    assert got.rate[: len(rates)] == pytest.approx(rates, abs=1e-12)
    assert got.rate[len(rates) :] == pytest.approx(0, abs=1e-12)


def test_the_closed_form_by_position():
    # k1: 1-(1-k)^2 = 1/2; the others from the chain of two open positions, by hand.
    k1 = 1 - np.sqrt(0.5)
    full = np.array([k1, *[1.0] * 7])
    got = expected(same_ranking(8), 2, "position", full, theta=FIXED)
    assert got.rate[0] == pytest.approx(0.5, abs=1e-12)
    solution = solved(same_ranking(8), 2, "position", 0.5, theta=FIXED, settled=1e-12)
    assert solution.k[:4] == pytest.approx([0.292893, 0.381966, 0.559863, 1], abs=5e-7)
    assert solution.k[:2] == pytest.approx([k1, (3 - np.sqrt(5)) / 2], abs=1e-9)
    assert solution.expected.rate[3:5] == pytest.approx([0.463003, 0.036997], abs=5e-7)


@pytest.mark.parametrize(
    ("rejection", "overlap", "chi_square", "gini", "smallest"),
    [("examinee", 0.1714, 55.7, 0.681, 0.393), ("position", 0.1717, 55.9, 0.682, 0.0190)],
)
def test_the_golden_rows_of_c2(rejection, overlap, chi_square, gini, smallest):
    from shsim.report.exposure import gini as gini_of

    solution = solved(golden_pool(), 30, rejection, 0.2, nodes=8000)
    rate = solution.expected.rate
    assert solution.converged
    assert rate.max() / 0.2 == pytest.approx(1, abs=2e-4)
    assert (rate**2).sum() / 30 == pytest.approx(overlap, abs=6e-5)
    assert ((rate - 0.06) ** 2).sum() / 0.06 == pytest.approx(chi_square, abs=0.06)
    assert gini_of(rate) == pytest.approx(gini, abs=6e-4)
    assert solution.k.min() == pytest.approx(smallest, rel=3e-3)


def test_c2_without_control_to_the_digits_printed():
    result = simulate(golden_pool(), simulation(method="exact"))
    measures = result.measures
    assert measures.max_exposure / 0.2 == pytest.approx(2.402, abs=6e-4)
    assert measures.overlap == pytest.approx(0.2652, abs=6e-5)
    assert measures.chi_square == pytest.approx(102.6, abs=0.06)
    assert measures.gini == pytest.approx(0.795, abs=6e-4)
    assert measures.information_kept == 1.0
    assert measures.proposals_per_test == pytest.approx(30)


EMPIRICAL = AbilityDistribution.empirical(
    np.random.default_rng(4).normal(0.3, 0.8, 700), "file:abilities"
)


@BOTH
@pytest.mark.parametrize(
    "theta",
    [
        AbilityDistribution.normal(0, 1),
        AbilityDistribution.uniform(-2, 2),
        AbilityDistribution.fixed(0.4),
        EMPIRICAL,
    ],
    ids=["normal", "uniform", "fixed", "empirical"],
)
def test_agreement_with_simulated_examinees(theta, rejection):
    n = 400_000
    check_agreement(theta, rejection, n)


@pytest.mark.long
@BOTH
@pytest.mark.parametrize(
    "theta",
    [
        AbilityDistribution.normal(0, 1),
        AbilityDistribution.uniform(-2, 2),
        AbilityDistribution.fixed(0.4),
        EMPIRICAL,
    ],
    ids=["normal", "uniform", "fixed", "empirical"],
)
def test_agreement_with_ten_million_examinees(theta, rejection):
    check_agreement(theta, rejection, 10_000_000)


def check_agreement(theta, rejection, n):
    k = np.clip(np.random.default_rng(3).uniform(0.02, 1.3, 500), 0, 1)
    pool = golden_pool(k=k)
    got = expected(pool, 30, rejection, k, theta=theta, nodes=100_000)
    sampled = simulate(pool, simulation(30, rejection, theta=theta, n=n)).exposure
    used = got.rate > 1e-4
    spread = np.sqrt(got.rate * (1 - got.rate) / n)[used]
    # A fixed theta that everybody ranks first with k = 1 has no spread: it must agree.
    sure = spread < 1e-9
    assert np.abs(sampled.rate[used] - got.rate[used])[sure].max(initial=0) < 1e-6
    z = ((sampled.rate - got.rate)[used] / np.where(sure, 1, spread))[~sure]
    assert np.abs(z).max() < 5
    assert 0.9 - 1.2 / np.sqrt(len(z)) < z.std() < 1.1 + 1.2 / np.sqrt(len(z))


@st.composite
def problems(draw):
    """A small random pool with a table of k that cannot run short."""
    seed = draw(st.integers(0, 10**6))
    length = draw(st.integers(1, 6))
    rng = np.random.default_rng(seed)
    size = draw(st.integers(length + 12, 40))
    pool = make_pool(rng.lognormal(0, 0.4, size), rng.normal(0, 1, size), rng.uniform(0, 0.3, size))
    k = rng.uniform(0.05, 1, size)
    k[rng.permutation(size)[: length + 5]] = 1.0  # enough items that accept at once
    return pool, length, k, rng.integers(0, size)


@BOTH
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problem=problems())
def test_properties_of_the_chain(rejection, problem):
    pool, length, k, item = problem
    got = expected(pool, length, rejection, k, nodes=60)
    assert got.left == pytest.approx(0, abs=1e-10)
    assert got.rate.sum() == pytest.approx(length, abs=1e-9)
    if rejection == "examinee":
        np.testing.assert_allclose(got.rate, k * got.reached.sum(axis=1), atol=1e-11)
    lower = k.copy()
    lower[item] *= 0.7
    less = expected(pool, length, rejection, lower, nodes=60)
    if got.rate[item] > 1e-9:
        assert less.rate[item] < got.rate[item]


@BOTH
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), slack=st.floats(1.3, 4.0))
def test_complementarity_at_the_solution(rejection, seed, slack):
    rng = np.random.default_rng(seed)
    pool = make_pool(rng.lognormal(0, 0.4, 60), rng.normal(0, 1, 60), rng.uniform(0, 0.3, 60))
    tau = min(slack * 6 / 60, 0.9)
    solution = solved(pool, 6, rejection, tau, nodes=200)
    if not (solution.converged and meets(solution.expected, tau)):
        return  # too tight for this pool: nothing is claimed
    rate = solution.expected.rate
    assert rate.max() <= tau * (1 + 1.01e-4)
    assert (rate[solution.k < 1] >= tau * (1 - 1.01e-4)).all()
    assert (solution.k[rate < tau * (1 - 1.01e-4)] == 1).all()


@BOTH
def test_threads_change_no_byte(rejection):
    delivery = calibration(30, rejection).delivery
    pool, answers = golden_pool(), []
    for threads in (1, 2, 7):
        with Executor(pool, delivery, threads) as executor:
            solution = Solver(executor, pool, delivery, 2000).solve(np.ones(500), Target(0.2))
        answers.append((solution.k.tobytes(), solution.expected.rate.tobytes()))
    assert answers[0] == answers[1] == answers[2]


@BOTH
def test_rankings_grow_as_long_as_walks(rejection):
    pool = golden_pool(200)
    k = np.full(200, 0.03)
    short = expected(pool, 10, rejection, k)
    rate, unfilled = oracle.exact_exposure(
        oracle.normal_nodes(400), pool.a, pool.b, pool.c, k, 10, 1.7, rejection == "position"
    )
    np.testing.assert_allclose(short.rate, rate, atol=1e-11)
    assert short.left == pytest.approx(unfilled, abs=1e-10)
    assert short.left > 0.01


def test_nodes_are_as_many_as_are_worth_it():
    assert len(nodes_of(FIXED, 8000)) == 20
    assert len(nodes_of(EMPIRICAL, 8000)) == 700
    assert sorted(set(nodes_of(EMPIRICAL, 8000).tolist())) == EMPIRICAL.values.tolist()
    assert len(nodes_of(EMPIRICAL, 300)) == 300
    few = AbilityDistribution.empirical([0.5, -1.0, 2.0], "file:few")
    assert np.bincount(np.searchsorted(few.values, nodes_of(few, 8000))).tolist() == [7, 7, 7]


def test_forced_exposure_is_exact_by_examinee():
    pool = golden_pool(40, k=np.full(40, 0.3))
    n = 400_000
    settings = simulation(15, "examinee", theta=FIXED, n=n)
    sampled = simulate(pool, settings)
    exact = simulate(pool, simulation(15, "examinee", theta=FIXED, method="exact"))
    assert exact.measures.forced_per_test > 1
    assert exact.measures.forced_per_test == pytest.approx(
        sampled.measures.forced_per_test, abs=0.02
    )
    rate = exact.exposure.rate
    assert rate.sum() == pytest.approx(15, abs=1e-9)
    spread = np.sqrt(np.maximum(rate * (1 - rate), 1e-12) / n)
    assert (np.abs(sampled.exposure.rate - rate) / spread).max() < 5
    assert np.max(exact.measures.max_by_decile) == pytest.approx(rate.max(), abs=1e-9)
