"""Threads and chunks change the speed, and nothing else."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest
from pools import NORMAL, calibration, golden_pool, make_pool, simulation

from shsim.model.ability import AbilityDistribution
from shsim.workflow import executor as executor_module
from shsim.workflow.calibrate import calibrate
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.one_pass import OnePassTests
from shsim.workflow.simulate import simulate

pytestmark = pytest.mark.compiled


def cohort(n, **more):
    return Cohort(theta=NORMAL, n=n, seed=3, stream=9, **more)


@pytest.mark.parametrize("rejection", ["position", "examinee"])
def test_the_same_seed_gives_the_same_table_on_any_number_of_threads(rejection):
    settings = calibration(rejection=rejection, n=5000, iters=20, verify_n=50_001)
    results = [calibrate(golden_pool(), settings, threads=n) for n in (1, 2, 7)]
    for other in results[1:]:
        assert other.k.tobytes() == results[0].k.tobytes()
        assert other.measures == results[0].measures
        assert other.exposure.seen.tobytes() == results[0].exposure.seen.tobytes()
        assert other.exposure.proposed.tobytes() == results[0].exposure.proposed.tobytes()


def test_chunks_change_nothing(monkeypatch):
    settings = simulation(n=150_000)
    one = simulate(golden_pool(), settings)
    monkeypatch.setattr(executor_module, "_MOST_BLOCKS", 1)
    other = simulate(golden_pool(), settings)
    assert other.measures == one.measures
    assert other.exposure.seen.tobytes() == one.exposure.seen.tobytes()


def test_shallow_tables_change_nothing(monkeypatch):
    k = np.random.default_rng(1).uniform(0.001, 0.2, 500)
    settings = simulation(n=30_000)
    one = simulate(golden_pool(k=k), settings)
    monkeypatch.setattr(executor_module, "_DEPTH_PER_ITEM", 1)
    other = simulate(golden_pool(k=k), settings)
    assert other.measures == one.measures


def test_another_seed_gives_other_draws():
    one, other = (simulate(golden_pool(), simulation(n=5000, seed=s)) for s in (1, 2))
    assert one.exposure.seen.tolist() != other.exposure.seen.tolist()


def test_totals_add_up_and_forced_positions_fill_every_test():
    pool = golden_pool(60, k=np.full(60, 0.004))
    delivery = simulation(20).delivery
    with Executor(pool, delivery, 2) as executor:
        totals = OnePassTests(executor, delivery).run(
            cohort(3000), pool.k, measure=True, histogram=True
        )
    assert totals.seen.sum() == 3000 * 20
    assert totals.forced > 3000
    assert totals.by_decile.sum() == 3000 * 20
    assert totals.decile_sizes.sum() == 3000
    assert totals.reached.sum() <= 3000 * 60


def test_stratified_draws_have_one_examinee_a_slice():
    shares = AbilityDistribution.uniform(0, 1)
    group = Cohort(theta=shares, n=1000, seed=1, stream=1, stratified=True)
    theta, decile = group.abilities(0, 1000)
    assert (np.floor(theta * 1000) == np.arange(1000)).all()
    assert np.bincount(decile).tolist() == [100] * 10
    again = Cohort(theta=shares, n=1000, seed=1, stream=1, iteration=1, stratified=True)
    assert not np.array_equal(again.abilities(0, 1000)[0], theta)


def test_plain_draws_follow_the_distribution():
    theta, decile = cohort(200_000).abilities(0, 200_000)
    assert abs(theta.mean()) < 0.012
    assert theta.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(np.bincount(decile) - 20_000) < 700).all()


def test_an_interrupt_is_answered_while_kernels_run():
    # All k are tiny, so that each test replays the whole pool: minutes of work.
    pool = make_pool(np.ones(3000), np.linspace(-3, 3, 3000), np.zeros(3000), np.full(3000, 1e-9))
    simulate(pool, simulation(n=10))
    pressed: list[float] = []

    def press():
        pressed.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.5, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        simulate(pool, simulation(n=5_000_000))
    timer.join()
    assert pressed
    deadline = time.perf_counter() + 60
    while any(t.name.startswith("shsim") for t in threading.enumerate()):
        assert time.perf_counter() < deadline, "a worker goes on after the interrupt"
        time.sleep(0.01)
