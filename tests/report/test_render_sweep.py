"""A sweep as a person and a program read it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from made_up_results import calibrated_rates, delivery, measures, pool

from shsim.model.results import SweepPoint, SweepResult
from shsim.model.sweep_settings import SweepSettings
from shsim.report.canvas import Canvas
from shsim.report.render import sweep_data
from shsim.report.sweep_data import headline, obstacle
from shsim.report.sweep_summary import sweep_summary

PLAIN = Canvas(width=80, colour=False, blocks=True)


def point(tau: float, kept: float | None, length: int = 30, **changed: float) -> SweepPoint:
    """A point that is met unless something `changed`; with `kept` None it is under L/N."""
    found = None
    if kept is not None:
        rates = np.minimum(calibrated_rates(300), tau)
        figures = {"tau": tau, "information_kept": kept, "over_beyond_noise": 0, **changed}
        found = measures(rates, **figures)
    return SweepPoint(
        length=length,
        tau=tau,
        feasible=kept is not None and not changed,
        measures=found,
        iterations=0 if found is None else 12,
    )


def swept(*points: SweepPoint, name: str = "DEMO-EXAM") -> SweepResult:
    settings = SweepSettings(
        delivery=delivery(),
        taus=tuple(dict.fromkeys(p.tau for p in points)),
        lengths=tuple(dict.fromkeys(p.length for p in points)),
    )
    return SweepResult(pool=pool(name=name), settings=settings, points=points, seconds=0.5)


MIXED = swept(
    point(0.05, None),
    point(0.101, 0.42, forced_per_test=0.02),
    point(0.15, 0.5, over_beyond_noise=3),
    point(0.2, 0.75),
    point(0.3, 1.0),
)


def lines(result: SweepResult, canvas: Canvas = PLAIN) -> list[str]:
    return sweep_summary(result, canvas, ["Wrote x.csv."]).splitlines()


def test_why_a_point_is_infeasible() -> None:
    assert [obstacle(each) for each in MIXED.points] == [
        "under_mean", "runs_short", "over", None, None,
    ]  # fmt: skip
    shown = lines(MIXED)
    for tau, words in (
        ("0.050", "under L/N = 0.1000"),
        ("0.101", "the pool runs short"),
        ("0.150", "items stay over"),
    ):
        (line,) = [line for line in shown if line.startswith(tau)]
        assert line.endswith(words)
        assert "█" not in line
    assert any("--floor 0.001" in line for line in shown)


def test_bars_are_as_long_as_the_information_kept() -> None:
    shown = lines(MIXED)
    three_quarters, whole = (
        next(line.count("█") for line in shown if line.startswith(tau))
        for tau in ("0.200", "0.300")
    )
    assert three_quarters == pytest.approx(0.75 * whole, abs=1)
    assert max(map(len, shown)) == 80


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("blocks", [True, False])
def test_it_fits_its_width(width: int, *, blocks: bool) -> None:
    canvas = Canvas(width=width, colour=False, blocks=blocks)
    several = swept(*(point(tau, 0.8, length) for length in (20, 30) for tau in (0.2, 0.3)))
    for result in (MIXED, several):
        shown = lines(result, canvas)
        assert max(map(len, shown)) <= width
        assert all(line == line.rstrip() for line in shown)
        head = next(line for line in shown if line.endswith("information kept"))
        assert ("unused" in head) == (width > 60)
        if not blocks:
            "\n".join(shown).encode("ascii")


def test_the_first_sentence_names_the_tightest_cap_that_is_met() -> None:
    (said,) = headline(MIXED)
    assert said == (
        "The tightest cap of the sweep that is met is 0.2: it keeps 75.0% of the information"
        " without control. The loosest, 0.3, keeps 100.0% of the information without control."
        " 3 of 5 caps are not met."
    )
    (alone,) = headline(swept(point(0.2, 0.75)))
    assert alone.endswith("it keeps 75.0% of the information without control.")


def test_where_no_cap_is_met_the_remedy_is_named() -> None:
    assert "or more items." in next(headline(swept(point(0.05, None))))
    floor = swept(point(0.2, 0.5, over_beyond_noise=1))
    assert "or a lower --floor." in next(headline(floor))


def test_lengths_have_sentences_of_their_own() -> None:
    one_cap = swept(point(0.2, 0.9, 20), point(0.2, 0.8, 40), point(0.2, None, 70))
    (said,) = headline(one_cap)
    assert said == (
        "The longest test of the sweep that meets 0.2 has 40 items and keeps 80.0% of the"
        " information without control. 1 of 3 lengths is not met."
    )
    lengths = (10, 20, 30, 40, 50, 60, 70)
    many = swept(*(point(tau, 0.9, length) for length in lengths for tau in (0.3, 0.25)))
    said = list(headline(many))
    assert said[0].startswith("10 items a test: the tightest cap met is 0.25; it keeps 90.0%")
    assert said[-1] == "The table has 2 more lengths."
    none = swept(point(0.3, 0.9), point(0.25, 0.8), point(0.3, None, 99), point(0.25, None, 99))
    assert list(headline(none))[1] == "99 items a test: no cap of the sweep is met."


def test_csv_leaves_out_what_could_not_be_computed() -> None:
    rows = list(csv.DictReader(io.StringIO(sweep_data(MIXED, "csv"))))
    assert [row["feasible"] for row in rows] == ["false", "false", "false", "true", "true"]
    assert (rows[0]["overlap"], rows[0]["iterations"]) == ("", "0")
    assert [row["over"] for row in rows] == ["", "0", "3", "0", "0"]
    assert [float(row["tau"]) for row in rows] == [0.05, 0.101, 0.15, 0.2, 0.3]


def test_json_says_the_same_and_why() -> None:
    document = json.loads(sweep_data(MIXED, "json"))
    assert [each["reason"] for each in document["points"]] == [
        "under_mean", "runs_short", "over", None, None,
    ]  # fmt: skip
    assert document["points"][0]["gini"] is None
    assert document["points"][3]["gini"] == MIXED.points[3].measures.gini  # type: ignore[union-attr]
    assert document["settings"]["taus"] == [0.05, 0.101, 0.15, 0.2, 0.3]
    assert not {"length", "seed"} & set(document["settings"])


def test_a_name_cannot_act_on_the_terminal() -> None:
    text = sweep_summary(swept(point(0.2, 0.5), name="A\x1b[2J\nB"), PLAIN)
    assert "\x1b" not in text
    assert "A\\x1b[2J\\nB: 300 items" in text


def test_colour_marks_whether_any_cap_is_met() -> None:
    canvas = replace(PLAIN, colour=True)
    assert "\x1b[1;32mThe tightest cap" in sweep_summary(MIXED, canvas)
    assert "\x1b[1;31mNo cap" in sweep_summary(swept(point(0.05, None)), canvas)
