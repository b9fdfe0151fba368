"""Calibrating and simulating the test that is delivered: what is saved, shown and refused."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from front_door import MISSED_CALIBRATION, QUICK, Run, command

EAP = ("--ability", "eap")
CALIBRATED = (
    "question_id,version,topic_id,a,b,c,sh_p_before,sh_p,seen,proposed,"
    "exposure_rate,exposure_low,exposure_high,flag"
)
#: What it finds is of no account but where iterations are added.
FEW = (*MISSED_CALIBRATION, "--verify-n", "4000", "--nodes", "200")
QUICK_EAP = ("calibrate", *FEW, *EAP)
ACCURACY = {
    "n", "bias", "rmse", "standard_error", "correlation", "bias_by_decile", "rmse_by_decile",
    "standard_error_by_decile", "error_sd_by_decile",
}  # fmt: skip


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def joined(text: str) -> str:
    return " ".join(text.split())


def document(run: Run, *arguments: str) -> dict[str, Any]:
    ended = run(*arguments, "--format", "json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def figures(table: str) -> dict[str, list[str]]:
    """The lines of the summary's table by their labels."""
    return {line[:26].strip(): line[26:].split() for line in table.splitlines()}


def test_a_calibration_is_saved_and_the_next_one_starts_from_it(
    here: Run, demo: Sequence[str]
) -> None:
    run = (*QUICK_EAP, *demo, "--iters", "12")
    first = here(*run)
    assert first.code == 0, first.err
    assert "480 k changed" in joined(first.out)
    assert "ranked by EAP" in joined(first.out)
    assert "starting from the exact solution at the true theta." in joined(first.out)
    stored = {row["question_id"]: float(row["sh_p"]) for row in rows(here("export", *demo).out)}
    assert min(stored.values()) < 0.1
    again = document(here, *run)
    assert again["origin"] == "in_force"
    assert {str(i["question_id"]): i["sh_p_before"] for i in again["items"]} == stored
    assert again["before"]["max_exposure"] < 1.25 * 0.2


def test_json_has_accuracy_and_the_same_without_control(here: Run, demo: Sequence[str]) -> None:
    found = document(here, *QUICK_EAP, *demo, "--dry-run")
    for measures in (found["before"], found["verification"]):
        assert set(measures["accuracy"]) == ACCURACY
        assert 0.18 < measures["accuracy"]["rmse"] < 0.23
        assert measures["accuracy"]["correlation"] > 0.97
        for name, value in measures["accuracy"].items():
            assert not name.endswith("_by_decile") or len(value) == 10
        assert measures["mean_length"] == 30
        assert measures["lengths"] is None
    verified = found["verification"]
    free = verified["uncontrolled"]
    assert set(free) == {
        "n", "max_exposure", "unused", "overlap", "mean_length", "information", "accuracy",
    }  # fmt: skip
    assert free["max_exposure"] == 1.0
    assert free["overlap"] > verified["overlap"] + 0.1
    assert free["accuracy"]["rmse"] < verified["accuracy"]["rmse"]
    assert verified["information_kept"] == pytest.approx(
        verified["information"] / free["information"]
    )
    assert found["when_estimated"] is None
    assert found["reasons"] is None
    assert found["settings"]["ability"] == "eap"


def test_json_has_the_lengths_of_tests_that_end_by_their_error(
    here: Run, demo: Sequence[str]
) -> None:
    asked = ("--se-stop", "0.4", "--min-len", "4", "--max-len", "25")
    verified = document(here, "simulate", *demo, *QUICK, *EAP, *asked)["verification"]
    lengths = verified["lengths"]
    assert sum(tests for _, tests in lengths["counts"]) == 2000
    assert all(4 <= length <= 25 for length, _ in lengths["counts"])
    mean = sum(length * tests for length, tests in lengths["counts"]) / 2000
    assert verified["mean_length"] == pytest.approx(mean)
    assert lengths["p10"] <= lengths["median"] <= lengths["p90"]
    shown = joined(here("simulate", *demo, *QUICK, *EAP, *asked).out)
    assert f"items a test {mean:.2f}" in shown
    assert f"Half of the tests had at most {lengths['median']} items" in shown
    assert "4 to 25 a test" in shown


def test_csv_has_the_agreed_columns_and_accuracy_is_said(here: Run, demo: Sequence[str]) -> None:
    ended = here(*QUICK_EAP, *demo, "--dry-run", "--format", "csv")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[0] == CALIBRATED
    found = document(here, *QUICK_EAP, *demo, "--dry-run")["verification"]
    without = found["uncontrolled"]["accuracy"]["rmse"]
    assert (
        f"Ability is estimated with an RMSE of {found['accuracy']['rmse']:.4f}"
        f" (without control {without:.4f})"
    ) in ended.err
    simulated = here("simulate", *demo, *QUICK, *EAP, "--format", "csv")
    assert simulated.out.splitlines()[0] == CALIBRATED.replace("sh_p_before,", "")
    assert simulated.err.count("Ability is estimated with an RMSE of") == 1
    true = here("simulate", *demo, *QUICK, "--format", "csv")
    assert true.out.splitlines()[0] == simulated.out.splitlines()[0]
    assert "Ability is estimated" not in true.err


def test_the_table_shows_the_same_test_without_control(here: Run, demo: Sequence[str]) -> None:
    ended = here(*QUICK_EAP, *demo, "--dry-run")
    assert max(map(len, ended.out.splitlines())) <= 80
    (head,) = [line for line in ended.out.splitlines() if line.endswith("no control")]
    assert head.split() == ["before", "after", "no", "control"]
    found = document(here, *QUICK_EAP, *demo, "--dry-run")
    before, after = found["before"], found["verification"]
    free, shown = after["uncontrolled"], figures(ended.out)
    assert shown["largest exposure rate"] == [
        f"{each['max_exposure']:.4f}" for each in (before, after, free)
    ]
    assert shown["RMSE of the estimate"] == [
        f"{each['accuracy']['rmse']:.4f}" for each in (before, after, free)
    ]
    assert shown["correlation with theta"] == [
        f"{each['accuracy']['correlation']:.4f}" for each in (before, after, free)
    ]
    assert shown["information kept"][1:] == [f"{after['information_kept']:.1%}", "100.0%"]
    simulated = here("simulate", *demo, *QUICK, *EAP).out
    assert "in force  no control" in simulated
    assert len(figures(simulated)["RMSE of the estimate"]) == 2
    assert "no control" not in here("simulate", *demo, *QUICK).out


def test_a_dry_run_writes_nothing(here: Run, demo: Sequence[str], demo_file: Path) -> None:
    before = digest(demo_file)
    demo_file.chmod(0o444)
    listed = sorted(path.name for path in demo_file.parent.iterdir())
    assert here(*QUICK_EAP, *demo, "--dry-run").code == 0
    assert here("simulate", *demo, *QUICK, *EAP, "--dry-run").code == 0
    assert digest(demo_file) == before
    assert sorted(path.name for path in demo_file.parent.iterdir()) == listed


def test_a_cap_that_must_be_held_and_is_not_ends_with_5(
    here: Run, demo: Sequence[str], demo_file: Path, tmp_path: Path
) -> None:
    before, file = here("export", *demo).out, tmp_path / "k.csv"
    ended = here(*QUICK_EAP, *demo, "--floor", "0.3", "--require-cap", "--output", str(file))
    assert ended.code == 5
    assert ended.out.startswith("The cap of 0.2 is NOT held")
    assert "The floor keeps them there." in joined(ended.err)
    assert "Nothing was saved, as --require-cap asks" in ended.err
    assert here("export", *demo).out == before
    assert not file.exists()


@pytest.mark.parametrize("content", [None, "[topics.1]\nleast = 4\n"], ids=["free", "blueprint"])
def test_a_table_for_the_true_theta_is_said_to_miss_the_cap_in_an_eap_test(
    here: Run, demo: Sequence[str], tmp_path: Path, content: str | None
) -> None:
    blueprint: tuple[str, ...] = ()
    if content is not None:
        (tmp_path / "content.toml").write_text(content)
        blueprint = ("--blueprint", str(tmp_path / "content.toml"))
    asked = ("calibrate", *demo, "--dry-run", *FEW, "--verify-n", "8000", "--iters", "8")
    asked = (*asked, *blueprint)
    rate = document(here, *asked)["when_estimated"]
    assert rate > 1.2 * 0.2
    sentence = (
        f"In a test that ranks by an EAP estimate this table's largest exposure is {rate:.2f},"
        f" {rate / 0.2:.2f} times the cap. If yours does, calibrate for it: --ability eap"
    )
    shown = here(*asked)
    assert joined(shown.out).endswith(f"{sentence} Nothing was saved: a dry run.")
    told = here(*asked, "--format", "csv")
    assert f"shsim: {sentence}\n" in told.err
    # What it says is so.
    pool = tmp_path / "k.csv"
    pool.write_text(told.out)
    used = ("--pool", str(pool), "--n", "8000", "--seed", "7", *EAP, *blueprint)
    measures = document(here, "simulate", *used)["verification"]
    assert measures["max_exposure"] == pytest.approx(rate, rel=0.08)


def test_same_seed_same_bytes_whatever_the_threads(here: Run, demo: Sequence[str]) -> None:
    for run in (
        (*QUICK_EAP, *demo, "--dry-run"),
        ("simulate", *demo, *QUICK, *EAP, "--rejection", "examinee", "--se-stop", "0.4"),
    ):
        one = here(*run, "--format", "csv", "--threads", "1")
        two = here(*run, "--format", "csv", "--threads", "2")
        assert one.code == 0, one.err
        assert one.out == two.out
        accuracy = re.findall("Ability is estimated.*", one.err)
        assert len(accuracy) == 1
        assert accuracy == re.findall("Ability is estimated.*", two.err)


BLUEPRINTS: Sequence[tuple[str, tuple[str, ...], str]] = (
    ("[topics.1]\nleast = 5\nmost = 4\n", (), "topic 1: least 5 and most 4 leave nothing"),
    ("".join(f"[topics.{i}]\nleast = 11\n" for i in (1, 2, 3)), (), "(1: 11, 2: 11, 3: 11), and"),
    ("[topics.9]\nmost = 3\n", (), "topic 9 has no item in the pool of DEMO-EXAM"),
    ("[topics.none]\nleast = 1\n", (), "topic none has no item in the pool of DEMO-EXAM"),
    ("[topics.1]\nleast = 61\n", ("--len", "70"), "topic 1 needs 61 items a test and the pool"),
    ("".join(f"[topics.{i}]\nmost = 3\n" for i in range(1, 9)), (), "the topics give 24 items"),
    ("[topics.1]\nleast = 13\n", (), "topic 1 must give 13 of its 60 items to every test"),
    ("".join(f"[topics.{i}]\nmost = 1\n" for i in range(1, 8)), (), "under it the topics, with"),
)


@pytest.mark.parametrize(("content", "options", "words"), BLUEPRINTS)
def test_an_impossible_blueprint_is_refused_before_the_run_by_its_topics(
    here: Run,
    demo: Sequence[str],
    demo_file: Path,
    tmp_path: Path,
    content: str,
    options: tuple[str, ...],
    words: str,
) -> None:
    blueprint, file = tmp_path / "content.toml", tmp_path / "k.csv"
    blueprint.write_text(content)
    before = digest(demo_file)
    for ability in ("true", "eap"):
        ended = here(
            "calibrate", *demo, "--ability", ability, "--blueprint", str(blueprint), "--seed", "1",
            "--output", str(file), *options,
        )  # fmt: skip
        assert (ended.code, ended.out) == (3, "")
        (said,) = [line for line in ended.err.splitlines() if "database" not in line]
        assert words in said
        assert said.startswith(("shsim: --tau 0.2 cannot be met: ", f"shsim: {blueprint}: "))
    assert digest(demo_file) == before
    assert not file.exists()


def test_a_cap_that_is_said_to_be_possible_with_a_blueprint_is_taken(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    blueprint = tmp_path / "content.toml"
    blueprint.write_text("[topics.1]\nleast = 13\n")
    refused = here(*QUICK_EAP, *demo, "--dry-run", "--blueprint", str(blueprint))
    smallest = refused.err.split("Give a --tau of at least ")[1].split(",")[0]
    assert smallest == "0.2167"
    taken = here(
        *QUICK_EAP, *demo, "--dry-run", "--blueprint", str(blueprint), "--tau", smallest
    )  # fmt: skip
    assert taken.code == 0, taken.err


def test_an_interrupt_leaves_the_k_as_they_were(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    assert here(*QUICK_EAP, *demo).code == 0
    before = here("export", *demo).out
    endless = ("--n", "200000", "--iters", "10000", "--verify-n", "1000", "--nodes", "200")
    child = subprocess.Popen(
        command("calibrate", *demo, *EAP, *endless, "--output", str(tmp_path / "k.csv")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell may have started the tests with SIGINT ignored, which a child inherits.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert child.stderr is not None
    said = ""
    while "repeats this run" not in said:
        said = child.stderr.readline()
        assert said, "it ended by itself"
    time.sleep(2)  # into the iterations, whose number cannot be reached
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "shsim: interrupted; nothing was saved"
    assert "Traceback" not in err
    assert here("export", *demo).out == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["qbank.sqlite"]


def test_json_of_a_process_has_stdout_to_itself(process: Run, demo: Sequence[str]) -> None:
    ended = process(*QUICK_EAP, *demo, "--format", "json")
    assert ended.code == 0, ended.err
    assert len(json.loads(ended.out)["items"]) == 480
    assert "480 k changed" in ended.err
    assert "Ability is estimated with an RMSE of" in ended.err
    assert all(line.startswith("shsim: ") for line in ended.err.splitlines())
