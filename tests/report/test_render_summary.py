"""The summary that a person reads."""

from __future__ import annotations

import re

import numpy as np
import pytest
from made_up_results import calibrated_rates, calibration, simulation

from shsim.report.canvas import Canvas
from shsim.report.columns import Result
from shsim.report.histogram import Pen, exposure_bars, histogram
from shsim.report.plain_text import visible, visible_line
from shsim.report.summary import summary_text

PLAIN = Canvas(width=80, colour=False, blocks=True)


def lines(result: Result, canvas: Canvas = PLAIN) -> list[str]:
    return summary_text(result, canvas, ["Saved 3 k."]).splitlines()


def test_the_first_line_says_whether_the_cap_is_held() -> None:
    assert lines(calibration())[0].startswith("The cap of 0.2 is held")
    missed = lines(calibration(held=False))
    assert missed[0].startswith("The cap of 0.2 is NOT held")
    assert missed[1] == "The floor holds them up: type --floor 0.001."
    assert lines(simulation())[1].startswith("Run: shsim calibrate")


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("blocks", [True, False])
def test_it_fits_its_width(width: int, *, blocks: bool) -> None:
    canvas = Canvas(width=width, colour=False, blocks=blocks)
    for result in (calibration(), calibration(held=False), simulation()):
        shown = lines(result, canvas)
        assert max(map(len, shown)) <= width
        assert not any(line != line.rstrip() for line in shown)
        if not blocks:
            "\n".join(shown).encode("ascii")


def test_before_stands_beside_after() -> None:
    result = calibration()
    shown = {line[:26].strip(): line[26:].split() for line in lines(result)}
    assert shown["largest exposure rate"] == [
        f"{result.before.max_exposure:.4f}", f"{result.measures.max_exposure:.4f}",
    ]  # fmt: skip
    assert shown["overlap of two tests"] == ["26.5%", "17.2%"]
    assert shown["items over the cap"] == [str(result.before.over), str(result.measures.over)]
    assert shown["information kept"] == ["100.0%", "96.1%"]


def test_the_most_restrained_items_are_listed_in_order() -> None:
    result = calibration()
    shown = lines(result)
    start = shown.index("Most restrained items")
    listed = [line.split()[0] for line in shown[start + 2 : start + 10]]
    assert listed == [result.pool.item(i) for i in np.argsort(result.k, kind="stable")[:8].tolist()]
    assert "0.0010 floor" in shown[start + 2]


def test_a_pool_without_restraint_says_so() -> None:
    result = calibration()
    free = type(result)(
        **{name: getattr(result, name) for name in result.__dataclass_fields__ if name != "k"},
        k=np.ones(300),
    )
    assert "No item needs restraint: every k is 1." in lines(free)


def test_why_it_stopped_the_seed_and_what_was_saved_end_it() -> None:
    shown = lines(calibration())
    assert "Stopped after 24 of at most" in shown[-4]
    assert shown[-2:] == ["Seed 7; 0.42 s.", "Saved 3 k."]
    missed = lines(calibration(held=False))
    assert any(line.endswith("before the rates had settled.") for line in missed)


def test_a_name_cannot_act_on_the_terminal_nor_forge_a_line() -> None:
    text = summary_text(calibration(name="A\x1b[2J\nThe cap is held[red]"), PLAIN)
    assert "\x1b" not in text
    assert "A\\x1b[2J\\nThe cap is held[red]: 300 items" in text


def test_colour_only_where_it_is_wanted() -> None:
    coloured = summary_text(calibration(), Canvas(width=80, colour=True, blocks=True))
    assert "\x1b[1;32mThe cap of 0.2 is held" in coloured
    assert (
        re.sub(r"\x1b\[[0-9;]*m", "", coloured).split()
        == "\n".join(lines(calibration())[:-1]).split()
    )


@pytest.mark.parametrize("tau", [0.05, 0.1, 0.2, 0.25, 1 / 3, 1.0])
@pytest.mark.parametrize("largest", [0.01, 0.2, 0.205, 0.48, 1.0])
def test_bars_count_every_item_once_and_part_at_the_cap(tau: float, largest: float) -> None:
    rates = np.append(calibrated_rates(500) / 0.2 * largest, [0.0, tau, largest]).clip(0, 1)
    bars = exposure_bars(rates, tau)
    assert sum(bar.count for bar in bars) == len(rates)
    assert bars[0].count == np.count_nonzero(rates == 0)
    assert len(bars) <= 16
    under = [bar for bar in bars if bar.high <= tau * (1 + 1e-9)]
    assert under[-1].high == pytest.approx(tau)
    assert sum(bar.count for bar in under) == np.count_nonzero(rates <= tau * (1 + 1e-12))
    assert bars[-1].high >= rates.max()


def test_a_count_that_divides_to_the_cap_is_not_over_it() -> None:
    n = 30_000
    bars = exposure_bars(np.array([6_000 / n, 6_001 / n]), 0.2)
    assert [bar.count for bar in bars[-2:]] == [1, 1]


def test_bars_are_as_long_as_their_counts() -> None:
    rates = np.repeat([0.01, 0.05, 0.19], [40, 20, 1])
    drawn = [str(line) for line in histogram(rates, 0.2, Pen(width=80, blocks=True))]
    lengths = {line.split()[-1]: line.count("█") for line in drawn}
    assert lengths["40"] == pytest.approx(2 * lengths["20"], abs=2)
    assert any(line.split()[-2][-1] in "▏▎▍▌▋▊▉" for line in drawn if line.endswith(" 1"))
    assert sum("cap 0.2 ┄" in line for line in drawn) == 1
    ascii_drawn = [str(line) for line in histogram(rates, 0.2, Pen(width=80, blocks=False))]
    assert max(line.count("#") for line in ascii_drawn) == pytest.approx(lengths["40"], abs=1)


def test_visible() -> None:
    assert visible("a\x1b[1m\r\tb\x9b\u202e\ud800\nc é") == (
        "a\\x1b[1m\\x0d\\x09b\\x9b\\u202e\\ud800\nc é"
    )
    assert visible_line("a\nb") == "a\\nb"


def test_a_narrow_window_goes_without_the_bounds() -> None:
    for result in (calibration(), simulation()):
        narrow = lines(result, Canvas(width=60, colour=False, blocks=True))
        head = next(line for line in narrow if line.startswith("item "))
        assert head.endswith("exposure")
        rows = [line for line in narrow if re.match(r"\d+/\d+ ", line)]
        assert len(rows) == 8
        assert all(re.search(r" \d\.\d{4}$", row) for row in rows)
        assert any(line.endswith("95 % bounds") for line in lines(result, PLAIN))
