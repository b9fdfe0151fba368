"""`shsim simulate` under other controls, and with several side by side."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from front_door import QUICK, Run
from storage.databases import item_rows

EVERY = ["none", "sh", "randomesque:5", "progressive", "restricted", "eligibility"]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def simulated(run: Run, *arguments: str) -> dict[str, Any]:
    ended = run("simulate", *QUICK, "--format", "json", *arguments)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_one_control_in_place_of_the_k_in_force(here: Run, demo: Sequence[str]) -> None:
    document = simulated(here, *demo, "--control", "restricted")
    assert document["settings"]["control"] == "restricted"
    assert document["verdict"]["held"]
    assert document["verdict"]["sentence"].startswith("Under restricted the cap of 0.2 is held")
    assert document["verification"]["max_exposure"] <= 0.2 + 1 / 2000
    ended = here("simulate", *demo, *QUICK, "--control", "randomesque:3", "--ability", "eap")
    page = " ".join(ended.out.split())
    assert page.startswith("Under randomesque:3 the cap of 0.2 is NOT held")
    assert "Leave --control out to see what the k in force do; --compare shows several." in page
    assert "ranked by EAP, control randomesque:3" in page
    assert "randomesque:3 no control" in page
    assert "item topic a b exposure" in page


def test_the_default_is_sh_and_none_goes_by_no_k(here: Run, demo: Sequence[str]) -> None:
    default, named = (simulated(here, *demo, *more) for more in ((), ("--control", "sh")))
    assert default["settings"]["control"] == named["settings"]["control"] == "sh"
    assert default["items"] == named["items"]
    none = simulated(here, *demo, "--control", "none")
    assert none["verdict"]["sentence"].startswith("Without control the cap of 0.2 is NOT held")
    assert none["verdict"]["reason"] == "control"
    assert none["verification"]["information_kept"] == 1


def test_every_control_side_by_side_as_a_process(process: Run, demo: Sequence[str]) -> None:
    before = item_rows(demo[1])
    ended = process("simulate", *demo, *QUICK, "--compare", "--ability", "eap")
    assert ended.code == 0, ended.err
    shown = ended.out.splitlines()
    assert max(map(len, shown)) <= 80
    assert shown[0].startswith("2 of 6 controls hold the cap of 0.2; of the information")
    heads = [i for i, line in enumerate(shown) if line.startswith("control ")]
    for head in heads:
        assert [line.split()[0] for line in shown[head + 1 : head + 7]] == EVERY
    assert len(heads) == 2
    assert "RMSE" in ended.out
    assert "2,000 examinees, the same under each control. Seed 1;" in ended.out
    assert item_rows(demo[1]) == before


def test_k_of_another_test_are_judged_in_theirs_and_not_replaced(
    here: Run, demo: Sequence[str]
) -> None:
    theirs = ("--rejection", "examinee", "--len", "10", "--iters", "3", "--verify-n", "2000")
    assert here("calibrate", *demo, *QUICK, *theirs).code == 0
    shown = here("simulate", *demo, *QUICK, "--len", "10", "--compare", "sh").out
    assert "do not hold the cap here: they were made for another test." in shown
    assert "shsim calibrate" not in shown
    (line,) = (line for line in shown.splitlines() if line.startswith("Judge them in that test:"))
    words = f"shsim simulate {demo[2]} {demo[3]} {demo[0]} {demo[1]} --tau 0.2 --len 10"
    assert f": {words} --rejection examinee" in line


def test_a_list_is_kept_in_its_order_and_each_row_is_a_simulation(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    file = tmp_path / "compared.json"
    chosen = ("--compare", "progressive,randomesque:2,none,progressive")
    ended = here("simulate", *demo, *QUICK, *chosen, "--format", "csv", "--output", str(file))
    assert ended.code == 0, ended.err
    rows = table(ended.out)
    assert [row["control"] for row in rows] == ["progressive", "randomesque:2", "none"]
    assert rows[2]["information_kept"] == "1.0"
    assert "No control holds the cap of 0.2" in ended.err
    assert "Wrote" in ended.err
    comparison = json.loads(file.read_text())["comparison"]
    alone = simulated(here, *demo, "--control", "randomesque:2")["verification"]
    del alone["uncontrolled"]
    assert comparison[1] == {"control": "randomesque:2", **alone}


def test_threads_do_not_change_a_comparison(here: Run, demo: Sequence[str]) -> None:
    run = ("simulate", *demo, *QUICK, "--compare", "--format", "csv", "--threads")
    assert here(*run, "1").out == here(*run, "3").out


def test_a_comparison_draws_fewer_examinees_unless_told(here: Run, demo: Sequence[str]) -> None:
    ended = here("simulate", *demo, "--seed", "1", "--compare", "none", "--format", "json")
    assert json.loads(ended.out)["settings"]["n"] == 20_000


def test_controls_can_be_set_elsewhere(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shsim.toml"
    file.write_text("[simulate]\ncontrol = 'progressive'\n")
    found = simulated(here, *demo, "--config", str(file))
    assert found["settings"]["control"] == "progressive"
    monkeypatch.setenv("SHSIM_COMPARE", "none,sh")
    assert [row["control"] for row in simulated(here, *demo)["comparison"]] == ["none", "sh"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--control", "sympson"),
            "control 'sympson' is not understood. Write one of: none, sh, randomesque:K,",
        ),
        (("--control", "randomesque"), "how many items to choose among"),
        (("--compare", "none,foo"), "'--compare': control 'foo' is not understood"),
        (("--compare", "none,,sh"), "control '' is not understood"),
        (("--method", "exact", "--control", "progressive"), "takes --control none or sh"),
        (("--compare", "--control", "sh"), "--compare shows several controls and --control one"),
        (("--compare", "--method", "exact"), "Leave --method exact out"),
        (("--compare", "--nodes", "50"), "--nodes is for --method exact"),
    ],
)
def test_what_is_refused(
    here: Run, demo: Sequence[str], arguments: tuple[str, ...], words: str
) -> None:
    ended = here("simulate", *demo, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_exact_takes_no_control(here: Run, demo: Sequence[str]) -> None:
    exact = ("simulate", *demo, "--method", "exact", "--nodes", "100", "--format", "json")
    ended = here(*exact, "--control", "none")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["verification"]["information_kept"] == pytest.approx(1)
