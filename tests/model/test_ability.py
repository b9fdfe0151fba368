"""The distribution of ability: every spelling, and quantiles to the last digit."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shsim.errors import DataError
from shsim.model.ability import LARGEST_THETA, AbilityDistribution, number, standard_normal_quantile

SHARES = np.array([2.0**-54, 1e-9, 0.1, 0.5, 0.9, 1 - 1e-9, 1 - 2.0**-53])


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("normal:0,1", "normal:0,1"),
        ("normal0,1", "normal:0,1"),
        ("uniform-1,1", "uniform:-1,1"),
        ("fixed0", "fixed:0"),
        ("fixed-1.5", "fixed:-1.5"),
        ("  Normal : 0.25 , 1e0 ", "normal:0.25,1"),
        ("NORMAL:-.5,2.", "normal:-0.5,2"),
        ("uniform:-3,+3", "uniform:-3,3"),
        ("uniform:-1e6,1e6", "uniform:-1e+06,1e+06"),
        ("normal:0.1234567890123456,1", "normal:0.1234567890123456,1"),
    ],
)
def test_every_spelling_is_read_and_written_one_way(text, spelling):
    ability = AbilityDistribution.parse(text)
    assert ability.spelling == spelling
    again = AbilityDistribution.parse(spelling)
    assert (again.kind, again.first, again.second) == (ability.kind, ability.first, ability.second)


@pytest.mark.parametrize(
    "text",
    [
        "", "normal", "normal:", "normal:0", "normal:0,1,2", "normal:0 1", "normal:0;1",
        "normal:nan,1", "normal:0,inf", "normal:0,0", "normal:0,-1", "normal:0,1e-400",
        "normal:1e999,1", "normal:0,1e7", "uniform:1,1", "uniform:1,-1", "uniform:0",
        "fixed:0,1", "fixed:", "fixed:1e400", "fixed:1_0", "fixed:0x10", "fixed:٣",
        "gamma:1,1", "file:/etc/passwd", "normal:0,1\n;",
    ],
)  # fmt: skip
def test_other_spellings_are_refused_in_one_line(text):
    with pytest.raises(DataError) as caught:
        AbilityDistribution.parse(text)
    assert len(caught.value.problems) == 1
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("theta ")


@given(st.text() | st.from_regex(r"\s*(normal|uniform|fixed):?[-+.,eE0-9 ]*", fullmatch=True))
def test_any_text_is_refused_or_gives_finite_quantiles(text):
    try:
        ability = AbilityDistribution.parse(text)
    except DataError:
        return
    theta = ability.quantile(SHARES)
    assert np.isfinite(theta).all()
    assert (np.diff(theta) >= 0).all()


SANE = st.floats(-LARGEST_THETA, LARGEST_THETA)


@given(SANE, st.floats(5e-324, LARGEST_THETA))
def test_the_spelling_loses_no_digit(first, second):
    for ability in (AbilityDistribution.normal(first, second), AbilityDistribution.fixed(first)):
        again = AbilityDistribution.parse(ability.spelling)
        assert again.quantile(SHARES).tobytes() == ability.quantile(SHARES).tobytes()
        assert again.spelling == ability.spelling


@given(st.floats(allow_nan=False))
def test_a_number_is_written_without_loss(x):
    assert float(number(x)) == x


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.1e6])
def test_the_makers_refuse_what_the_spelling_refuses(bad):
    for make in (
        lambda: AbilityDistribution.normal(bad, 1),
        lambda: AbilityDistribution.normal(0, bad),
        lambda: AbilityDistribution.uniform(bad, 2e6),
        lambda: AbilityDistribution.uniform(-2e6, bad),
        lambda: AbilityDistribution.fixed(bad),
        lambda: AbilityDistribution.empirical([0.0, bad], "file:x"),
    ):
        with pytest.raises(DataError):
            make()


def relative_error(p):
    expected = np.array([NormalDist().inv_cdf(x) for x in p.tolist()])
    return np.abs(standard_normal_quantile(p) / expected - 1)


def test_the_normal_quantile_agrees_with_the_standard_library():
    assert relative_error(np.geomspace(1e-300, 0.499, 4001)).max() < 1e-13
    assert relative_error(1 - np.geomspace(1.2e-16, 0.499, 4001)).max() < 1e-13
    assert relative_error(np.array([0.075, 0.925, 0.5 - 0.425, 0.5 + 1e-12])).max() < 1e-13
    assert standard_normal_quantile(np.array([0.5])).tolist() == [0.0]


def test_the_normal_quantile_undoes_the_error_function():
    # A way back that shares nothing with the polynomials: erfc of the C library.
    p = np.concatenate([np.geomspace(1e-300, 0.5, 500), 1 - np.geomspace(1e-9, 0.5, 500)])
    back = [0.5 * math.erfc(-z / math.sqrt(2)) for z in standard_normal_quantile(p).tolist()]
    # An ulp of z moves p by z² ulps, up to 1,400 of them.
    np.testing.assert_allclose(back, p, rtol=2e-12)


@pytest.mark.parametrize("spelling", ["normal:1,2", "uniform:-1,3", "fixed:2"])
@pytest.mark.parametrize("shape", [(), (1,), (6,), (2, 3), (0,)])
def test_quantiles_keep_the_shape_and_are_contiguous(spelling, shape):
    p = np.full(shape, 0.975)
    theta = AbilityDistribution.parse(spelling).quantile(p)
    assert np.shape(theta) == shape
    assert np.isfinite(theta).all()


def test_quantiles_of_a_strided_array_are_contiguous():
    p = np.linspace(0.01, 0.99, 12)[::3]
    theta = AbilityDistribution.normal(0, 1).quantile(p)
    assert theta.flags.c_contiguous
    assert theta.tolist() == AbilityDistribution.normal(0, 1).quantile(p.copy()).tolist()


def test_means():
    means = {"normal:2,3": 2, "uniform:-1,3": 1, "fixed:-4": -4}
    for spelling, mean in means.items():
        assert AbilityDistribution.parse(spelling).mean == mean
    assert AbilityDistribution.empirical([1, 2, 6], "file:x").mean == 3


def test_uniform_and_fixed_quantiles():
    uniform = AbilityDistribution.uniform(-1, 3)
    assert uniform.quantile(np.array([0.25, 0.5])).tolist() == [0, 1]
    assert AbilityDistribution.fixed(7).quantile(SHARES).tolist() == [7] * len(SHARES)


def test_an_empirical_distribution_gives_each_ability_its_share():
    ability = AbilityDistribution.empirical([3, -1, 2, 2], "file:x")
    assert ability.values.tolist() == [-1, 2, 2, 3]
    assert ability.spelling == "file:x"
    middles = (np.arange(400) + 0.5) / 400
    theta = ability.quantile(middles)
    assert {x: int((theta == x).sum()) for x in (-1, 2, 3)} == {-1: 100, 2: 200, 3: 100}
    assert ability.quantile(np.array([1 - 2.0**-53, 2.0**-54])).tolist() == [3, -1]
    assert not ability.values.flags.writeable


def test_an_empirical_distribution_wants_an_ability():
    with pytest.raises(DataError, match="there is no ability in it"):
        AbilityDistribution.empirical([], "file:x")


def test_the_list_given_stays_the_caller_s_own():
    given_values = np.array([2.0, 1.0])
    AbilityDistribution.empirical(given_values, "file:x")
    given_values[0] = 5.0
    assert given_values.tolist() == [5, 1]
