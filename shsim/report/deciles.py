"""What happens in each tenth of theta, in lines of ten figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.text import Text

from shsim.model.results import Measures

#: The lines as they should be; in a narrower window they are shorter.
_WHOLE = 80


def decile_lines(measures: Measures, width: int) -> Iterator[Text]:
    """The largest exposure in each theta decile, and the errors of estimation there.

    One cap for all examinees together leaves the rate within a decile near 1: show it.
    """
    found = measures.accuracy
    if found is None:
        rates = " ".join(f"{rate:.2f}" for rate in measures.max_by_decile)
        yield Text(f"largest by theta decile   {rates}", style="dim")
        return
    lead, each = (20, 6) if width >= _WHOLE else (10, 5)
    numbers = "".join(f"{decile:{each}}" for decile in range(1, 11))
    yield Text(f"{'theta decile' if lead > 12 else 'decile':<{lead}}{numbers}", style="dim")
    for label, short, values in (
        ("largest exposure", "largest", measures.max_by_decile),
        ("bias", "bias", found.bias_by_decile),
        ("RMSE", "RMSE", found.rmse_by_decile),
        ("spread of errors", "spread", found.error_sd_by_decile),
        ("standard error", "s.e.", found.standard_error_by_decile),
    ):
        name = label if len(label) < lead else short
        yield Text(f"{name:<{lead}}{_row(values, each)}", style="dim")


def _row(values: Sequence[float], each: int) -> str:
    """Ten figures, each so many columns wide, with the decimals that there is room for."""
    figures: list[str] = []
    for places in (2, 1, 0):
        # Rounded first, so that what rounds to nothing has no sign.
        figures = [f"{round(value, places) + 0.0:.{places}f}" for value in values]
        if each < len(" -0.00"):  # a sign would touch the figure before it
            figures = [re.sub(r"^(-?)0\.", r"\1.", figure) for figure in figures]
        if max(map(len, figures)) < each:
            break
    return "".join(figure.rjust(each) for figure in figures)
