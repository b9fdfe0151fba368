"""The summary's table of measures: before, after and without control, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from shsim.model.control import NO_CONTROL, SYMPSON_HETTER, Control
from shsim.model.results import CalibrationResult, Measures, SimulationResult, Uncontrolled
from shsim.report.canvas import COLOURS, plain_table
from shsim.report.columns import Result

#: In a narrower window the bounds would tear the other columns apart, and are left to the CSV.
BOUNDED = 72


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _rate(value: float) -> str:
    return f"{value:.4f}"


def _per_test(value: float) -> str:
    return f"{value:.1f}" if value >= 1 or value < 1e-9 else f"{value:.2g}"


_LARGEST, _BEYOND_NOISE, _LENGTH, _EXAMINEES = (
    "largest exposure rate",
    "  of them beyond noise",
    "items a test",
    "examinees",
)

#: Whatever has the figure: measures, or what is known of the test without control.
Shown = Measures | Uncontrolled


def _of(name: str) -> Callable[[Shown], float | None]:
    """The figure called `name`, None where there is none."""
    return lambda shown: getattr(shown, name, None)


def _error(name: str) -> Callable[[Shown], float | None]:
    """A figure of the accuracy, None where no ability is estimated, or nothing varies."""

    def figure(shown: Shown) -> float | None:
        value = getattr(shown.accuracy, name, None)
        return None if value is None or math.isnan(value) else value

    return figure


def _kept(shown: Shown) -> float:
    return shown.information_kept if isinstance(shown, Measures) else 1.0


#: label, value of what is shown, how it is written
_ROWS: tuple[tuple[str, Callable[[Shown], float | None], Callable[[float], str]], ...] = (
    (_LARGEST, _of("max_exposure"), _rate),
    ("items over the cap", _of("over"), _count),
    (_BEYOND_NOISE, _of("over_beyond_noise"), _count),
    ("items never seen", _of("unused"), _count),
    ("overlap of two tests", _of("overlap"), _share),
    ("Gini index of the rates", _of("gini"), lambda x: f"{x:.3f}"),
    (_LENGTH, _of("mean_length"), lambda x: f"{x:.2f}"),
    ("information kept", _kept, _share),
    ("RMSE of the estimate", _error("rmse"), _rate),
    ("bias", _error("bias"), lambda x: f"{x:+.4f}"),
    ("mean standard error", _error("standard_error"), _rate),
    ("correlation with theta", _error("correlation"), _rate),
    ("proposals a test", _of("proposals_per_test"), _per_test),
    ("forced positions a test", _of("forced_per_test"), _per_test),
    (_EXAMINEES, _of("n"), _count),
)


def control_of(result: Result) -> Control:
    """What controls exposure in the tests that the result tells of."""
    return result.settings.control if isinstance(result, SimulationResult) else SYMPSON_HETTER


def summary_measures(result: Result, width: int) -> Table:
    """Every figure that the result has, in a window of so many columns."""
    table = plain_table(apart=1 if width < BOUNDED else 2)
    table.add_column("", min_width=24 if width < BOUNDED else 26)
    control = control_of(result)
    name = "in force" if control == SYMPSON_HETTER else control.spelling
    sets: list[tuple[str, Shown]] = [(name, result.measures)]
    if isinstance(result, CalibrationResult):
        sets = [("before", result.before), ("after", result.measures)]
    if result.measures.uncontrolled is not None and control != NO_CONTROL:
        sets.append(("no control", result.measures.uncontrolled))
    for name, _ in sets:
        table.add_column(name, justify="right", min_width=10, overflow="fold")
    without_noise = all(shown.n == 0 for _, shown in sets)
    for label, value, written in _ROWS:
        if without_noise and label in (_BEYOND_NOISE, _EXAMINEES):
            continue
        if label == _LENGTH and result.measures.lengths is None:
            continue
        values = [value(shown) for _, shown in sets]
        if any(each is not None for each in values):
            cells = zip(sets, values, strict=True)
            table.add_row(label, *(_cell(label, shown, x, written) for (_, shown), x in cells))
    return table


def _cell(label: str, shown: Shown, value: float | None, written: Callable[[float], str]) -> Text:
    """One figure, coloured by the verdict where it is about that."""
    if value is None:
        return Text()
    if not math.isfinite(value):
        return Text("-")
    style = ""
    if isinstance(shown, Measures) and label == _LARGEST:
        style = COLOURS[shown.held]
    elif label == _BEYOND_NOISE and value:
        style = "red"
    return Text(written(value), style=style)
