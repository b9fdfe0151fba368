"""The summary a person reads: the verdict first, then the evidence, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from shsim.model.ability import number
from shsim.model.control import SYMPSON_HETTER
from shsim.model.item_pool import NO_TOPIC
from shsim.model.results import (
    CalibrationResult,
    Origin,
    SimulationResult,
)
from shsim.report.canvas import COLOURS, Canvas, plain_table
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
from shsim.report.summary_measures import BOUNDED, control_of, summary_measures

#: Items listed by name.
LISTED = 8


def summary_text(result: Result, canvas: Canvas, closing: Sequence[str] = ()) -> str:
    """The whole summary; `closing` are sentences that only the caller knows (what was saved)."""
    about = subject(result.pool, result.settings.delivery, _manner(result))
    parts: list[RenderableType] = [*_verdict(result), Text(), about, Text()]
    parts.extend([summary_measures(result, canvas.width), Text()])
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


def _manner(result: Result) -> str:
    """How exposure is controlled."""
    control = control_of(result)
    if control == SYMPSON_HETTER:
        return by_rejection(result.settings.delivery)
    return f"control {control.spelling}"


def _items(result: Result, width: int) -> Iterator[RenderableType]:
    calibrated = isinstance(result, CalibrationResult)
    chosen = _restrained(result) if calibrated else _most_exposed(result)
    if not chosen:
        yield Text("No item needs restraint: every k is 1.", style="bold")
        return
    yield Text("Most restrained items" if calibrated else "Most exposed items", style="bold")
    table = plain_table()
    table.add_column("item", overflow="fold")
    table.add_column("topic", justify="right", overflow="fold")
    for name in ("a", "b", *_tables(result)):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("exposure", justify="right", overflow="fold")
    bounded = width >= BOUNDED
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
    return ("k",) if control_of(result) == SYMPSON_HETTER else ()


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
    elif control_of(result) == SYMPSON_HETTER:
        cells.append(f"{pool.k[i]:.4f}")
    cells.append(f"{exposure.rate[i]:.4f}")
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
