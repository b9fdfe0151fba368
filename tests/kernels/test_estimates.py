"""Ability from answers, what is believed before them, and proposals that were cut short."""

from __future__ import annotations

import math

import cat_oracle
import numpy as np
import oracle
import pytest
from cat_oracle import Design
from kernel_pools import Pool, pools
from scipy.integrate import quad

from shsim.kernels import plan
from shsim.kernels.acceptance import make_rule
from shsim.kernels.desk import make_desk
from shsim.kernels.estimate import Belief, begin, revise
from shsim.kernels.grid import make_curves
from shsim.kernels.ranking import build_ranking
from shsim.kernels.update import potential_proposals
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import DeliverySettings
from shsim.model.prior import grid

ESTIMATORS = ("true", "eap", "map", "mle", "wle")
ROOTS = ("map", "mle", "wle")


def believe(pool, design, answers, *, with_prior=True):
    """Estimate and standard error after each answer, to the pool's items in their order."""
    n = len(answers)
    estimator = ESTIMATORS.index(design.estimator)
    weights = np.exp(-0.5 * ((design.nodes - design.mean) / design.sd) ** 2)
    normal = (design.mean, design.sd) if design.estimator == "map" and with_prior else None
    test = plan.Test(
        build_ranking(pool.items, -3.0, 3.0, 1, 1).tables,
        make_curves(pool.items, design.nodes, weights / weights.sum(), estimator, normal),
        make_rule(pool.k, n, by_position=True),
        plan.Plan(estimator, float(design.start), n, n, 0.0),
        plan.no_content(),
    )
    desk = make_desk(len(pool.a), n, len(design.nodes), 0)
    begin(test, desk)
    belief, course = Belief(float(design.start), np.inf, 1.0), []
    for j, answer in enumerate(answers):
        desk.items[j], desk.answers[j] = j, answer
        belief = Belief(*revise(test, desk, belief, j + 1, True))  # noqa: FBT003 - a kernel's own
        course.append((belief.theta_hat, belief.error))
    return np.array(course).T


def answered(pool, answers):
    n = len(answers)
    right = np.array(answers) == 1
    return cat_oracle.Answered(
        pool.a[:n], pool.b[:n], pool.c[:n], pool.upper[:n], pool.scale, right
    )


def as_the_oracle(pool, design, answers):
    course, theta_hat = [], design.start
    for count in range(1, len(answers) + 1):
        theta_hat, error = cat_oracle.estimate(design, answered(pool, answers[:count]), theta_hat)
        course.append((theta_hat, error))
    return np.array(course).T


def patterns(length, count, seed):
    """Answers as no model gives them: all right, all wrong, in blocks, by turns, by chance."""
    half = length // 2
    rng = np.random.default_rng(seed)
    return [
        [1] * length,
        [0] * length,
        [1] * half + [0] * (length - half),
        [0] * half + [1] * (length - half),
        [j % 2 for j in range(length)],
        *rng.integers(0, 2, (count, length)).tolist(),
    ]


def one_item(n, a=1.2, b=0.4):
    """The same 2PL item n times."""
    return Pool(np.full(n, a), np.full(n, b), np.zeros(n), np.ones(n))


@pytest.mark.parametrize("prior", [(0.0, 1.0), (0.3, 1.4)], ids=["N(0,1)", "N(.3,1.4)"])
@pytest.mark.parametrize("estimator", ESTIMATORS[1:])
@pytest.mark.parametrize(
    "name",
    ["ordinary", "ties", "no guessing", "scale 1", "upper asymptotes", "some upper asymptotes"],
)
def test_any_answers_give_the_oracles_estimate(name, estimator, prior):
    pool, (mean, sd) = pools()[name], prior
    design = Design(estimator, 12, by_position=True, start=0.2, mean=mean, sd=sd)
    for answers in patterns(12, 6, seed=1):
        got, error = believe(pool, design, answers)
        expected, expected_error = as_the_oracle(pool, design, answers)
        exact = 1e-10 if estimator == "eap" else 1e-7
        np.testing.assert_allclose(got, expected, rtol=0, atol=exact)
        np.testing.assert_allclose(error, expected_error, rtol=1e-6)


@pytest.mark.parametrize("name", ["ordinary", "no guessing", "scale 1", "upper asymptotes"])
def test_eap_is_the_integral(name):
    pool, rng = pools()[name], np.random.default_rng(2)
    design = Design("eap", 24, by_position=True)
    for theta in (-1.2, -0.4, 0.0, 0.8, 1.3):
        chance = oracle.probability(theta, *pool.parameters)
        answers = (rng.random(24) < chance).astype(int).tolist()
        got, error = believe(pool, design, answers)
        for count in (1, 5, 24):
            about = answered(pool, answers[:count])

            def moment(power, about=about):
                def density(t):
                    return t**power * math.exp(-0.5 * t * t + float(about.log_likelihood(t)))

                return quad(density, -8, 8, epsabs=1e-13, points=[-1, 0, 1], limit=200)[0]

            mean = moment(1) / moment(0)
            spread = math.sqrt(moment(2) / moment(0) - mean**2)
            # The grid ends at four standard deviations, beyond which high scores leave weight.
            exact = 1e-3 if abs(mean) + spread < 2 else 2e-3
            assert got[count - 1] == pytest.approx(mean, abs=exact)
            assert error[count - 1] == pytest.approx(spread, abs=2 * exact)


@pytest.mark.parametrize("right", [1, 3, 8, 11])
def test_of_one_item_many_times_mle_and_wle_are_in_closed_form(right):
    # Warm (1989): without guessing the weight is the root of the information, which adds half
    # an answer of either kind where all items are alike.
    n, a, b = 12, 1.2, 0.4
    answers = [1] * right + [0] * (n - right)
    for estimator, share in (("mle", right / n), ("wle", (right + 0.5) / (n + 1))):
        design = Design(estimator, n, by_position=True)
        got, error = believe(one_item(n, a, b), design, answers)
        assert got[-1] == pytest.approx(b + math.log(share / (1 - share)) / (1.7 * a), abs=1e-8)
        information = n * (1.7 * a) ** 2 * share * (1 - share)
        assert error[-1] == pytest.approx(information**-0.5, rel=1e-7)


@pytest.mark.parametrize("bound", [-4.0, 4.0])
def test_mle_of_answers_all_alike_goes_half_of_the_way_to_the_bound(bound):
    design = Design("mle", 5, by_position=True, start=1.0)
    got, _ = believe(pools()["ordinary"], design, [int(bound > 0)] * 5)
    assert got.tolist() == [bound + (1.0 - bound) / 2**j for j in range(1, 6)]


def test_map_without_a_prior_is_the_highest_likelihood_within_the_bounds():
    pool = pools()["ordinary"]
    for answers in patterns(12, 6, seed=3):
        design = Design("map", 12, by_position=True)
        got, _ = believe(pool, design, answers, with_prior=False)
        for count in range(1, 13):
            about = answered(pool, answers[:count])
            best = cat_oracle.highest(about.log_likelihood, about.slope, design.nodes)
            assert got[count - 1] == pytest.approx(best, abs=1e-7)


@pytest.mark.parametrize("estimator", ["map", "mle"])
@pytest.mark.parametrize("steepest", [3, 12])
def test_no_ability_is_likelier_however_steep_the_items(estimator, steepest):
    # Much steeper ones have maxima between nodes of the grid that none of these gives away.
    rng, n = np.random.default_rng(4), 20
    fine = np.linspace(-4, 4, 8001)
    for theta in rng.normal(0, 1, 20):
        a = np.exp(rng.uniform(math.log(0.3), math.log(steepest), n))
        pool = Pool(a, rng.normal(0, 1, n), rng.uniform(0, 0.3, n), np.ones(n))
        chance = oracle.probability(theta, *pool.parameters)
        answers = (rng.random(n) < chance).astype(int).tolist()
        got, _ = believe(pool, Design(estimator, n, by_position=True, start=0.2), answers)
        for count in (2, 5, 12, 20):
            if estimator == "mle" and len(set(answers[:count])) == 1:
                continue
            about, prior = answered(pool, answers[:count]), float(estimator == "map")
            best = (about.log_likelihood(fine) - 0.5 * prior * fine**2).max()
            at = got[count - 1]
            assert about.log_likelihood(at) - 0.5 * prior * at**2 >= best - 1e-9


@pytest.mark.parametrize("estimator", ESTIMATORS[1:])
def test_nothing_is_nan_however_odd_the_items(estimator):
    n = 24
    for name, pool in pools().items():
        design = Design(estimator, n, by_position=True)
        for answers in patterns(n, 2, seed=5):
            got, error = believe(pool, design, answers)
            assert np.isfinite(got).all(), name
            assert ((got >= -4) & (got <= 4)).all(), name
            assert not np.isnan(error).any(), name


def delivery(ability, **settings):
    theta = settings.pop("theta", AbilityDistribution.normal(0, 1))
    return DeliverySettings(theta=theta, seed=1, ability=ability, **settings)


@pytest.mark.parametrize("ability", ["eap", "map", "mle", "wle"])
@pytest.mark.parametrize(
    "theta",
    ["normal:0,1", "normal:-1.3,0.4", "uniform:-2,3", "fixed:0.7"],
)
def test_the_grid_keeps_the_mean(theta, ability):
    distribution = AbilityDistribution.parse(theta)
    for settings in ({"theta": distribution}, {"prior": distribution}):
        nodes, weights = grid(delivery(ability, **settings))
        assert len(nodes) == len(weights) == 64
        assert (np.diff(nodes) == pytest.approx(nodes[1] - nodes[0], rel=1e-9)) is True
        assert weights.sum() == pytest.approx(1, abs=1e-14)
        assert (weights * nodes).sum() == pytest.approx(distribution.mean, abs=1e-13)


def test_the_grid_has_the_spread_of_what_is_believed():
    for theta, sd in (("normal:2,0.5", 0.5), ("uniform:-2,3", 5 / math.sqrt(12))):
        nodes, weights = grid(delivery("eap", theta=AbilityDistribution.parse(theta)))
        mean = (weights * nodes).sum()
        assert math.sqrt((weights * (nodes - mean) ** 2).sum()) == pytest.approx(sd, rel=1e-3)


def test_the_grid_of_a_list_keeps_its_mean_and_nearly_its_spread():
    rng = np.random.default_rng(6)
    for values in (rng.normal(0.4, 1.1, 700), rng.gamma(2, 1, 50), [-1.0, 0.2, 3.0]):
        nodes, weights = grid(delivery("eap", theta=AbilityDistribution.empirical(values, "x")))
        assert (weights >= 0).all()
        assert (nodes[0], nodes[-1]) == (min(values), max(values))
        mean = (weights * nodes).sum()
        assert mean == pytest.approx(np.mean(values), abs=1e-13)
        spread = math.sqrt((weights * (nodes - mean) ** 2).sum())
        assert spread == pytest.approx(np.std(values), rel=1e-2)


def test_potential_proposals_by_hand():
    # Of nine, two accepted at the first proposal and three were proposed once and rejected:
    # of the seven who rejected it, four came to a second. Of these, one accepted, two of the
    # three others came to no third, and one did.
    accepted, rejected = np.array([[2, 1, 0]]), np.array([[3, 2, 1]])
    first, second = 3 / 7, 2 / 3
    expected = [first, (1 - first) * second, (1 - first) * (1 - second)]
    got = potential_proposals(accepted, rejected)
    assert got.tolist() == [pytest.approx([9 * share for share in expected])]


def test_potential_proposals_where_everybody_left_accepted():
    accepted, rejected = np.array([[2, 3, 0], [5, 0, 0], [0, 0, 0]]), np.zeros((3, 3), np.int64)
    rejected[0, 0] = 4
    got = potential_proposals(accepted, rejected)
    assert got[0].tolist() == pytest.approx([9 * 4 / 7, 9 * 3 / 7, 0])
    assert got[1:].tolist() == [[5, 0, 0], [0, 0, 0]]


def test_potential_proposals_of_what_nobody_accepted_are_the_counts():
    rejected = np.random.default_rng(7).integers(0, 50, (40, 12))
    rejected[3] = 0
    got = potential_proposals(np.zeros_like(rejected), rejected)
    np.testing.assert_allclose(got, rejected, rtol=1e-12)


@pytest.mark.parametrize("k", [0.05, 0.3, 0.6])
def test_potential_proposals_come_back_from_counts_that_acceptance_cut_short(k):
    rng, n, length, items = np.random.default_rng(8), 40_000, 10, 60
    truth = rng.dirichlet(np.ones(length), items)
    accepted, rejected = np.zeros((2, items, length), np.int64)
    for i in range(items):
        times = rng.choice(length, n, p=truth[i]) + 1
        clock = rng.geometric(k, n)
        got_it = clock <= times
        accepted[i] = np.bincount(clock[got_it] - 1, minlength=length)
        rejected[i] = np.bincount(times[~got_it] - 1, minlength=length)
    got = potential_proposals(accepted, rejected)
    np.testing.assert_allclose(got.sum(axis=1), n, rtol=1e-12)
    # What the update rule takes from it: the rate at any k, of which most is within reach.
    m = np.arange(1, length + 1)
    for other in (k / 2, k, min(1.5 * k, 1.0)):
        rate = (got / n) @ (1 - (1 - other) ** m)
        expected = truth @ (1 - (1 - other) ** m)
        noise = np.sqrt(expected * (1 - expected) / n)
        assert np.abs(rate - expected).max() < 5 * noise.max()
    # Of m itself, only as many have been seen as rejected m times.
    alive = truth[:, ::-1].cumsum(axis=1)[:, ::-1] * (1 - k) ** m
    noise = np.sqrt(np.maximum(truth * (1 - truth), 1 / n) / (n * alive)) * n
    assert np.abs((got - n * truth) / np.maximum(noise, 1)).max() < 6
