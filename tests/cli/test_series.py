"""Several values in one option: exact decimals, the stop included, nothing endless."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from front_door import Run

from shsim.cli.series import Series

TAUS = Series(whole=False, example="0.10:0.30:0.02")
LENGTHS = Series(whole=True, example="20:40:5")


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("0.10:0.30:0.02", (0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3)),
        ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("0.1:0.35:0.1", (0.1, 0.2, 0.3)),
        ("0.1:0.1:0.1", (0.1,)),
        ("0:1:0.3333333333333", (0.0, 0.3333333333333, 0.6666666666666, 1.0)),
        ("0.2, 0.1,0.2,1e-1", (0.2, 0.1)),
        (".5,0.1:0.2:0.1", (0.5, 0.1, 0.2)),
        (0.25, (0.25,)),
        ([0.1, 0.3], (0.1, 0.3)),
    ],
)
def test_values(written: str | float | list[float], values: tuple[float, ...]) -> None:
    assert TAUS.convert(written, None, None) == values


def test_a_range_gives_what_its_decimals_say() -> None:
    assert TAUS.convert("0.001:1:0.001", None, None) == tuple(
        float(f"0.{i:03}") if i < 1000 else 1.0 for i in range(1, 1001)
    )


def test_whole_numbers_are_int() -> None:
    found = LENGTHS.convert("20:40:10,5", None, None)
    assert found == (20, 30, 40, 5)
    assert {type(value) for value in found} == {int}


@pytest.mark.parametrize(
    ("series", "written", "words"),
    [
        (TAUS, "0.1:0.3", "'0.1:0.3' is not START:STOP:STEP"),
        (TAUS, "0.1:0.2:0.3:0.4", "is not START:STOP:STEP"),
        (TAUS, "0.1:0.3:0", "never ends"),
        (TAUS, "0.3:0.1:-0.1", "never ends"),
        (TAUS, "0.3:0.1:0.1", "is empty"),
        (TAUS, "0:1:0.001", "more than 1,000 values"),
        (TAUS, "0:1:1e-99", "more than 1,000 values"),
        (TAUS, "0:0.7:0.001,1:1.7:0.001", "more than 1,000 values"),
        (TAUS, "", "'' is not a number"),
        (TAUS, "0.1,,0.2", "'' is not a number"),
        (TAUS, "nan", "'nan' is not a number"),
        (TAUS, "0.1:inf:0.1", "'inf' in '0.1:inf:0.1' is not a number"),
        (TAUS, "1_0", "is not a number"),
        (TAUS, "\u0661", "is not a number"),
        (TAUS, "1" * 30, "is not a number"),
        (LENGTHS, "20.5", "'20.5' is not a whole number"),
        (LENGTHS, "20:30:2.5", "'2.5' is not a whole number"),
    ],
)
def test_what_is_no_series_is_refused_with_the_remedy(
    series: Series, written: str, words: str
) -> None:
    with pytest.raises(click.BadParameter) as caught:
        series.convert(written, None, None)
    assert words in caught.value.message
    assert f"START:STOP:STEP ({series.example})" in caught.value.message


def test_a_bad_range_ends_with_2(here: Run) -> None:
    ended = here("sweep", "--tau", "0.1:0.3:0")
    assert (ended.code, ended.out) == (2, "")
    assert "its step must be over 0" in ended.err


def test_a_file_may_hold_numbers_lists_and_ranges(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    file = tmp_path / "shsim.toml"
    quick = ("--nodes", "20", "--iters", "2", "--format", "json", "--config", str(file))

    def swept(text: str) -> tuple[list[float], list[int]]:
        file.write_text(text)
        ended = here("sweep", *demo, *quick)
        assert ended.code == 0, ended.err
        taken = json.loads(ended.out)["settings"]
        return taken["taus"], taken["lengths"]

    assert swept("tau = 0.25\nlen = 20") == ([0.25], [20])
    assert swept("tau = 0.25\n[sweep]\ntau = [0.2, 0.3]\nlen = '20:30:10'") == (
        [0.2, 0.3], [20, 30],
    )  # fmt: skip
    file.write_text("tau = true\nlen = []")
    ended = here("sweep", *demo, *quick)
    assert ended.code == 2
    assert "tau = True is not a number, a list of numbers or a range" in ended.err
    assert "len = [] is not" in ended.err
