"""Several controls side by side, as a person and a program read them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_up_results import calibrated_rates, delivery, measures, pool

from shsim.model.comparison import Compared, ComparisonResult
from shsim.model.control import EVERY_CONTROL, Control
from shsim.model.results import Accuracy, Lengths, Uncontrolled
from shsim.model.settings import SimulationSettings
from shsim.report.canvas import Canvas
from shsim.report.comparison_data import headline, notes
from shsim.report.comparison_summary import comparison_summary
from shsim.report.render import comparison_data

PLAIN = Canvas(width=80, colour=False, blocks=True)
HEADER = (
    "control,max_exposure,over,unused,overlap,chi_square,gini,information,information_kept,"
    "proposals_per_test,forced_per_test,mean_length,bias,rmse,standard_error,correlation"
)
TENTHS = (0.1,) * 10
ACCURACY = Accuracy(
    n=20_000,
    bias=-0.00123,
    rmse=0.28765,
    standard_error=0.29111,
    correlation=0.95,
    bias_by_decile=TENTHS,
    rmse_by_decile=TENTHS,
    standard_error_by_decile=TENTHS,
    error_sd_by_decile=TENTHS,
)


def compared(spelling: str, *, held: bool, **changed: Any) -> Compared:
    rates = np.minimum(calibrated_rates(300), 0.199)
    if not held:
        rates[:3] = 0.5, 0.6, 0.75
    return Compared(Control.parse(spelling), measures(rates, **changed))


def result(*rows: Compared, name: str = "DEMO-EXAM", ability: Any = "true") -> ComparisonResult:
    settings = SimulationSettings(delivery=replace(delivery(), ability=ability), n=20_000)
    uncontrolled = Uncontrolled(20_000, 0.75, 100, 0.3, 30.0, 25.0, None)
    return ComparisonResult(pool(name=name), settings, rows, uncontrolled, 1.25)


TRUE = result(
    compared("none", held=False, information_kept=1.0),
    compared("sh", held=True, information_kept=0.75),
    compared("randomesque:5", held=False, information_kept=0.98),
    compared("eligibility", held=True, information_kept=0.8),
)
LENGTHS = Lengths(counts=((10, 5000), (30, 15_000)), median=30, p10=10, p90=30)
ESTIMATED = result(
    *(
        compared(
            control.spelling,
            held=control.kind != "none",
            accuracy=ACCURACY,
            lengths=LENGTHS,
            mean_length=25.0,
        )
        for control in EVERY_CONTROL
    ),
    ability="eap",
)


def lines(comparison: ComparisonResult, canvas: Canvas = PLAIN) -> list[str]:
    return comparison_summary(comparison, canvas, ["Wrote x.csv."]).splitlines()


def test_the_first_sentence_says_who_holds_the_cap_and_what_that_keeps() -> None:
    assert headline(TRUE) == (
        "2 of 4 controls hold the cap of 0.2; of the information without control eligibility"
        " keeps 80.0%, sh 75.0%."
    )
    assert headline(result(TRUE.compared[1])) == (
        "1 of 1 control holds the cap of 0.2; of the information without control sh keeps 75.0%."
    )
    assert headline(result(TRUE.compared[0])) == (
        "No control holds the cap of 0.2: the largest exposure is 0.7500 at least, under none."
    )
    assert headline(ESTIMATED).endswith(", ….")


def test_there_is_a_row_a_control() -> None:
    shown = {line.split()[0]: line.split()[1:] for line in lines(TRUE) if line}
    assert shown["control"] == ["largest", "over", "beyond", "unused", "overlap", "Gini", "kept"]
    none = TRUE.compared[0].measures
    assert shown["none"] == ["0.7500", "3", "3", str(none.unused), "17.2%", "0.682", "100.0%"]
    assert shown["eligibility"][-1] == "80.0%"
    assert list(shown).index("none") < list(shown).index("sh") < list(shown).index("randomesque:5")


@pytest.mark.parametrize(("width", "tables"), [(60, 2), (80, 2), (100, 1)])
def test_it_fits_its_width_in_few_tables(width: int, tables: int) -> None:
    for comparison in (TRUE, ESTIMATED):
        shown = lines(comparison, Canvas(width=width, colour=False, blocks=False))
        assert max(map(len, shown)) <= width
        assert all(line == line.rstrip() for line in shown)
    assert sum(line.startswith("control ") for line in shown) == tables
    heads = [line.split()[1:] for line in shown if line.startswith("control ")]
    assert [head for line in heads for head in line] == [
        "largest", "over", "beyond", "unused", "overlap", "Gini", "kept",
        "items", "RMSE", "bias", "SE",
    ]  # fmt: skip
    assert any("-0.0012  0.2911" in line for line in shown)


def test_forced_positions_are_told_where_there_are_any() -> None:
    assert not any("forced" in line for line in lines(TRUE))
    forced = compared("restricted", held=True, forced=300, forced_per_test=0.015)
    shown = lines(result(TRUE.compared[0], forced))
    (head,) = [line for line in shown if line.startswith("control")]
    assert head.endswith("forced")
    assert shown[shown.index(head) + 2].split()[::8] == ["restricted", "0.015"]


def test_the_notes_say_what_sh_goes_by() -> None:
    said = " ".join(notes(TRUE))
    assert "The k in force are all 1, so that sh is no control" in said
    assert "20,000 examinees, the same under each control. Seed 7" in said
    assert "SE:" not in said
    assert "SE: the mean standard error" in " ".join(notes(ESTIMATED))
    items = replace(TRUE.pool, k=np.full(300, 0.5))
    held = replace(TRUE, pool=items)
    assert "k in force" not in " ".join(notes(held))
    missed = replace(held, compared=(compared("sh", held=False),))
    assert "The k in force do not hold the cap: shsim calibrate finds" in " ".join(notes(missed))
    judge = f"Judge them in that test: shsim simulate --exam DEMO-EXAM {'--len 30 ' * 20}--tau 0.2"
    for_another = replace(missed, judge=judge)
    assert "shsim calibrate" not in " ".join(notes(for_another))
    assert judge in comparison_summary(for_another, PLAIN).splitlines()


def test_a_few_examinees_tell_of_no_control() -> None:
    few = replace(TRUE, compared=tuple(_judged(each, held=None) for each in TRUE.compared))
    assert headline(few) == (
        "Whether a control holds the cap of 0.2 can't be told: 100,000 examinees are too few to"
        " show an excess. Give more: --n 1000000"
    )
    assert "hides any excess" in " ".join(notes(few))
    some = replace(few, compared=(few.compared[0], TRUE.compared[0]))
    assert "can't be told" in headline(some)


def _judged(each: Compared, *, held: bool | None) -> Compared:
    return replace(each, measures=replace(each.measures, held=held))


def test_csv_has_the_agreed_columns() -> None:
    text = comparison_data(ESTIMATED, "csv")
    assert text.splitlines()[0] == HEADER
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["control"] for row in rows] == [control.spelling for control in EVERY_CONTROL]
    assert {(row["rmse"], row["mean_length"]) for row in rows} == {("0.28765", "25.0")}
    rows = list(csv.DictReader(io.StringIO(comparison_data(TRUE, "csv"))))
    assert {row[name] for row in rows for name in ("bias", "rmse", "correlation")} == {""}


def test_json_has_every_measure_and_what_all_share_once() -> None:
    document = json.loads(comparison_data(ESTIMATED, "json"))
    assert set(document) == {
        "command", "version", "exam", "run", "settings", "seed", "seconds", "uncontrolled",
        "comparison",
    }  # fmt: skip
    assert (document["command"], document["seed"], document["run"]) == ("simulate", 7, None)
    assert "control" not in document["settings"]
    assert document["uncontrolled"]["max_exposure"] == 0.75
    first = document["comparison"][0]
    assert (first["control"], first["held"]) == ("none", False)
    assert first["accuracy"]["rmse"] == 0.28765
    assert "uncontrolled" not in first


def test_a_name_cannot_act_on_the_terminal() -> None:
    text = comparison_summary(result(*TRUE.compared, name="A\x1b[2J\nB"), PLAIN)
    assert "\x1b" not in text
    assert "A\\x1b[2J\\nB: 300 items" in text


def test_colour_marks_the_verdicts() -> None:
    text = comparison_summary(TRUE, replace(PLAIN, colour=True))
    assert text.count("\x1b[31m") == 2
    assert text.count("\x1b[32m") == 2
    assert text.startswith("\x1b[1;32m2 of 4")
