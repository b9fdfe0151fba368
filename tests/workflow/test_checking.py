"""A program that calls us is told what is wrong, as an operator is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pools import NORMAL, calibration, golden_pool, make_pool, simulation

from shsim.errors import DataError
from shsim.model.ability import AbilityDistribution
from shsim.model.blueprint import Blueprint, TopicRule
from shsim.model.control import Control
from shsim.model.delivery import DeliverySettings
from shsim.model.settings import CalibrationSettings
from shsim.model.trace import TraceSettings
from shsim.workflow.calibrate import calibrate
from shsim.workflow.compare import compare
from shsim.workflow.simulate import simulate
from shsim.workflow.trace import trace

WRONG = [
    ({"length": 300}, "--len 300 is longer than the pool"),
    ({"length": 0}, "--len 0 is under 1"),
    ({"ability": "EAP"}, "--ability 'EAP' is none of true, eap, map, mle, wle"),
    ({"rejection": "foo"}, "--rejection 'foo' is none of position, examinee"),
    (
        {"ability": "eap", "start": 99.0},
        "--start 99 is outside what an estimate can be here, -4 to 4",
    ),
    ({"ability": "true", "se_stop": 0.3}, "--se-stop ends a test by the error of an estimate"),
    ({"ability": "eap", "se_stop": 0.3, "min_len": 50}, "--min-len 50 is not between 1 and"),
    ({"ability": "eap", "theta": AbilityDistribution.fixed(0)}, "has nothing to estimate"),
    ({"blueprint": Blueprint((TopicRule(77, 1),))}, "topic 77 has no item in the pool"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG)
def test_every_computation_refuses_what_it_cannot_do(changed, said):
    pool, delivery = golden_pool(60), DeliverySettings(length=10, theta=NORMAL, seed=1)
    delivery = replace(delivery, **changed)
    simulated = replace(simulation(10, n=100), delivery=delivery)
    for run in (
        lambda: calibrate(pool, CalibrationSettings.make(delivery, n=100, verify_n=100)),
        lambda: simulate(pool, simulated),
        lambda: compare(pool, simulated, [Control.parse("none")]),
        lambda: trace(pool, TraceSettings(delivery=delivery)),
    ):
        with pytest.raises(DataError) as refused:
            run()
        assert said in str(refused.value)


def test_methods_are_checked_too():
    delivery = DeliverySettings(length=10, theta=NORMAL, seed=1, ability="eap")
    for method, said in (
        ("newton", "--method 'newton' is none of"),
        ("exact", "takes --ability true"),
    ):
        with pytest.raises(DataError) as refused:
            calibrate(golden_pool(60), CalibrationSettings.make(delivery, method=method))
        assert said in str(refused.value)


@pytest.mark.compiled
def test_a_cap_of_one_needs_no_iteration_to_be_met():
    settings = calibration(10, tau=1.0, n=500, iters=3, verify_n=20_000)
    settings = replace(settings, delivery=replace(settings.delivery, ability="eap"))
    assert calibrate(golden_pool(60), settings).verdict.held


@pytest.mark.compiled
def test_remedies_where_the_error_ends_a_test_can_be_followed():
    settings = calibration(30, tau=0.2, n=2000, iters=14, verify_n=20_000)
    delivery = replace(settings.delivery, ability="eap", se_stop=0.3, min_len=1)
    result = calibrate(golden_pool(60), replace(settings, delivery=delivery))
    assert result.verdict.reason == "infeasible"
    remedy = result.verdict.remedy or ""
    asked = float(remedy.split("Give --tau ")[1].split(",")[0])
    assert asked > result.measures.uncontrolled.mean_length / 60
    assert "a larger --se-stop" in remedy
    assert "--len" not in remedy


@pytest.mark.compiled
def test_a_topic_that_is_held_by_its_least_is_named():
    rng = np.random.default_rng(2)
    pool = make_pool(
        np.r_[np.full(10, 3.0), np.full(30, 0.3)],
        np.r_[np.zeros(10), rng.normal(0, 2, 30)],
        np.full(40, 0.1),
    )
    topic = np.r_[np.zeros(10, np.int64), np.ones(30, np.int64)]
    pool = replace(pool, topic_id=topic)
    content = Blueprint((TopicRule(0, 2, 4), TopicRule(1, 3)))
    settings = calibration(8, tau=0.23, n=4000, iters=20, verify_n=20_000)
    delivery = replace(settings.delivery, ability="eap", blueprint=content)
    result = calibrate(pool, replace(settings, delivery=delivery))
    assert not result.verdict.held
    assert "a lower least (or more items) of topic 0" in (result.verdict.remedy or "")


@pytest.mark.compiled
def test_a_wide_prior_gets_the_nodes_that_its_tests_resolve():
    rng = np.random.default_rng(4)
    pool = make_pool(rng.uniform(1.2, 2.5, 400), rng.uniform(-8, 8, 400), np.full(400, 0.1))
    delivery = DeliverySettings(
        length=60, theta=AbilityDistribution.normal(0, 3), seed=3, ability="eap"
    )
    found = simulate(pool, replace(simulation(n=20_000), delivery=delivery)).measures.accuracy
    # An independent test found .1475 (+-.002) by 801 nodes, and .1545 by the 64 of narrow priors.
    assert found.rmse == pytest.approx(0.1475, abs=0.003)
