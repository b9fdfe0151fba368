"""The summary a person reads: the verdict first, then the evidence, within 80 columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shsim.model.ability import number
from shsim.model.control import NO_CONTROL, SYMPSON_HETTER, Control
from shsim.model.item_pool import NO_TOPIC
from shsim.model.results import (
    CalibrationResult,
    Measures,
    Origin,
    SimulationResult,
    Uncontrolled,
)
from shsim.report.canvas import COLOURS, Canvas
from shsim.report.columns import Result, at_floor
from shsim.report.deciles import decile_lines
from shsim.report.estimation import (
    lengths_sentence,
    when_estimated_sentence,
)
from shsim.report.histogram import Pen, histogram
from shsim.report.plain_text import visible, visible_line
from shsim.report.reasons import reasons_block
from shsim.report.subject import by_rejection, subject

#: Items listed by name.
LISTED = 8

#: In a narrower window the bounds would tear the other columns apart, and are left to the CSV.
_BOUNDED = 72


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


def summary_text(result: Result, canvas: Canvas, closing: Sequence[str] = ()) -> str:
    """The whole summary; `closing` are sentences that only the caller knows (what was saved)."""
    about = subject(result.pool, result.settings.delivery, _manner(result))
    parts: list[RenderableType] = [*_verdict(result), Text(), about, Text()]
    parts.extend([_measures(result, canvas.width), Text()])
    parts.extend([*decile_lines(result.measures, canvas.width), Text()])
    parts.append(Text("Items by exposure rate", style="bold"))
    parts.extend(histogram(result.exposure.rate, result.settings.tau, _pen(canvas)))
    parts.extend([Text(), *_items(result, canvas.width), Text()])
    if isinstance(result, CalibrationResult) and result.reasons is not None:
        parts.extend([*reasons_block(result, result.reasons), Text()])
    parts.extend(Text(visible_line(sentence)) for sentence in (*_ending(result), *closing))
    return canvas.text(Group(*parts))


def _pen(canvas: Canvas) -> Pen:
    return Pen(width=canvas.width, blocks=canvas.blocks)


def _verdict(result: Result) -> Iterator[Text]:
    verdict = result.verdict
    yield Text(visible(verdict.sentence), style=f"bold {COLOURS[verdict.held]}")
    if verdict.remedy:
        # A command line that is broken into several cannot be pasted.
        whole = verdict.reason == "in_force"
        yield Text(
            visible(verdict.remedy),
            style="yellow",
            no_wrap=whole,
            overflow="ignore" if whole else None,
        )


def _control(result: Result) -> Control:
    return result.settings.control if isinstance(result, SimulationResult) else SYMPSON_HETTER


def _manner(result: Result) -> str:
    """How exposure is controlled."""
    control = _control(result)
    if control == SYMPSON_HETTER:
        return by_rejection(result.settings.delivery)
    return f"control {control.spelling}"


def _measures(result: Result, width: int) -> Table:
    table = _table(1 if width < _BOUNDED else 2)
    table.add_column("", min_width=24 if width < _BOUNDED else 26)
    control = _control(result)
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


def _items(result: Result, width: int) -> Iterator[RenderableType]:
    calibrated = isinstance(result, CalibrationResult)
    chosen = _restrained(result) if calibrated else _most_exposed(result)
    if not chosen:
        yield Text("No item needs restraint: every k is 1.", style="bold")
        return
    yield Text("Most restrained items" if calibrated else "Most exposed items", style="bold")
    table = _table()
    table.add_column("item", overflow="fold")
    table.add_column("topic", justify="right", overflow="fold")
    for name in ("a", "b", *_tables(result)):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("exposure", justify="right", overflow="fold")
    bounded = width >= _BOUNDED
    if bounded:
        table.add_column("95 % bounds", overflow="fold")
    for i in chosen:
        cells = _item_row(result, i)
        table.add_row(*(cells if bounded else cells[:-1]))
    yield table


def _tables(result: Result) -> tuple[str, ...]:
    """The tables of k that tell something of the items."""
    if isinstance(result, CalibrationResult):
        return "k before", "k"
    return ("k",) if _control(result) == SYMPSON_HETTER else ()


def _restrained(result: CalibrationResult | SimulationResult) -> list[int]:
    k = result.k if isinstance(result, CalibrationResult) else result.pool.k
    order = np.argsort(k, kind="stable")[:LISTED]
    return [i for i in order.tolist() if k[i] < 1]


def _most_exposed(result: Result) -> list[int]:
    order: list[int] = np.argsort(-result.exposure.rate, kind="stable")[:LISTED].tolist()
    return order


def _item_row(result: Result, i: int) -> list[Text]:
    pool, exposure = result.pool, result.exposure
    topic = int(pool.topic_id[i])
    cells = [
        pool.item(i),
        "" if topic == NO_TOPIC else str(topic),
        f"{pool.a[i]:.3f}",
        f"{pool.b[i]:.3f}",
    ]
    if isinstance(result, CalibrationResult):
        cells.append(f"{pool.k[i]:.4f}")
        floor = at_floor(result.k[i : i + 1], result.settings.floor)[0]
        cells.append(f"{result.k[i]:.4f}{' floor' if floor else ''}")
    elif _control(result) == SYMPSON_HETTER:
        cells.append(f"{pool.k[i]:.4f}")
    cells.append(_rate(float(exposure.rate[i])))
    cells.append(f"{exposure.low[i]:.4f}-{exposure.high[i]:.4f}")
    texts = [Text(cell) for cell in cells]
    texts[-2].stylize("red" if exposure.over[i] else "")
    return texts


def _ending(result: Result) -> Iterator[str]:
    settings = result.settings
    defaulted = int(result.pool.defaulted.sum())
    if defaulted:
        yield f"Items without a calibration row, taken as a=1, b=0, c=.2: {defaulted:,}."
    if isinstance(result, CalibrationResult):
        yield _why_stopped(result)
        yield f"The rule was {result.settings.method}, starting from {_ORIGINS[result.origin]}."
    if result.measures.lengths is not None:
        yield lengths_sentence(result.measures.lengths, result.measures)
    yield from _content(result)
    yield f"Seed {settings.delivery.seed}; {result.seconds:.2f} s."
    if isinstance(result, CalibrationResult):
        sentence = when_estimated_sentence(result)
        if sentence is not None:
            yield sentence


def _content(result: Result) -> Iterator[str]:
    """How many items of each topic a test had, where a blueprint says how many it may."""
    blueprint = result.settings.delivery.blueprint
    if blueprint is None:
        return
    rates, topics = result.exposure.rate, result.pool.topic_id
    means = [
        f"{rule.name}: {float(rates[topics == rule.topic].sum()):.2f} ({rule.least} to"
        f" {'any' if rule.most is None else rule.most})"
        for rule in blueprint.rules
    ]
    yield f"Items a test by topic, on average (and allowed): {', '.join(means)}."


_ORIGINS: dict[Origin, str] = {
    "in_force": "the k in force",
    "one": "k = 1",
    "exact": "the exact solution at the true theta",
}


def _why_stopped(result: CalibrationResult) -> str:
    settings, done = result.settings, len(result.history)
    size = f" of {settings.n:,}" if settings.n else ""
    if not result.converged:
        return f"Stopped after {done} iterations{size}, before the rates had settled."
    why = "no rate moved any more"
    if settings.n:
        why = f"within {number(settings.tol * 100)} % of the cap"
    return f"Stopped after {done} of at most {settings.iters} iterations{size}: {why}."


def _table(apart: int = 2) -> Table:
    """Columns set apart by space alone, so that a pipe and a narrow window read the same."""
    return Table(box=None, pad_edge=False, padding=(0, apart, 0, 0), header_style="dim")
