"""Simulations under the controls of other programmes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pools import NORMAL, golden_pool, simulation

from shsim.model.blueprint import Blueprint, TopicRule
from shsim.model.control import EVERY_CONTROL, NO_CONTROL, SYMPSON_HETTER, Control
from shsim.model.delivery import DeliverySettings
from shsim.model.settings import SimulationSettings, settings_as_dict
from shsim.workflow import executor as executor_module
from shsim.workflow import simulate as simulate_module
from shsim.workflow.compare import compare
from shsim.workflow.simulate import simulate
from shsim.workflow.watch import Silent

pytestmark = pytest.mark.compiled

OTHERS = [control for control in EVERY_CONTROL if not control.by_acceptance]
IDS = [control.spelling for control in OTHERS]
EVERY_OTHER = pytest.mark.parametrize("control", OTHERS, ids=IDS)
ABILITIES = pytest.mark.parametrize("ability", ["true", "eap"])


class Telling(Silent):
    """Keeps the stages, and counts what is done."""

    def __init__(self):
        self.stages, self.done = [], 0

    def stage(self, stage, total):  # noqa: ARG002 - a Watch's
        self.stages.append(stage)

    def advance(self, done):
        self.done += done


def run(control, pool=None, n=20_000, ability="true", threads=2, **changed):
    delivery = DeliverySettings(theta=NORMAL, seed=5, ability=ability, **changed)
    settings = SimulationSettings(delivery=delivery, n=n, control=control)
    return simulate(golden_pool() if pool is None else pool, settings, threads=threads)


@ABILITIES
@EVERY_OTHER
def test_threads_change_nothing(control, ability):
    results = [run(control, n=9001, ability=ability, threads=threads) for threads in (1, 2, 7)]
    for other in results[1:]:
        assert other.measures == results[0].measures
        assert other.exposure.seen.tobytes() == results[0].exposure.seen.tobytes()


@EVERY_OTHER
def test_chunks_and_shallow_tables_change_nothing(control, monkeypatch):
    one = run(control, n=9001)
    monkeypatch.setattr(executor_module, "_MOST_BLOCKS", 1)
    monkeypatch.setattr(executor_module, "_DEPTH_PER_ITEM", 1)
    other = run(control, n=9001)
    assert other.measures == one.measures
    assert other.exposure.seen.tobytes() == one.exposure.seen.tobytes()


@ABILITIES
def test_the_best_of_one_is_no_control(ability):
    plain, best = (
        run(control, ability=ability) for control in (NO_CONTROL, Control.parse("randomesque:1"))
    )
    assert best.exposure.seen.tolist() == plain.exposure.seen.tolist()
    assert best.measures.information_kept == plain.measures.information_kept == 1
    assert best.measures.accuracy == plain.measures.accuracy
    assert best.measures.uncontrolled.max_exposure == plain.measures.max_exposure


def capped(spelling, n, tau, ability="true"):
    delivery = DeliverySettings(theta=NORMAL, seed=5, ability=ability)
    control = Control.parse(spelling)
    settings = SimulationSettings(delivery=delivery, n=n, tau=tau, control=control)
    return simulate(golden_pool(), settings)


@ABILITIES
@pytest.mark.parametrize(
    ("spelling", "n", "tau"),
    [("restricted", 20_000, 0.2), ("restricted", 20_000, 0.1), ("eligibility", 100_000, 0.2)],
)
def test_restricted_and_eligibility_hold_the_cap(spelling, n, tau, ability):
    result = capped(spelling, n, tau, ability)
    assert result.measures.max_exposure <= 1.02 * tau
    assert result.measures.over_beyond_noise == 0
    assert result.verdict.held
    assert result.measures.forced_per_test < 1e-3
    assert 0.5 < result.measures.information_kept < 1


def test_eligibility_comes_to_rest_slowly_under_a_tight_cap():
    few, many = (capped("eligibility", n, 0.1).measures.max_exposure for n in (10_000, 100_000))
    assert 0.1 < many < few < 0.13


@EVERY_OTHER
def test_what_is_proposed_is_seen_and_all_adds_up(control):
    result = run(control, n=3000)
    assert result.exposure.proposed.tolist() == result.exposure.seen.tolist()
    assert result.exposure.seen.sum() == 3000 * 30
    assert result.measures.information_kept < 1


def test_a_cap_that_cannot_be_held_forces_positions():
    pool = golden_pool(40)
    settings = simulation(10, n=4000, tau=0.2)
    for spelling in ("restricted", "eligibility"):
        result = simulate(pool, replace(settings, control=Control.parse(spelling)))
        assert result.measures.forced_per_test > 0.5
        assert result.exposure.seen.sum() == 40_000
        assert result.verdict.reason == "infeasible"


@pytest.mark.parametrize("control", [c for c in OTHERS if c.in_order], ids=lambda c: c.spelling)
def test_a_cap_of_one_restrains_nothing(control):
    settings = simulation(5, n=3000, tau=1.0)
    plain, other = (
        simulate(golden_pool(60), replace(settings, control=each)) for each in (NO_CONTROL, control)
    )
    assert other.exposure.seen.tolist() == plain.exposure.seen.tolist()


@EVERY_OTHER
def test_a_test_of_the_whole_pool_and_a_pool_of_one(control):
    result = simulate(golden_pool(12), replace(simulation(12, n=500), control=control))
    assert (result.exposure.seen == 500).all()
    result = simulate(golden_pool(1), replace(simulation(1, n=500), control=control))
    assert result.exposure.seen.tolist() == [500]


@EVERY_OTHER
def test_stopping_and_content_are_kept(control):
    topics = np.arange(500) % 4
    pool = replace(golden_pool(), topic_id=topics)
    rules = tuple(TopicRule(topic, least, most) for topic, least, most in ((0, 3, 4), (1, 0, 1)))
    result = run(
        control, pool, n=3000, ability="eap",
        length=20, se_stop=0.35, min_len=5, blueprint=Blueprint(rules),
    )  # fmt: skip
    n, seen = 3000, result.exposure.seen
    assert 3 * n <= seen[topics == 0].sum() <= 4 * n
    assert seen[topics == 1].sum() <= n
    assert result.measures.lengths is not None
    assert min(items for items, _ in result.measures.lengths.counts) >= 5
    assert result.measures.mean_length < 20


def test_none_ignores_the_k_in_force_by_either_method():
    pool = golden_pool(k=np.full(500, 0.3))
    free, none = run(NO_CONTROL, golden_pool(), n=3000), run(NO_CONTROL, pool, n=3000)
    assert none.exposure.seen.tolist() == free.exposure.seen.tolist()
    assert run(SYMPSON_HETTER, pool, n=3000).measures.overlap < none.measures.overlap
    exact = replace(simulation(), method="exact", nodes=200)
    results = [simulate(p, replace(exact, control=NO_CONTROL)) for p in (golden_pool(), pool)]
    assert results[0].exposure.rate.tolist() == results[1].exposure.rate.tolist()
    with pytest.raises(ValueError, match="no table of k"):
        simulate(pool, replace(exact, control=Control("progressive")))


@ABILITIES
def test_a_comparison_is_what_each_simulation_finds(ability):
    pool = golden_pool(100, k=np.random.default_rng(1).uniform(0.05, 1, 100))
    delivery = DeliverySettings(theta=NORMAL, seed=5, ability=ability, length=15)
    settings = SimulationSettings(delivery=delivery, n=3000)
    watch = Telling()
    result = compare(pool, settings, EVERY_CONTROL, watch=watch)
    assert watch.done == 3000 * len(EVERY_CONTROL)
    assert [each.control for each in result.compared] == list(EVERY_CONTROL)
    for each in result.compared:
        alone = simulate(pool, replace(settings, control=each.control)).measures
        assert each.measures == replace(alone, uncontrolled=None)
    assert result.compared[0].measures.max_exposure == result.uncontrolled.max_exposure


def test_compiling_is_said_where_the_kernel_of_the_controls_is_not_there_yet(monkeypatch):
    monkeypatch.setattr(simulate_module, "is_cached", lambda name="": not name)
    for control, stages in (
        (SYMPSON_HETTER, ["simulating"]),
        (Control("progressive"), ["compiling", "simulating"]),
    ):
        watch = Telling()
        settings = replace(simulation(5, n=100), control=control)
        simulate(golden_pool(40), settings, watch=watch)
        assert watch.stages == stages
        watch = Telling()
        compare(golden_pool(40), settings, [NO_CONTROL, control], watch=watch)
        assert watch.stages == stages


def test_settings_name_the_control():
    settings = replace(simulation(), control=Control.parse("randomesque:7"))
    assert settings_as_dict(settings)["control"] == "randomesque:7"
    assert settings_as_dict(simulation())["control"] == "sh"
