"""A sweep as sentences, columns and JSON: what each cap at each length costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal

from shsim import __version__
from shsim.model.ability import number
from shsim.model.results import Measures, SweepPoint, SweepResult
from shsim.model.settings import settings_as_dict
from shsim.report.columns import Columns, rows
from shsim.report.document import json_text

#: Why a point is infeasible.
Obstacle = Literal["under_mean", "runs_short", "over"]

#: Open positions a test from which on the pool is said to run short.
_SHORT = 1e-3

#: Lengths that get a sentence of their own; the table has them all.
_SAID = 5


def obstacle(point: SweepPoint) -> Obstacle | None:
    """Why a point is infeasible; None where it isn't."""
    if point.feasible:
        return None
    if point.measures is None:
        return "under_mean"
    return "runs_short" if point.measures.forced_per_test > _SHORT else "over"


def headline(result: SweepResult) -> Iterator[str]:
    """What the sweep found, in a sentence, or one a length."""
    met = [point for point in result.points if point.feasible]
    if not met:
        floor = any(obstacle(point) == "over" for point in result.points)
        yield (
            "No cap of the sweep is met. Give a larger --tau, a shorter --len or"
            f" {'a lower --floor' if floor else 'more items'}."
        )
        return
    lengths = list(dict.fromkeys(result.settings.lengths))
    if len(lengths) == 1:
        yield _tightest(met, len(result.points))
    elif len(set(result.settings.taus)) == 1:
        longest = max(met, key=lambda point: point.length)
        words = (
            f"The longest test of the sweep that meets {number(longest.tau)} has {longest.length}"
            f" items and {_kept(longest)}. {_missed(len(met), len(result.points), 'length')}"
        )
        yield words.strip()
    else:
        for length in lengths[:_SAID]:
            yield _at_length(length, [point for point in met if point.length == length])
        if len(lengths) > _SAID:
            yield f"The table has {len(lengths) - _SAID} more lengths."


def _tightest(met: list[SweepPoint], total: int) -> str:
    tightest = min(met, key=lambda point: point.tau)
    loosest = max(met, key=lambda point: point.tau)
    words = [f"The tightest cap of the sweep that is met is {number(tightest.tau)}:"]
    words.append(f"it {_kept(tightest)}.")
    if loosest is not tightest:
        words.append(f"The loosest, {number(loosest.tau)}, {_kept(loosest)}.")
    words.append(_missed(len(met), total, "cap"))
    return " ".join(words).strip()


def _at_length(length: int, met: list[SweepPoint]) -> str:
    if not met:
        return f"{length} items a test: no cap of the sweep is met."
    tightest = min(met, key=lambda point: point.tau)
    cap = number(tightest.tau)
    return f"{length} items a test: the tightest cap met is {cap}; it {_kept(tightest)}."


def _kept(point: SweepPoint) -> str:
    share = point.measures.information_kept if point.measures is not None else 0.0
    return f"keeps {share:.1%} of the information without control"


def _missed(met: int, total: int, what: str) -> str:
    """How many are not met, where some are."""
    missed = total - met
    be = "is" if missed == 1 else "are"
    return f"{missed} of {total} {what}s {be} not met." if missed else ""


def sweep_columns(result: SweepResult) -> Columns:
    """The CSV's columns, in the order that stands in the README."""
    points = result.points
    columns: Columns = {
        "tau": [point.tau for point in points],
        "feasible": ["true" if point.feasible else "false" for point in points],
    }
    for name, measure in (
        ("max_exposure", "max_exposure"),
        ("over", "over_beyond_noise"),  # all else is rounding: nothing is drawn
        ("overlap", "overlap"),
        ("chi_square", "chi_square"),
        ("unused", "unused"),
        ("information", "information"),
        ("information_kept", "information_kept"),
    ):
        columns[name] = [
            None if point.measures is None else getattr(point.measures, measure) for point in points
        ]
    columns["iterations"] = [point.iterations for point in points]
    columns["len"] = [point.length for point in points]
    return columns


def sweep_json(result: SweepResult) -> str:
    """A sweep as one JSON document: a point has the CSV's columns, then every other measure."""
    points = rows(sweep_columns(result))
    for document, point in zip(points, result.points, strict=True):
        document["feasible"] = point.feasible
        document["reason"] = obstacle(point)
        for field in fields(Measures):
            if field.name not in document:
                document[field.name] = getattr(point.measures, field.name, None)
    settings = settings_as_dict(result.settings)
    unused = ("length", "seed")  # `lengths` is used instead, and nothing is drawn
    return json_text(
        {
            "command": "sweep",
            "version": __version__,
            "exam": result.pool.name,
            "run": None,
            "settings": {name: value for name, value in settings.items() if name not in unused},
            "seconds": result.seconds,
            "points": points,
        }
    )


def plain_tau(points: tuple[SweepPoint, ...]) -> list[str]:
    """The caps with as many decimals each as the longest of them needs."""
    written = [number(point.tau) for point in points]
    decimals = max(len(text.partition(".")[2]) for text in written)
    if any("e" in text for text in written):
        return written
    return [f"{point.tau:.{decimals}f}" for point in points]


def settings_note(result: SweepResult) -> Iterator[str]:
    """What was solved, how, and what to type next."""
    settings: Any = result.settings
    defaulted = int(result.pool.defaulted.sum())
    if defaulted:
        yield f"Items without a calibration row, taken as a=1, b=0, c=.2: {defaulted:,}."
    if any(obstacle(point) == "over" for point in result.points):
        yield (
            f"Items stay over where --floor {number(settings.floor)} holds them up, or"
            f" {settings.iters} iterations did not do: give a lower --floor or more --iters."
        )
    yield (
        f"Expected exposure, without noise, on {settings.nodes:,} nodes of theta;"
        f" {result.seconds:.2f} s."
    )
    yield "Nothing is saved. To have the k of a row: shsim calibrate with its --tau and --len."
