"""Calibration for the test that is delivered: an estimated ability, stopping, content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pools import NORMAL, golden_pool

from shsim.model.ability import AbilityDistribution
from shsim.model.blueprint import Blueprint, TopicRule
from shsim.model.checkpoint import IterationState
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import NO_TOPIC
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.workflow.calibrate import calibrate
from shsim.workflow.iterate import LOOK_EVERY, Pooled, judged
from shsim.workflow.simulate import simulate

pytestmark = pytest.mark.compiled

BOTH = pytest.mark.parametrize("rejection", ["position", "examinee"])
TAU = 0.2
#: Fresh examinees, by whom a finished table is judged.
FRESH = 60_000


def asked(length=12, seed=1, rejection="position", ability="eap", theta=NORMAL, **chosen):
    """Settings of a calibration; the test's own are taken out of `chosen`."""
    names = ("start", "prior", "se_stop", "min_len", "blueprint")
    of_test = {name: chosen.pop(name) for name in names if name in chosen}
    delivery = DeliverySettings(
        length=length, rejection=rejection, ability=ability, theta=theta, seed=seed, **of_test
    )
    return CalibrationSettings.make(delivery, **{"verify_n": 20_000, "nodes": 1000, **chosen})


def quick(**chosen):
    """Settings of a calibration that is over at once."""
    return asked(**{"n": 1000, "iters": 2, "verify_n": 4000, "nodes": 400, **chosen})


def pool_of_topics(size=200, topics=4):
    return replace(golden_pool(size), topic_id=np.arange(size) % topics)


def on_fresh_examinees(pool, result, n=FRESH, tau=TAU):
    """What the finished table does to other examinees than any it has met."""
    delivery = replace(result.settings.delivery, seed=result.settings.delivery.seed + 1000)
    return simulate(pool.with_k(result.k), SimulationSettings(delivery=delivery, tau=tau, n=n))


def holds(pool, result):
    """No item over the cap beyond noise, and none restrained for nothing; what was measured."""
    assert result.converged
    assert result.verdict.held
    found = on_fresh_examinees(pool, result)
    assert found.measures.over_beyond_noise == 0
    noise = 4.5 * np.sqrt(TAU * (1 - TAU) / FRESH)
    restrained = found.exposure.rate[result.k < 0.995]
    assert len(restrained) > 10
    assert restrained.min() > 0.96 * TAU - noise
    assert found.measures.forced_per_test < 1e-3
    return found.measures


@BOTH
def test_a_table_for_an_eap_test_holds_the_cap_in_it(rejection):
    pool = golden_pool(200)
    result = calibrate(pool, asked(rejection=rejection))
    measures = holds(pool, result)
    free = measures.uncontrolled
    assert free.max_exposure > 4 * TAU
    assert free.accuracy.rmse < measures.accuracy.rmse < 1.25 * free.accuracy.rmse
    assert measures.accuracy.standard_error == pytest.approx(measures.accuracy.rmse, rel=0.03)
    assert result.when_estimated is None
    assert result.reasons is None


@BOTH
def test_a_table_for_the_true_theta_does_not(rejection):
    pool = golden_pool(200)
    result = calibrate(pool, asked(ability="true", rejection=rejection))
    assert result.verdict.held
    assert result.when_estimated > 1.3 * TAU
    used = replace(result.settings.delivery, ability="eap", seed=77)
    measures = simulate(
        pool.with_k(result.k), SimulationSettings(delivery=used, tau=TAU, n=FRESH)
    ).measures
    assert measures.max_exposure == pytest.approx(result.when_estimated, rel=0.05)
    assert not measures.held


@BOTH
def test_damped_gets_there_too(rejection):
    pool = golden_pool(200)
    holds(pool, calibrate(pool, asked(rejection=rejection, method="damped", n=8192)))


@pytest.mark.parametrize(
    ("ability", "rejection", "theta"),
    [
        ("map", "examinee", NORMAL),
        ("mle", "position", AbilityDistribution.normal(0.5, 0.8)),
        ("wle", "examinee", AbilityDistribution.uniform(-2, 1)),
    ],
)
def test_other_estimates_and_examinees(ability, rejection, theta):
    pool = golden_pool(200)
    holds(pool, calibrate(pool, asked(8, ability=ability, rejection=rejection, theta=theta)))


def test_tests_that_end_by_their_error_hold_the_cap():
    pool = golden_pool(200)
    measures = holds(pool, calibrate(pool, asked(20, se_stop=0.35, min_len=5)))
    lengths = dict(measures.lengths.counts)
    assert 5 <= min(lengths) < measures.lengths.median < max(lengths) == 20
    assert measures.uncontrolled.mean_length < measures.mean_length < 20
    assert measures.accuracy.standard_error < 0.35


RULES = (TopicRule(0, 5, 6), TopicRule(1, 2, 2), TopicRule(2, 0, 1))


@BOTH
@pytest.mark.parametrize("test", [{"ability": "true"}, {}, {"se_stop": 0.4, "min_len": 4}])
def test_with_a_blueprint_the_cap_is_held_and_topics_stay_within_their_bounds(rejection, test):
    pool = pool_of_topics()
    result = calibrate(pool, asked(rejection=rejection, blueprint=Blueprint(RULES), **test))
    holds(pool, result)
    for exposure in (result.exposure, on_fresh_examinees(pool, result, 5000).exposure):
        items_a_test = np.bincount(pool.topic_id, exposure.seen) / exposure.n
        for rule in RULES:
            assert rule.least <= items_a_test[rule.topic] <= rule.most
    unruled = simulate(pool, SimulationSettings(delivery=asked(**test).delivery, n=5000))
    items_a_test = np.bincount(pool.topic_id, unruled.exposure.seen) / 5000
    assert not 5 <= items_a_test[0] <= 6
    assert (result.when_estimated is None) == ("ability" not in test)


@pytest.fixture(scope="module")
def calibrated():
    """A pool whose k in force are near the answer for an EAP test."""
    pool = golden_pool(200)
    return pool.with_k(calibrate(pool, asked()).k)


@pytest.mark.parametrize(
    ("test", "from_free", "from_near", "restarted"),
    [
        ({}, "exact", "in_force", "exact"),
        ({"rejection": "examinee"}, "exact", "exact", "exact"),
        ({"se_stop": 0.4, "min_len": 4}, "exact", "in_force", "exact"),
        ({"method": "damped"}, "exact", "in_force", "exact"),
        ({"ability": "true", "blueprint": Blueprint((TopicRule(NO_TOPIC, 3),))}, "exact", None,
         "exact"),
        ({"ability": "true"}, "in_force", "in_force", "one"),
        ({"method": "damped", "decay": 0.0}, "in_force", "in_force", "one"),
    ],
)  # fmt: skip
def test_where_iterations_start_from(calibrated, test, from_free, from_near, restarted):
    free = calibrated.with_k(np.ones(200))
    assert calibrate(free, quick(**test)).origin == from_free
    near = calibrate(calibrated, quick(**test))
    assert from_near in (None, near.origin)
    again = calibrate(calibrated, quick(restart=True, **test))
    assert again.origin == restarted
    if from_near != "exact" and restarted == "exact" and from_near is not None:
        assert again.history[0].max_exp != near.history[0].max_exp
    fresh = calibrate(free, quick(restart=True, **test))
    assert fresh.k.tobytes() == again.k.tobytes(), "a restart forgets the k in force"


def test_the_exact_solution_is_a_nearer_start_than_1(calibrated):
    free = calibrated.with_k(np.ones(200))
    first = calibrate(free, quick(n=8192)).history[0].max_exp
    saved = calibrate(calibrated, quick(n=8192)).history[0].max_exp
    from_1 = calibrate(free, quick(n=8192, method="damped", decay=0.0)).history[0].max_exp
    assert saved < 1.15 * TAU < 1.3 * TAU < first < 2 * TAU < 4 * TAU < from_1


@pytest.mark.parametrize(
    "test",
    [
        {},
        {"rejection": "examinee", "se_stop": 0.5, "min_len": 3},
        {"ability": "true", "blueprint": Blueprint((TopicRule(0, 4, 5),)), "method": "damped"},
    ],
)
def test_threads_change_nothing(test):
    pool = pool_of_topics()
    settings = asked(**{"n": 5001, "iters": 15, "verify_n": 9001, "nodes": 400, **test})
    one, *others = [calibrate(pool, settings, threads=threads) for threads in (1, 2, 7)]
    assert (one.measures.accuracy is None) == (test.get("ability") == "true")
    for other in others:
        assert other.k.tobytes() == one.k.tobytes()
        assert other.exposure.seen.tobytes() == one.exposure.seen.tobytes()
        assert other.exposure.proposed.tobytes() == one.exposure.proposed.tobytes()
        assert (other.before, other.measures) == (one.before, one.measures)
        assert other.when_estimated == one.when_estimated
        assert [record.max_exp for record in other.history] == [
            record.max_exp for record in one.history
        ]


ENOUGH = 160_000


def pooled(rates, k, n=ENOUGH, averaged=LOOK_EVERY, done=20):
    """Where the iterations stand after these rates of the averaged k."""
    seen = np.round(np.asarray(rates) * n).astype(np.int64)
    k = np.asarray(k, float)
    return IterationState(done, k, averaged, averaged * np.log(k), n, seen, ())


HELD = pooled([0.2, 0.199, 0.05], [0.3, 0.4, 1.0])


@pytest.mark.parametrize(
    ("state", "met"),
    [
        (HELD, True),
        (pooled([0.2019, 0.199, 0.05], [0.3, 0.4, 1.0]), True),
        (pooled([0.2021, 0.199, 0.05], [0.3, 0.4, 1.0]), False),
        (pooled([0.2, 0.1952, 0.05], [0.3, 0.4, 1.0]), True),
        (pooled([0.2, 0.1948, 0.05], [0.3, 0.4, 1.0]), False),
        (pooled([0.2, 0.1948, 0.05], [0.3, 0.996, 1.0]), True),
        (pooled([0.2, 0.199, 0.05], [0.3, 0.4, 1.0], n=ENOUGH - 1), False),
        (pooled([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], n=0), False),
    ],
    ids=["at", "within", "over", "low", "lower", "free", "few", "none"],
)
def test_pooled_rates_are_taken_where_there_are_enough_and_none_is_off(state, met):
    settings = asked(tau=TAU)
    assert (settings.tol, settings.target) == (0.01, 0.995)
    assert Pooled(settings)(state) is met


def test_a_rarer_exposure_takes_more_examinees():
    state = pooled([0.1, 0.0995], [0.3, 0.4], n=359_999)
    assert Pooled(asked(tau=0.1))(state) is False
    assert Pooled(asked(tau=0.1))(replace(state, examinees=360_000)) is True


def test_iterations_look_now_and_then_and_once_more_at_the_end():
    settings = asked(iters=40)
    met = Pooled(settings)
    assert judged(HELD, settings, met).stopped == "converged"
    assert judged(replace(HELD, averaged=LOOK_EVERY + 1), settings, met).stopped is None
    last = replace(HELD, averaged=LOOK_EVERY + 1, done=40)
    assert judged(last, settings, met).stopped == "converged"
    few = replace(last, examinees=1000, seen=np.array([200, 199, 50]))
    assert judged(few, settings, met).stopped == "iterations"


@pytest.mark.long
@BOTH
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("size", "length", "tau"), [(500, 30, 0.2), (1000, 40, 0.1)])
def test_the_defaults_hold_the_cap_of_an_eap_test(size, length, tau, seed, rejection):
    pool = golden_pool(size)
    delivery = DeliverySettings(
        length=length, rejection=rejection, ability="eap", theta=NORMAL, seed=seed
    )
    result = calibrate(pool, CalibrationSettings.make(delivery, tau=tau))
    assert result.converged
    assert result.verdict.held
    found = on_fresh_examinees(pool, result, 1_000_000, tau).measures
    assert found.over_beyond_noise == 0
    noise = 4.5 * np.sqrt((1 - tau) / tau / 1_000_000)
    assert found.max_exposure <= (1.01 + noise) * tau
    if size == 500:
        assert 0.22 < found.accuracy.rmse < 0.232
        assert 0.20 < found.uncontrolled.accuracy.rmse < 0.208
