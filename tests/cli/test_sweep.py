"""`shsim sweep` as an operator runs it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from front_door import Run

HEADER = (
    "tau,feasible,max_exposure,over,overlap,chi_square,unused,information,information_kept,"
    "iterations,len"
)
QUICK = ("--nodes", "200")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_sweep_as_a_process(process: Run, demo: Sequence[str], demo_file: Path) -> None:
    before = hashlib.sha256(demo_file.read_bytes()).hexdigest()
    ended = process("sweep", *demo, *QUICK, "--tau", "0.05,0.2:0.3:0.1")
    assert ended.code == 0, ended.err
    assert " ".join(ended.out.split()).startswith(
        "The tightest cap of the sweep that is met is 0.2: it keeps 8"
    )
    assert "1 of 3 caps is not met." in " ".join(ended.out.split())
    assert "under L/N = 0.0625" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "seed" not in ended.err
    assert "iteration" not in ended.err
    assert hashlib.sha256(demo_file.read_bytes()).hexdigest() == before


def test_csv_has_the_agreed_columns_and_empty_fields(here: Run, demo: Sequence[str]) -> None:
    ended = here("sweep", *demo, *QUICK, "--tau", "0.05,0.3", "--format", "csv")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == HEADER
    refused, met = table(ended.out)
    assert (refused["tau"], refused["feasible"], refused["len"]) == ("0.05", "false", "30")
    empty = HEADER.split(",")[2:9]
    assert {refused[name] for name in empty} == {""}
    assert (met["tau"], met["feasible"], met["over"]) == ("0.3", "true", "0")
    assert float(met["max_exposure"]) == pytest.approx(0.3, rel=1e-3)
    assert 0.9 < float(met["information_kept"]) < 1
    assert "tightest cap of the sweep that is met is 0.3" in ended.err


def test_information_grows_with_the_cap_and_lengths_stand_in_order(
    here: Run, demo: Sequence[str]
) -> None:
    swept = (*QUICK, "--tau", "0.3,0.15", "--len", "20,10", "--format", "csv")
    found = table(here("sweep", *demo, *swept).out)
    assert [(row["len"], row["tau"]) for row in found] == [
        ("20", "0.3"), ("20", "0.15"), ("10", "0.3"), ("10", "0.15"),
    ]  # fmt: skip
    information = [float(row["information"]) for row in found]
    assert information[0] > information[1] > information[3]
    assert information[0] > information[2] > information[3]


def test_json_and_the_file_hold_every_measure(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    file = tmp_path / "sweep.json"
    swept = (*QUICK, "--tau", "0.05,0.2", "--floor", "0.05")
    ended = here("sweep", *demo, *swept, "--output", str(file))
    assert ended.code == 0
    assert "Wrote" in ended.out
    document = json.loads(file.read_text())
    assert set(document) == {
        "command", "version", "exam", "run", "settings", "seconds", "points",
    }  # fmt: skip
    assert (document["command"], document["exam"], document["run"]) == ("sweep", "DEMO-EXAM", None)
    assert "seed" not in document["settings"]
    refused, missed = document["points"]
    assert ",".join(refused).startswith(HEADER)
    assert set(refused) == set(missed)
    assert (refused["feasible"], refused["reason"], refused["overlap"]) == (
        False, "under_mean", None,
    )  # fmt: skip
    assert (missed["feasible"], missed["reason"]) == (False, "over")
    assert missed["max_exposure"] > 0.2
    assert missed["over"] == missed["over_beyond_noise"] > 0
    assert len(missed["max_by_decile"]) == 10
    assert ended.out.startswith("No cap of the sweep is met.")
    assert "lower --floor" in ended.out


def test_a_point_is_what_calibrate_finds(here: Run, demo: Sequence[str], tmp_path: Path) -> None:
    (point,) = table(here("sweep", *demo, *QUICK, "--tau", "0.2", "--format", "csv").out)
    file = tmp_path / "k.csv"
    exact = ("--method", "exact", "--target", "1", *QUICK, "--verify-n", "20000", "--seed", "1")
    assert here("calibrate", *demo, "--dry-run", *exact, "--output", str(file)).code == 0
    judged = here(
        "simulate", "--pool", str(file), "--method", "exact", *QUICK, "--format", "json"
    )  # fmt: skip
    measures = json.loads(judged.out)["verification"]
    for name in ("max_exposure", "overlap", "chi_square", "information", "information_kept"):
        assert measures[name] == pytest.approx(float(point[name]), rel=1e-3)


def test_nothing_is_made_where_there_is_no_database(here: Run, tmp_path: Path) -> None:
    ended = here("sweep", *QUICK, "--tau", "0.3", "--quiet", "--format", "csv")
    assert (ended.code, ended.err) == (0, "")
    assert not (tmp_path / "data").exists()


def test_a_sweep_of_too_many_points_is_refused(here: Run, demo: Sequence[str]) -> None:
    ended = here("sweep", *demo, "--tau", "0.1:0.3:0.001", "--len", "10:20:1")
    assert (ended.code, ended.out) == (2, "")
    assert "2,211 points, and 1,000 are the most" in ended.err


def test_threads_do_not_change_a_sweep(here: Run, demo: Sequence[str]) -> None:
    swept = ("sweep", *demo, *QUICK, "--tau", "0.2,0.3", "--format", "csv")
    assert here(*swept, "--threads", "1").out == here(*swept, "--threads", "3").out


def test_a_blueprint_of_the_environment_is_said_to_be_left_aside(
    here: Run, demo: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHSIM_BLUEPRINT", "content.toml")
    ended = here("sweep", *demo, "--tau", "0.2", "--nodes", "100", "--quiet")
    assert ended.code == 0
    assert "SHSIM_BLUEPRINT is left aside" in ended.err


@pytest.mark.parametrize("table", ["", "[calibrate]\n"])
def test_a_blueprint_of_the_configuration_is_said_to_be_left_aside(
    here: Run, demo: Sequence[str], tmp_path: Path, table: str
) -> None:
    config = tmp_path / "shsim.toml"
    config.write_text(f'{table}blueprint = "content.toml"\n')
    ended = here(
        "sweep", *demo, "--tau", "0.2", "--nodes", "100", "--quiet", "--config", str(config)
    )
    assert ended.code == 0
    said = "a sweep has no blueprint: the blueprint of --config is left aside" in ended.err
    assert said == (table == "")  # another command's own is none of a sweep's affair
