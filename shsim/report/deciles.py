"""What happens in each tenth of theta, in lines of ten figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from shsim.model.results import Measures


def decile_lines(measures: Measures) -> Iterator[Text]:
    """The largest exposure in each theta decile, and the errors of estimation there.

    One cap for all examinees together leaves the rate within a decile near 1: show it.
    """
    found = measures.accuracy
    if found is None:
        rates = " ".join(f"{rate:.2f}" for rate in measures.max_by_decile)
        yield Text(f"largest by theta decile   {rates}", style="dim")
        return
    yield Text(f"{'theta decile':<20}" + "".join(f"{i:6}" for i in range(1, 11)), style="dim")
    yield _line("largest exposure", measures.max_by_decile)
    yield _line("bias", found.bias_by_decile)
    yield _line("RMSE", found.rmse_by_decile)
    yield _line("standard error", found.error_sd_by_decile)


def _line(label: str, values: Sequence[float]) -> Text:
    """Ten figures under the numbers of their deciles."""
    return Text(
        f"{label:<20}" + "".join(f"{round(value, 2) + 0.0:6.2f}" for value in values), style="dim"
    )
