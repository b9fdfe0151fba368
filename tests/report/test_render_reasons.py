"""Why a cap isn't met and what it costs, in the summary and in JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from made_up_results import calibration

from shsim.model.ability import AbilityDistribution
from shsim.model.results import CalibrationResult, Reasons
from shsim.report.canvas import Canvas
from shsim.report.reasons import sentences
from shsim.report.render import result_data
from shsim.report.summary import summary_text

PRICES = (0.3, 0.98, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.95)


def explained(**changed: Any) -> CalibrationResult:
    """A calibration with reasons."""
    figures = {
        "smallest_tau": 0.1012,
        "largest_floor": 0.0017699,
        "held_by_floor": (10, 11, 12),
        "price_by_decile": PRICES,
        **changed,
    }
    return replace(calibration(held=False), reasons=Reasons(**figures))


def said(result: CalibrationResult) -> str:
    assert result.reasons is not None
    return " ".join(sentences(result, result.reasons))


def test_what_is_said() -> None:
    result = explained()
    words = said(result)
    assert "meets caps down to 0.1012; none under L/N = 30/300 = 0.1000 is conceivable" in words
    # Rounded down, so that what is shown can be typed.
    assert "The largest floor that meets 0.2 is 0.00176." in words
    named = ", ".join(result.pool.item(i) for i in (10, 11, 12))
    assert f"The floor of 0.001 holds over the cap: {named}." in words
    assert "most at theta -1.28 to -0.52 and at theta over 1.28." in words


def test_what_is_not_known_is_not_said() -> None:
    bare = explained(largest_floor=None, held_by_floor=(), price_by_decile=())
    assert said(bare).endswith(" is conceivable.")
    assert "\ntheta decile" not in summary_text(bare, Canvas(width=80, colour=False, blocks=True))
    assert "is 0." in said(explained(largest_floor=0.0))


def test_items_are_listed_up_to_five() -> None:
    assert "and 3 more." in said(explained(held_by_floor=tuple(range(8))))


@pytest.mark.parametrize("theta", ["normal:0,1", "fixed:0"])
def test_one_price_for_all_names_no_place(theta: str) -> None:
    result = explained(price_by_decile=(0.5,) * 10)
    delivery = replace(result.settings.delivery, theta=AbilityDistribution.parse(theta))
    result = replace(result, settings=replace(result.settings, delivery=delivery))
    assert said(result).endswith("What .01 more of tau would buy in information:")


def test_prices_stand_under_their_deciles_within_80_columns() -> None:
    prices = (*PRICES[:9], 112.55)
    text = summary_text(
        explained(price_by_decile=prices), Canvas(width=80, colour=False, blocks=True)
    )
    shown = text.splitlines()
    assert max(map(len, shown)) <= 80
    head = next(i for i, line in enumerate(shown) if line.startswith("theta decile"))
    assert shown[head].split()[2:] == [str(decile) for decile in range(1, 11)]
    assert shown[head + 1].split()[1:] == [*(f"{price:.2f}" for price in PRICES[:9]), "113"]


def test_json_names_the_items() -> None:
    result = explained()
    found = json.loads(result_data(result, "json"))["reasons"]
    assert found == {
        "smallest_tau": 0.1012,
        "largest_floor": 0.0017699,
        "held_by_floor": [result.pool.item(i) for i in (10, 11, 12)],
        "price_by_decile": list(PRICES),
    }
    assert json.loads(result_data(calibration(), "json"))["reasons"] is None
