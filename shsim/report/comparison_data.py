"""Several controls side by side: sentences, columns and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from shsim import __version__
from shsim.model.ability import number
from shsim.model.comparison import DEFAULT_COMPARE_N, Compared, ComparisonResult
from shsim.model.control import SYMPSON_HETTER
from shsim.model.settings import settings_as_dict
from shsim.report.columns import Columns
from shsim.report.document import json_text
from shsim.report.telling import give_more, too_few

#: Columns of the CSV after `control`, those of the estimate last.
_MEASURES = (
    "max_exposure",
    "over",
    "unused",
    "overlap",
    "chi_square",
    "gini",
    "information",
    "information_kept",
    "proposals_per_test",
    "forced_per_test",
    "mean_length",
)
_ACCURACY = ("bias", "rmse", "standard_error", "correlation")

#: Controls that the first sentence names; the table has them all.
_NAMED = 4


def headline(result: ComparisonResult) -> str:
    """Which controls hold the cap, and what they keep."""
    cap, every = number(result.settings.tau), result.compared
    held = [each for each in every if each.measures.held]
    held.sort(key=lambda each: -each.measures.information_kept)
    first = every[0].measures
    if comparison_held(result) is None:
        limit = result.settings.tau, result.settings.tol
        more = give_more("--n", DEFAULT_COMPARE_N, first.n, len(result.pool), limit)
        return f"Whether a control holds the cap of {cap} can't be told: {too_few(first.n)}. {more}"
    if not held:
        least = min(every, key=lambda each: each.measures.max_exposure)
        return (
            f"No control holds the cap of {cap}: the largest exposure is"
            f" {least.measures.max_exposure:.4f} at least, under {_name(least)}."
        )
    of = f"{len(every)} control{'s' * (len(every) > 1)}"
    holds = "holds" if len(held) == 1 else "hold"
    kept = [f"{_name(each)} {each.measures.information_kept:.1%}" for each in held[:_NAMED]]
    kept[0] = kept[0].replace(" ", " keeps ", 1)
    others = ["…"] * (len(held) > _NAMED)
    return (
        f"{len(held)} of {of} {holds} the cap of {cap}; of the information without control"
        f" {', '.join([*kept, *others])}."
    )


def comparison_held(result: ComparisonResult) -> bool | None:
    """Whether a control holds the cap; None where too few examinees tell."""
    every = {each.measures.held for each in result.compared}
    return True if True in every else None if None in every else False


def _name(each: Compared) -> str:
    return each.control.spelling


def notes(result: ComparisonResult) -> Iterator[str]:
    """What the columns mean, whom they are of, and what to do next."""
    settings, pool = result.settings, result.pool
    first = result.compared[0].measures
    error = "; SE: the mean standard error" if settings.delivery.estimated else ""
    hidden = f"an excess under {first.visible_excess:.1%}"
    if None in {each.measures.held for each in result.compared}:
        hidden = "any excess"
    yield (
        "over: items above the cap; beyond: those over it beyond noise, which hides"
        f" {hidden}; kept: of the information without control{error}."
    )
    for each in result.compared:
        if each.control == SYMPSON_HETTER and bool((pool.k == 1).all()):
            yield "The k in force are all 1, so that sh is no control: calibrate first."
        elif each.control == SYMPSON_HETTER and each.measures.held is False and result.judge:
            # A calibration for this test would replace k that are good for another.
            yield "The k in force do not hold the cap here: they were made for another test."
            yield result.judge
        elif each.control == SYMPSON_HETTER and each.measures.held is False:
            yield "The k in force do not hold the cap: shsim calibrate finds k that do."
    defaulted = int(pool.defaulted.sum())
    if defaulted:
        yield f"Items without a calibration row, taken as a=1, b=0, c=.2: {defaulted:,}."
    yield (
        f"{settings.n:,} examinees, the same under each control. Seed {settings.delivery.seed};"
        f" {result.seconds:.2f} s."
    )


def comparison_columns(result: ComparisonResult) -> Columns:
    """The CSV's columns, one row a control; those of an estimate are empty where there is none."""
    compared = result.compared
    columns: Columns = {"control": [_name(each) for each in compared]}
    for name in _MEASURES:
        columns[name] = [getattr(each.measures, name) for each in compared]
    for name in _ACCURACY:
        columns[name] = [getattr(each.measures.accuracy, name, None) for each in compared]
    return columns


def comparison_json(result: ComparisonResult) -> str:
    """A comparison as one JSON document: every measure of each control."""
    settings = settings_as_dict(result.settings)
    del settings["control"]  # each row names its own
    return json_text(
        {
            "command": "simulate",
            "version": __version__,
            "exam": result.pool.name,
            "run": result.run,
            "settings": settings,
            "seed": result.settings.delivery.seed,
            "seconds": result.seconds,
            "uncontrolled": asdict(result.uncontrolled),
            "comparison": [_document(each) for each in result.compared],
        }
    )


def _document(each: Compared) -> dict[str, Any]:
    measures = asdict(each.measures)
    del measures["uncontrolled"]  # the same for all
    return {"control": _name(each), **measures}
