"""Settings: each method's defaults, and every value that would spoil a run refused."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pools import NORMAL, calibration, make_pool, simulation

from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import REJECTIONS, DeliverySettings
from shsim.model.methods import METHOD_DEFAULTS
from shsim.model.settings import settings_as_dict, verification_size

#: Methods with a schedule of their own.
SAMPLED = ("classical", "damped")
NUMBERS = ("tau", "alpha", "decay", "floor", "ceil", "target", "tol")


def pool_of(size, name="TEST"):
    return make_pool(np.ones(size), np.zeros(size), np.zeros(size), name=name)


@pytest.mark.parametrize("rejection", REJECTIONS)
@pytest.mark.parametrize("method", SAMPLED)
def test_what_is_left_out_is_the_method_s_own(method, rejection):
    own = METHOD_DEFAULTS[method, rejection]
    settings = calibration(rejection=rejection, method=method)
    assert (settings.n, settings.iters) == (own.n, own.iters)
    assert (settings.alpha, settings.decay) == (own.alpha, own.decay)
    assert (settings.tau, settings.floor, settings.ceil) == (0.2, 0.001, 1.0)
    assert (settings.target, settings.tol, settings.restart) == (0.995, 0.01, False)
    assert settings.stratified
    assert settings.average_from is not None
    assert not list(settings.problems())


def test_what_is_given_stands():
    given_values = {
        "tau": 0.15, "n": 500, "iters": 6, "alpha": 0.6, "decay": 0.1, "floor": 0.02,
        "ceil": 0.9, "target": 0.98, "tol": 0.02, "restart": True, "verify_n": 30_000,
    }  # fmt: skip
    settings = calibration(method="damped", **given_values)
    assert {name: getattr(settings, name) for name in given_values} == given_values


def test_nought_is_given_and_not_left_out():
    settings = calibration(decay=0.0, floor=0.0)
    assert (settings.decay, settings.floor) == (0, 0)
    assert settings.target == 0.995


def test_damped_without_decay_is_the_first_script():
    settings = calibration(method="damped", decay=0.0)
    assert settings.target == 1.0
    assert not settings.stratified
    assert settings.average_from is None
    assert calibration(method="damped", decay=0.0, target=0.9).target == 0.9


def test_rarer_exposure_takes_more_examinees():
    sizes = [calibration(tau=tau).n for tau in (0.9, 0.2, 0.1, 0.01, 1e-300, 5e-324)]
    assert calibration(tau=5e-324, method="exact").n == 0
    assert sizes[0] == sizes[1] == METHOD_DEFAULTS["classical", "position"].n
    assert sizes == sorted(sizes)
    assert sizes[-1] == sizes[-2] == 64 * sizes[0]


def test_the_verification_sees_the_tolerance_at_four_standard_errors():
    n = verification_size(0.2, 0.01)
    assert 4 * math.sqrt(0.2 * 0.8 / n) == pytest.approx(0.01 * 0.2)
    assert n == 640_000


@given(st.floats(), st.floats())
def test_the_verification_has_a_size_whatever_was_typed(tau, tol):
    assert 20_000 <= verification_size(tau, tol) <= 4_000_000


@pytest.mark.parametrize("iters", [1, 12])
def test_few_iterations_are_not_averaged(iters):
    assert calibration(iters=iters).average_from is None


@pytest.mark.parametrize("iters", [13, 40, 100, 200, 100_000])
@pytest.mark.parametrize("method", SAMPLED)
def test_averaging_begins_before_the_end(method, iters):
    start = calibration(method=method, iters=iters).average_from
    assert 12 <= start < iters


def test_the_aim_is_never_under_the_mean_exposure():
    settings = calibration(30, tau=0.2, target=0.5)
    assert settings.aim(1000) == 0.1
    assert settings.aim(200) == 0.15


def bad(**changed):
    """Problems of settings with some fields changed, whatever `make` would say."""
    settings = calibration()
    delivery = {k: changed.pop(k) for k in ("length", "scale", "seed", "theta") if k in changed}
    settings = replace(settings, delivery=replace(settings.delivery, **delivery), **changed)
    return list(settings.problems())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1e-9, 1.1e9])
@pytest.mark.parametrize("name", [*NUMBERS, "scale"])
def test_a_number_out_of_range_is_named_with_its_option(name, value):
    (problem,) = bad(**{name: value})
    assert problem.startswith(f"--{name} ")
    assert re.search(r"\d+", problem)


@pytest.mark.parametrize("name", ["tau", "alpha", "ceil", "target", "tol", "scale"])
def test_nought_is_out_of_range_where_nothing_would_happen(name):
    if name == "ceil":
        assert bad(ceil=0.0, floor=0.0) == ["--ceil 0 is not in (0, 1]. Give one that is."]
    else:
        assert len(bad(**{name: 0.0})) == 1


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("n", 0, "--n 0"), ("n", -5, "--n -5"), ("n", 10**9 + 1, "--n 1000000001"),
        ("iters", 0, "--iters 0"), ("iters", 100_001, "--iters 100001"),
        ("verify_n", 0, "--verify-n 0"), ("length", 0, "--len 0"), ("length", -3, "--len -3"),
        ("seed", -1, "--seed -1"), ("seed", 2**63, "--seed 9223372036854775808"),
        ("tau", 1 + 1e-9, "--tau 1.000000001"),
    ],
)  # fmt: skip
def test_counts_out_of_range_are_printed_in_full(name, value, option):
    (problem,) = bad(**{name: value})
    assert problem.startswith(f"{option} ")


def test_all_problems_come_at_once():
    problems = bad(tau=2.0, n=0, scale=math.nan, length=0, decay=-1.0)
    assert len(problems) == 5


def test_a_floor_over_the_ceiling_is_refused():
    (problem,) = bad(floor=0.500001, ceil=0.5)
    assert problem == "--floor 0.500001 is over --ceil 0.5. Give a --floor of at most the --ceil."
    assert not bad(floor=0.5, ceil=0.5)


@given(st.floats(), st.floats(), st.floats(), st.floats())
def test_whatever_is_typed_is_judged_and_never_raises(tau, tol, floor, scale):
    delivery = DeliverySettings(theta=NORMAL, scale=scale, seed=1)
    settings = type(calibration()).make(delivery, tau=tau, tol=tol, floor=floor)
    good = 0 < tau <= 1 and 0 < tol <= 1 and 0 <= floor <= 1 and 0 < scale <= 100
    assert good == (not list(settings.problems()))
    list(settings.problems_with(pool_of(40)))


def test_simulate_judges_its_own_numbers():
    assert not list(simulation().problems())
    problems = list(simulation(tau=math.nan, n=0, tol=math.inf).problems())
    assert [problem.split()[0] for problem in problems] == ["--tau", "--n", "--tol"]


def test_a_test_longer_than_the_pool_is_refused_with_the_longest():
    (problem,) = calibration(31, tau=1.0).problems_with(pool_of(30, "E"))
    assert problem == (
        "--len 31 is longer than the pool of E, which holds 30 items. Give a --len of at most 30."
    )
    assert list(simulation(31).problems_with(pool_of(30)))
    assert not list(calibration(30, tau=1.0).problems_with(pool_of(30)))


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 1, exclude_min=True))
def test_the_tau_that_a_refusal_names_is_accepted(length, size, tau):
    if length > size:
        length, size = size, length
    pool = pool_of(size)
    problems = list(calibration(length, tau=tau).problems_with(pool))
    assert bool(problems) == (tau < length / size)
    if problems:
        named = re.search(r"Give a --tau of at least (\S+),", problems[0])[1]
        settings = calibration(length, tau=float(named))
        assert not [*settings.problems(), *settings.problems_with(pool)]


def test_a_tau_a_hair_too_small_is_not_called_equal_to_the_smallest():
    (problem,) = calibration(3, tau=0.299999999).problems_with(pool_of(10))
    assert "--tau 0.299999999 cannot be met" in problem
    assert "at least 0.3," in problem


@pytest.mark.parametrize(
    "theta", [NORMAL, AbilityDistribution.empirical([0, 1], "file:abilities.txt")]
)
def test_settings_are_plain_values_for_json(theta):
    for settings in (calibration(theta=theta), simulation(theta=theta)):
        plain = settings_as_dict(settings)
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain
        assert plain["theta"] == theta.spelling
        assert plain["length"] == 30
        assert plain["seed"] == 1
        assert "delivery" not in plain
