"""Reasons, where a run misses its cap or is asked to explain itself."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from front_door import QUICK_CALIBRATION, Run

EXACT = ("--method", "exact", "--nodes", "200", "--verify-n", "20000", "--seed", "1")


def test_a_cap_that_is_held_is_explained_on_request_only(here: Run, demo: Sequence[str]) -> None:
    run = ("calibrate", *demo, "--dry-run", *EXACT)
    assert "What the cap costs" not in here(*run).out
    ended = here(*run, "--explain")
    assert ended.code == 0
    assert "What the cap costs" in ended.out
    assert "meets caps down to 0.06" in " ".join(ended.out.split())
    assert max(map(len, ended.out.splitlines())) <= 80


def test_a_floor_that_misses_the_cap_is_explained_unasked(here: Run, demo: Sequence[str]) -> None:
    run = ("calibrate", *demo, "--dry-run", *EXACT, "--floor", "0.05")
    missed = json.loads(here(*run, "--format", "json").out)
    assert missed["verdict"]["reason"] == "floor"
    reasons = missed["reasons"]
    assert reasons["held_by_floor"]
    over = {f"{i['question_id']}/{i['version']}" for i in missed["items"] if "over" in i["flag"]}
    assert over <= set(reasons["held_by_floor"])
    assert 0.01 < reasons["largest_floor"] < 0.05
    assert len(reasons["price_by_decile"]) == 10
    shown = here(*run).out
    assert "The floor of 0.05 holds over the cap: " in shown
    # The floor that is named as the largest does hold the cap.
    largest = shown.split("The largest floor that meets 0.2 is ")[1].split()[0].rstrip(".")
    assert here("calibrate", *demo, "--dry-run", *EXACT, "--floor", largest).code == 0
    held = here("calibrate", *demo, *EXACT, "--dry-run", "--require-cap", "--floor", largest)
    assert held.code == 0


def test_the_smallest_cap_that_is_named_is_met(here: Run, demo: Sequence[str]) -> None:
    smallest = json.loads(
        here("calibrate", *demo, "--dry-run", *EXACT, "--explain", "--format", "json").out
    )["reasons"]["smallest_tau"]
    swept = ("sweep", *demo, "--nodes", "200", "--format", "json", "--tau", f"{smallest:.6f}")
    (point,) = json.loads(here(*swept).out)["points"]
    assert point["feasible"] is True


def test_simulate_has_no_reasons(here: Run, demo: Sequence[str]) -> None:
    ended = here("simulate", *demo, "--n", "2000", "--seed", "1", "--format", "json")
    assert json.loads(ended.out)["reasons"] is None
    held = here("calibrate", *demo, "--dry-run", *QUICK_CALIBRATION, "--tau", "1",
                "--format", "json")  # fmt: skip
    assert json.loads(held.out)["reasons"] is None


def test_the_remedy_of_a_missed_cap_can_be_pasted(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my pool.csv").write_text(here("export", *demo).out)
    test = ("--len", "12", "--n", "20000", "--seed", "1", "--format", "json")
    for source in (demo, ("--pool", "my pool.csv")):
        missed = json.loads(here("simulate", *source, *test).out)["verdict"]
        assert missed["held"] is False
        label, program, *arguments = shlex.split(missed["remedy"])
        assert (label, program) == ("Calibrate:", "shsim")
        ended = here(*arguments, "--iters", "30")
        assert ended.code == 0, ended.err
        assert "The cap of 0.2 is held" in ended.out
    monkeypatch.setenv("SHSIM_DSN", demo[1])
    lines = here("simulate", *demo[2:], *test[:-2], "--tau", "0.1").out.splitlines()
    (line,) = [line for line in lines if line.startswith("Calibrate: ")]
    assert line.startswith("Calibrate: shsim calibrate --exam DEMO-EXAM --tau 0.1 --len 12 ")
    assert here(*shlex.split(line)[2:], "--dry-run").code == 0


@pytest.mark.parametrize("program", ["calibrate", "simulate", "trace"])
def test_the_seed_of_a_run_that_is_refused_is_not_told(
    here: Run, demo: Sequence[str], program: str
) -> None:
    refused = here(program, *demo[:2], "--exam", "NONE")
    assert refused.code == 3
    assert "repeats this run" not in refused.err
    few = ("--tests", "1") if program == "trace" else ("--n", "100")
    assert "repeats this run" in here(program, *demo, *few).err
