"""How well ability is estimated and how long tests are, in figures and in sentences."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_results import N, calibrated_rates, calibration, measures

from shsim.arrays import FloatArray
from shsim.model.results import Accuracy, Lengths, Measures, Uncontrolled
from shsim.report.accuracy import ERROR_COLUMNS, accuracy, error_terms
from shsim.report.canvas import Canvas
from shsim.report.deciles import decile_lines
from shsim.report.estimation import (
    accuracy_sentence,
    lengths_sentence,
    when_estimated_sentence,
)
from shsim.report.exposure import Counts, lengths_of, measure, measure_uncontrolled
from shsim.report.render import asides, result_data
from shsim.report.summary import summary_text


def examinees(n: int = 5000, mean: float = 0.0, sd: float = 1.0) -> dict[str, Any]:
    """Abilities, estimates that shrink to the mean, their errors, and deciles."""
    rng = np.random.default_rng(n)
    theta = mean + sd * rng.standard_normal(n)
    hat = mean + 0.9 * (theta - mean) + sd * rng.normal(0.05, 0.3, n)
    decile = np.minimum(np.argsort(np.argsort(theta)) * 10 // n, 9)
    return {"theta": theta, "hat": hat, "se": sd * rng.uniform(0.2, 0.4, n), "decile": decile}


def summed(of: dict[str, Any], centre: float = 0.0) -> FloatArray:
    terms = error_terms(of["theta"] - centre, of["hat"] - centre, of["se"])
    assert len(terms) == ERROR_COLUMNS
    return np.column_stack([np.bincount(of["decile"], term, 10) for term in terms])


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (500.0, 100.0), (1e5, 0.5)])
def test_figures_are_those_of_the_single_examinees(mean: float, sd: float) -> None:
    of = examinees(mean=mean, sd=sd)
    found = accuracy(summed(of, mean))
    error = of["hat"] - of["theta"]
    assert found.n == 5000
    assert found.bias == pytest.approx(error.mean())
    assert found.rmse == pytest.approx(np.sqrt((error**2).mean()))
    assert found.standard_error == pytest.approx(of["se"].mean())
    assert found.correlation == pytest.approx(np.corrcoef(of["theta"], of["hat"])[0, 1])
    for d in range(10):
        there = of["decile"] == d
        assert found.bias_by_decile[d] == pytest.approx(error[there].mean())
        assert found.rmse_by_decile[d] == pytest.approx(np.sqrt((error[there] ** 2).mean()))
        assert found.standard_error_by_decile[d] == pytest.approx(of["se"][there].mean())
        assert found.error_sd_by_decile[d] == pytest.approx(error[there].std())


@pytest.mark.parametrize("what", ["theta", "hat"])
def test_what_does_not_vary_correlates_with_nothing(what: str) -> None:
    of = examinees()
    of[what] = np.full(5000, 0.3)
    found = accuracy(summed(of, 0.1))
    assert math.isnan(found.correlation)
    assert found.rmse == pytest.approx(np.sqrt(((of["hat"] - of["theta"]) ** 2).mean()))
    result = calibration()
    shown = replace(result, measures=replace(result.measures, accuracy=found))
    document = json.loads(result_data(shown, "json"), parse_constant=pytest.fail)
    assert document["verification"]["accuracy"]["correlation"] is None
    assert document["verification"]["accuracy"]["rmse"] == found.rmse
    text = summary_text(shown, Canvas(width=80, colour=False, blocks=True))
    assert "RMSE of the estimate" in text
    assert "correlation" not in text
    assert (accuracy_sentence(shown.measures) or "").endswith(f"{found.standard_error:.4f}.")


def test_a_decile_without_examinees_is_nought() -> None:
    of = examinees(40)
    of["decile"] = np.minimum(of["decile"], 6)
    found = accuracy(summed(of))
    assert found.bias_by_decile[7:] == found.rmse_by_decile[7:] == (0, 0, 0)
    assert found.n == 40


@given(st.lists(st.integers(0, 40), min_size=2, max_size=31))
def test_lengths_have_the_quantiles_of_the_single_tests(counted: list[int]) -> None:
    counts = np.array(counted)
    if counts.sum() == 0:
        return
    found = lengths_of(counts)
    assert found is not None
    single = np.repeat(np.arange(len(counts)), counts)
    assert found.counts == tuple((i, count) for i, count in enumerate(counted) if count)
    expected = np.quantile(single, [0.5, 0.1, 0.9], method="inverted_cdf")
    assert [found.median, found.p10, found.p90] == expected.tolist()


def test_only_fixed_lengths_have_no_distribution() -> None:
    assert lengths_of(None) is None
    assert lengths_of(np.array([0, 0, 7])) == Lengths(((2, 7),), median=2, p10=2, p90=2)


def counts(**changed: Any) -> Counts:
    seen = np.array([60, 40, 0], np.int64)
    figures: dict[str, Any] = {
        "n": 100, "seen": seen, "proposed": 2 * seen, "forced": 0,
        "by_decile": np.tile(seen // 10, (10, 1)), "decile_sizes": np.full(10, 10),
        "information": (8.0, 10.0), **changed,
    }  # fmt: skip
    return Counts(**figures)


def test_measures_hold_what_was_counted_and_what_they_are_compared_with() -> None:
    of, lengths = examinees(100), np.array([50, 0, 50])
    _, found = measure(counts(errors=summed(of), lengths=lengths), 0.5, 0.01, uncontrolled())
    assert found.accuracy == accuracy(summed(of))
    assert found.lengths == Lengths(((0, 50), (2, 50)), median=0, p10=0, p90=2)
    assert found.mean_length == 1.0
    assert found.uncontrolled == uncontrolled()
    _, plain = measure(counts(), 0.5, 0.01)
    assert (plain.accuracy, plain.lengths, plain.uncontrolled) == (None, None, None)


def test_what_is_known_without_control() -> None:
    found = measure_uncontrolled(counts(errors=summed(examinees(100)), information=(9.0, 0.0)))
    assert (found.n, found.max_exposure, found.unused) == (100, 0.6, 1)
    assert (found.mean_length, found.information) == (1.0, 9.0)
    # The share of pairs of examinees who have the item of their one-item tests in common.
    assert found.overlap == pytest.approx((60 * 59 + 40 * 39) / (100 * 99))
    assert found.accuracy == accuracy(summed(examinees(100)))
    assert measure_uncontrolled(counts()).accuracy is None


def estimated(**changed: Any) -> Accuracy:
    deciles = (0.21, -0.13, -0.004, 0.0, 0.004, 0.02, -0.06, -0.12, -0.18, 0.3)
    figures: dict[str, Any] = {
        "n": N, "bias": -0.0123, "rmse": 0.2246, "standard_error": 0.2213, "correlation": 0.9749,
        "bias_by_decile": deciles, "rmse_by_decile": tuple(map(abs, deciles)),
        "standard_error_by_decile": (0.2,) * 10, "error_sd_by_decile": (0.19,) * 10, **changed,
    }  # fmt: skip
    return Accuracy(**figures)


def uncontrolled() -> Uncontrolled:
    return Uncontrolled(N, 1.0, 300, 0.336, 30.0, 23.0, estimated(rmse=0.1915))


def test_accuracy_in_a_sentence() -> None:
    alone = measures(calibrated_rates(300), accuracy=estimated())
    assert accuracy_sentence(alone) == (
        "Ability is estimated with an RMSE of 0.2246, a bias of -0.0123 and a mean standard error"
        " of 0.2213; estimates correlate 0.9749 with theta."
    )
    beside = accuracy_sentence(replace(alone, uncontrolled=uncontrolled())) or ""
    assert "an RMSE of 0.2246 (without control 0.1915), a bias" in beside
    assert accuracy_sentence(measures(calibrated_rates(300))) is None


@pytest.mark.parametrize(
    ("bias", "written"),
    [(0.0123, "+0.0123"), (-0.00004, "0.0000"), (0.00004, "0.0000"), (-0.00006, "-0.0001")],
)
def test_a_bias_that_rounds_to_nothing_has_no_sign(bias: float, written: str) -> None:
    said = accuracy_sentence(measures(calibrated_rates(300), accuracy=estimated(bias=bias)))
    assert f"a bias of {written} and" in (said or "")


def test_lengths_in_a_sentence() -> None:
    lengths = Lengths(((4, 10), (9, 60), (25, 30)), median=9, p10=4, p90=25)
    said = "Half of the tests had at most 9 items, 80 % had 4 to 25, and 30.0% the most, 25."
    alone = measures(calibrated_rates(300))
    assert lengths_sentence(lengths, alone) == said
    beside = replace(alone, mean_length=13.3, uncontrolled=replace(uncontrolled(), mean_length=12))
    assert lengths_sentence(lengths, beside) == (
        f"{said} As tests end at the same error, the price of control is in their length:"
        " 13.30 items against 12.00."
    )
    assert "Every test had 12 items" in lengths_sentence(
        Lengths(((12, 7),), median=12, p10=12, p90=12), alone
    )


@pytest.mark.parametrize(
    ("rate", "ending"),
    [
        (0.33, "is 0.33, 1.65 times the cap. If yours does, calibrate for it: --ability eap"),
        (0.203, "is 0.20, 1.01 times the cap: it serves there too."),
        (0.1, "is 0.10, 0.50 times the cap: it serves there too."),
    ],
)
def test_what_a_table_for_the_true_theta_does_in_an_eap_test(rate: float, ending: str) -> None:
    result = replace(calibration(), when_estimated=rate)
    said = when_estimated_sentence(result) or ""
    assert said == f"In a test that ranks by an EAP estimate this table's largest exposure {ending}"
    assert asides(result) == [said]
    assert when_estimated_sentence(calibration()) is None
    assert asides(calibration()) == []
    assert json.loads(result_data(result, "json"))["when_estimated"] == rate


def lines(shown: Measures, width: int) -> list[str]:
    return [str(line) for line in decile_lines(shown, width)]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_deciles_stand_under_their_numbers(width: int) -> None:
    shown = measures(calibrated_rates(300), accuracy=estimated())
    found = lines(shown, width)
    assert max(map(len, found)) <= min(width, 80)
    assert len({len(line) for line in found}) == 1
    figures = [line[-60 if width >= 80 else -50 :].split() for line in found]
    assert figures[0] == [str(d) for d in range(1, 11)]
    assert [float(x) for x in figures[1]] == list(shown.max_by_decile)
    assert [float(x) for x in figures[2]] == [
        0.21, -0.13, 0.0, 0.0, 0.0, 0.02, -0.06, -0.12, -0.18, 0.3,
    ]  # fmt: skip
    assert figures[2][2].lstrip("0") == ".00", "what rounds to nothing has no sign"
    assert [float(x) for x in figures[4]] == [0.19] * 10


@pytest.mark.parametrize("width", [60, 80])
def test_figures_of_a_scale_of_hundreds_neither_touch_nor_widen_the_lines(width: int) -> None:
    large = (-123.456, -23.456, 3.456, 100.0, 0.0, -0.1, 99.999, 12.0, -123.0, 999.0)
    of = estimated(bias_by_decile=large, rmse_by_decile=tuple(map(abs, large)))
    for line in lines(measures(calibrated_rates(300), accuracy=of), width)[2:4]:
        assert len(line) == width
        figures = [float(word) for word in line[-60 if width == 80 else -50 :].split()]
        assert list(map(abs, figures)) == pytest.approx(list(map(abs, large)), abs=0.5)
    ten = estimated(rmse_by_decile=(10.0, *[0.5] * 9), bias_by_decile=(-10.0, *[-0.5] * 9))
    shown = lines(measures(calibrated_rates(300), accuracy=ten), width)
    assert [float(shown[i].split()[-10]) for i in (2, 3)] == [-10, 10]


def test_without_an_estimate_one_line_tells_the_largest_exposure() -> None:
    (line,) = lines(measures(calibrated_rates(300)), 80)
    assert line == "largest by theta decile   0.99 0.98 0.97 0.95 0.91 0.88 0.85 0.90 0.97 1.00"
