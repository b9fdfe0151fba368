"""Why a cap can't be met and what it costs, in a few lines of the summary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from rich.text import Text

from shsim.model.ability import AbilityDistribution, number
from shsim.model.results import CalibrationResult, Reasons
from shsim.report.plain_text import visible_line

#: Items listed by name.
_LISTED = 5

#: Deciles whose price is at least this share of the dearest are named with it.
_AS_DEAR = 0.9


def reasons_block(result: CalibrationResult, reasons: Reasons) -> Iterator[Text]:
    """Lines for the summary: the smallest cap met, the floor, the price by ability."""
    yield Text("What the cap costs", style="bold")
    for sentence in sentences(result, reasons):
        yield Text(visible_line(sentence))
    if reasons.price_by_decile:
        deciles = range(1, len(reasons.price_by_decile) + 1)
        yield Text("theta decile " + "".join(f"{decile:6}" for decile in deciles), style="dim")
        yield Text("information  " + "".join(map(_price, reasons.price_by_decile)))


def sentences(result: CalibrationResult, reasons: Reasons) -> Iterator[str]:
    """The same in words."""
    pool, settings = result.pool, result.settings
    length, cap = settings.delivery.length, number(settings.tau)
    yield (
        f"With a floor of 0 this pool meets caps down to {reasons.smallest_tau:.4f}; none under"
        f" L/N = {length}/{len(pool)} = {length / len(pool):.4f} is conceivable."
    )
    if reasons.largest_floor is not None:
        yield f"The largest floor that meets {cap} is {_rounded_down(reasons.largest_floor)}."
    if reasons.held_by_floor:
        named = ", ".join(pool.item(i) for i in reasons.held_by_floor[:_LISTED])
        more = len(reasons.held_by_floor) - _LISTED
        rest = f" and {more:,} more" if more > 0 else ""
        yield f"The floor of {number(settings.floor)} holds over the cap: {named}{rest}."
    if reasons.price_by_decile:
        where = _dearest(settings.delivery.theta, reasons.price_by_decile)
        yield (
            f"What .01 more of tau would buy in information is most {where}."
            " Items written there ease the cap most."
            if where
            else "What .01 more of tau would buy in information:"
        )


def _dearest(theta: AbilityDistribution, prices: Sequence[float]) -> str:
    """Where the cap costs most, as ranges of theta; '' where it costs the same everywhere."""
    dear = [price >= _AS_DEAR * max(prices) for price in prices]
    if all(dear) or max(prices) <= 0 or theta.kind == "fixed":
        return ""
    inner = theta.quantile(np.arange(1, len(prices)) / len(prices)).tolist()
    edges = [-math.inf, *inner, math.inf]
    # A run of dear deciles begins and ends where the flag changes.
    changes = [i for i, (one, next_) in enumerate(pairwise([False, *dear, False])) if one != next_]
    runs = zip(changes[::2], changes[1::2], strict=True)
    return " and ".join(_range(edges[low], edges[high]) for low, high in runs)


def _range(low: float, high: float) -> str:
    if math.isinf(low):
        return f"at theta under {high:.2f}"
    if math.isinf(high):
        return f"at theta over {low:.2f}"
    return f"at theta {low:.2f} to {high:.2f}"


def _price(price: float) -> str:
    return f"{price:6.2f}" if abs(price) < 99 else f"{price:6.0f}"


def _rounded_down(k: float) -> str:
    """Three digits, never more than `k`: what is shown can be typed."""
    if k <= 0:
        return "0"
    unit = 10.0 ** (math.floor(math.log10(k)) - 2)
    return f"{math.floor(k / unit) * unit:.3g}"
