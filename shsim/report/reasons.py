"""Why a cap can't be met and what it costs, in a few lines of the summary."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from shsim.model.ability import number
from shsim.model.results import CalibrationResult, Reasons
from shsim.report.plain_text import visible_line

#: Items listed by name.
_LISTED = 5


def reasons_block(result: CalibrationResult, reasons: Reasons) -> Iterator[Text]:
    """Lines for the summary: the smallest cap met, the floor, the price by ability."""
    yield Text("What the cap costs", style="bold")
    for sentence in sentences(result, reasons):
        yield Text(visible_line(sentence))
    if reasons.price_by_decile:
        prices = " ".join(f"{price:.2f}" for price in reasons.price_by_decile)
        yield Text(f"by theta decile           {prices}", style="dim")


def sentences(result: CalibrationResult, reasons: Reasons) -> Iterator[str]:
    """The same in words."""
    pool, settings = result.pool, result.settings
    length = settings.delivery.length
    yield (
        f"The smallest cap found to be met is {reasons.smallest_tau:.4f}, of"
        f" {length}/{len(pool)} = {length / len(pool):.4f} conceivable."
    )
    if reasons.largest_floor is not None:
        yield f"The largest floor that meets {number(settings.tau)} is {reasons.largest_floor:.4f}."
    if reasons.held_by_floor:
        named = ", ".join(pool.item(i) for i in reasons.held_by_floor[:_LISTED])
        more = len(reasons.held_by_floor) - _LISTED
        rest = f" and {more} more" if more > 0 else ""
        yield f"The floor holds over the cap: {named}{rest}."
    if reasons.price_by_decile:
        dearest = max(range(10), key=reasons.price_by_decile.__getitem__) + 1
        yield (
            "Information that .01 of tau more would buy, dearest in theta decile"
            f" {dearest} of 10: write items there."
        )
