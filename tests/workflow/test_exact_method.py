"""`--method exact`, its stopping, and the reasons why a cap can't be met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pools import NORMAL, calibration, golden_pool, simulation

from shsim.model.sweep_settings import SweepSettings
from shsim.workflow.calibrate import calibrate
from shsim.workflow.executor import Executor
from shsim.workflow.reasons import price_by_decile, smallest_tau
from shsim.workflow.simulate import simulate
from shsim.workflow.solve import Solver, Target
from shsim.workflow.sweep import sweep

pytestmark = pytest.mark.compiled

BOTH = pytest.mark.parametrize("rejection", ["position", "examinee"])


def solver_of(executor, pool, rejection="position", length=30, nodes=8000):
    return Solver(executor, pool, calibration(length, rejection).delivery, nodes)


@BOTH
def test_it_holds_the_cap_from_k_1_on_a_thousand_items(rejection):
    settings = calibration(40, rejection, tau=0.1, method="exact", verify_n=400_000)
    result = calibrate(golden_pool(1000), settings)
    assert result.converged
    assert result.verdict.held
    assert result.measures.max_exposure <= 0.1 * 1.03  # 400,000 examinees: noise of 1 %
    assert result.exposure.seen.sum() == 400_000 * 40


@pytest.mark.long
@BOTH
def test_it_holds_the_cap_on_four_million_fresh_examinees(rejection):
    settings = calibration(40, rejection, tau=0.1, method="exact", verify_n=4_000_000)
    assert calibrate(golden_pool(1000), settings).measures.held


@BOTH
def test_it_draws_nothing_to_find_k(rejection):
    pool = golden_pool()
    settings = calibration(rejection=rejection, method="exact", verify_n=20_000)
    one = calibrate(pool, settings)
    other = calibrate(
        pool, calibration(rejection=rejection, method="exact", verify_n=20_000, seed=9)
    )
    assert one.k.tobytes() == other.k.tobytes()
    assert settings.n == 0
    again = calibrate(pool.with_k(one.k), settings)
    assert len(again.history) <= 4  # two looks on each level of nodes


def test_a_floor_and_a_ceil_bind():
    settings = calibration(method="exact", floor=0.05, ceil=0.9, verify_n=20_000)
    result = calibrate(golden_pool(), settings)
    assert result.k.min() == 0.05
    assert result.k.max() == 0.9
    assert result.verdict.reason == "floor"
    assert result.reasons is not None
    held = set(result.reasons.held_by_floor)
    assert held
    assert held <= set(np.flatnonzero(result.k == 0.05).tolist())


def test_the_largest_floor_that_meets_the_cap_does_meet_it():
    floored = calibration(method="exact", floor=0.05, verify_n=20_000)
    reasons = calibrate(golden_pool(), floored).reasons
    assert reasons is not None
    assert reasons.largest_floor == pytest.approx(0.0190, rel=5e-3)
    lower = replace(floored, floor=reasons.largest_floor * 0.99, verify_n=640_000)
    assert calibrate(golden_pool(), lower).verdict.held


@BOTH
def test_a_cap_just_over_the_mean_is_met(rejection):
    pool = golden_pool(300)
    with Executor(pool, calibration(30, rejection).delivery, 2) as executor:
        tau = 1.05 * 30 / 300
        solution = solver_of(executor, pool, rejection, nodes=2000).solve(np.ones(300), Target(tau))
    assert solution.meets(tau)


def test_the_price_of_the_cap_on_c2():
    pool = golden_pool()
    with Executor(pool, calibration().delivery, 2) as executor:
        solver = solver_of(executor, pool)
        k = solver.solve(np.ones(500), Target(0.2)).k
        price = price_by_decile(solver, k, 0.2)
    published = [0.123, 0.336, 0.404, 0.385, 0.396, 0.362, 0.315, 0.342, 0.325, 0.085]
    assert price == pytest.approx(published, abs=0.01)


@pytest.mark.long
def test_the_smallest_cap_met_on_c2():
    pool = golden_pool()
    with Executor(pool, calibration(rejection="examinee").delivery, 2) as executor:
        tau = smallest_tau(solver_of(executor, pool, "examinee"), pool, 30)
    assert tau == pytest.approx(0.0602, abs=6e-5)


def test_the_smallest_cap_met_is_met_and_little_less_is_not():
    pool = golden_pool(80)
    with Executor(pool, calibration(20).delivery, 2) as executor:
        solver = solver_of(executor, pool, length=20, nodes=400)
        tau = smallest_tau(solver, pool, 20)
        assert 20 / 80 < tau < 0.5
        assert solver.solve(np.ones(80), Target(tau)).meets(tau)
        assert not solver.solve(np.ones(80), Target(20 / 80 * 1.0001)).meets(20 / 80 * 1.0001)


def test_a_sweep_keeps_more_the_looser_the_cap():
    delivery = calibration().delivery
    settings = SweepSettings(
        delivery=delivery, taus=(0.3, 0.05, 0.1, 0.2), lengths=(30, 20), nodes=800
    )
    result = sweep(golden_pool(), settings)
    assert [(p.length, p.tau) for p in result.points] == list(settings.points)
    by_tau = {p.tau: p for p in result.points if p.length == 30}
    assert not by_tau[0.05].feasible
    assert by_tau[0.05].measures is None
    kept = [by_tau[tau].measures.information_kept for tau in (0.1, 0.2, 0.3)]
    assert kept == sorted(kept)
    assert all(by_tau[tau].measures.max_exposure <= tau * 1.001 for tau in (0.1, 0.2, 0.3))
    assert kept[1] == pytest.approx(22.68 / 25.79, abs=2e-3)


def test_settings_of_a_sweep_are_checked():
    settings = SweepSettings(
        delivery=calibration(theta=NORMAL).delivery, taus=(0.2, 1.5), lengths=(30, 0), floor=2.0
    )
    problems = "\n".join(settings.problems())
    for words in ("--tau 1.5", "--len 0", "--floor 2"):
        assert words in problems


def test_what_only_simulation_sees_is_said():
    pool = golden_pool(40, k=np.full(40, 0.02))
    exact = simulate(pool, simulation(15, method="exact", nodes=200))
    assert "let --method sampled judge" in exact.verdict.sentence
    full = simulate(golden_pool(), simulation(method="exact", nodes=200))
    assert "let --method sampled judge" not in full.verdict.sentence
