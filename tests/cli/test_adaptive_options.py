"""Estimated ability, stopping and content: what reaches a run, and what is refused before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from front_door import QUICK, QUICK_CALIBRATION, Run

EAP = ("--ability", "eap")
CONTENT = "[topics.1]\nleast = 2\n[topics.2]\nmost = 3\n"
AS_JSON = {"1": {"least": 2, "most": None}, "2": {"least": 0, "most": 3}}

#: Every option, the value typed, the setting and its value, and what it cannot go without.
OPTIONS: Sequence[tuple[str, str, str, Any, dict[str, str]]] = (
    ("ability", "wle", "ability", "wle", {}),
    ("start", "-0.25", "start", -0.25, {"ability": "mle"}),
    ("prior", "normal:0.5,2", "prior", "normal:0.5,2", {"ability": "map"}),
    ("prior", "uniform:-3,3", "prior", "uniform:-3,3", {"ability": "eap"}),
    ("se-stop", "0.45", "se_stop", 0.45, {"ability": "eap"}),
    ("min-len", "4", "min_len", 4, {"ability": "eap", "se-stop": "0.45"}),
    ("max-len", "12", "length", 12, {"ability": "eap", "se-stop": "0.45"}),
    ("blueprint", "content.toml", "blueprint", AS_JSON, {}),
    ("blueprint", "content.toml", "blueprint", AS_JSON, {"ability": "eap"}),
)
OPTION_IDS = [f"{name}-{'-'.join(beside)}" for name, _, _, _, beside in OPTIONS]
NUMBERS = {"start", "se-stop", "min-len", "max-len"}


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_blueprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("content.toml").write_text(CONTENT)


def flags(options: dict[str, str]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def settings(run: Run, *arguments: str) -> dict[str, Any]:
    """The settings that a trace took."""
    ended = run("trace", "--tests", "1", "--seed", "1", "--format", "json", *arguments)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)["settings"]
    return found


@pytest.mark.parametrize("source", ["flag", "environment", "file"])
@pytest.mark.parametrize(("name", "value", "key", "expected", "beside"), OPTIONS, ids=OPTION_IDS)
def test_an_option_reaches_the_settings_from(
    here: Run,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    key: str,
    expected: object,
    beside: dict[str, str],
    source: str,
) -> None:
    typed: list[str] = []
    if source == "flag":
        typed = [f"--{name}", value]
    elif source == "environment":
        monkeypatch.setenv(f"SHSIM_{name.upper().replace('-', '_')}", value)
    else:
        written = value if name in NUMBERS else f"'{value}'"
        Path("shsim.toml").write_text(f"{name.replace('-', '_')} = {written}\n")
        typed = ["--config", "shsim.toml"]
    without = settings(here, *flags(beside)) if source == "flag" else {}
    assert settings(here, *flags(beside), *typed)[key] == expected
    assert without.get(key) != expected


def test_flag_beats_environment_beats_file(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("shsim.toml").write_text("ability = 'mle'\nstart = 1\n[trace]\nstart = 2\n")
    config = ("--config", "shsim.toml")
    assert (settings(here, *config)["ability"], settings(here, *config)["start"]) == ("mle", 2.0)
    monkeypatch.setenv("SHSIM_ABILITY", "wle")
    monkeypatch.setenv("SHSIM_START", "0")
    assert (settings(here, *config)["ability"], settings(here, *config)["start"]) == ("wle", 0.0)
    assert settings(here, *config, *EAP, "--start", "0.5")["start"] == 0.5


EVERYTHING = (
    "--ability", "map", "--start", "0.5", "--prior", "normal:0,2", "--se-stop", "0.6",
    "--min-len", "3", "--max-len", "9", "--blueprint", "content.toml",
)  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [("calibrate", *QUICK_CALIBRATION, "--nodes", "200"), ("simulate", *QUICK)],
    ids=["calibrate", "simulate"],
)
def test_calibrate_and_simulate_take_them_all(
    here: Run, demo: Sequence[str], command: tuple[str, ...]
) -> None:
    ended = here(*command, *demo, *EVERYTHING, "--dry-run", "--format", "json")
    assert ended.code == 0, ended.err
    taken = json.loads(ended.out)["settings"]
    expected = {
        "ability": "map", "start": 0.5, "prior": "normal:0,2", "se_stop": 0.6, "min_len": 3,
        "length": 9, "blueprint": AS_JSON, "theta": "normal:0,1",
    }  # fmt: skip
    assert {key: taken[key] for key in expected} == expected


def test_what_is_left_out_is_null(here: Run) -> None:
    taken = settings(here)
    assert taken["ability"] == "true"
    for key in ("start", "prior", "se_stop", "min_len", "blueprint"):
        assert taken[key] is None


IGNORED: Sequence[tuple[tuple[str, ...], str]] = (
    (("--start", "0"), "--start is about an estimate, and --ability true has none."),
    (("--prior", "normal:0,1"), "--prior is about an estimate, and --ability true has none."),
    (("--ability", "true", "--start", "1"), "--start is about an estimate"),
    (("--ability", "mle", "--prior", "normal:0,1"), "--ability mle has no prior."),
    (("--ability", "wle", "--prior", "normal:0,1"), "--ability wle has no prior."),
    ((*EAP, "--min-len", "5"), "--min-len is for tests that --se-stop ends."),
    ((*EAP, "--max-len", "5"), "--max-len is for tests that --se-stop ends."),
    ((*EAP, "--se-stop", "0.3", "--len", "20"), "--len fixes the length of a test and --se-stop"),
    ((*EAP, "--method", "exact"), "--method exact computes expected exposure in closed form"),
    (("--method", "exact", "--blueprint", "content.toml"), "--method exact computes expected"),
)
CALIBRATIONS_OWN: Sequence[tuple[tuple[str, ...], str]] = (
    ((*EAP, "--explain"), "--explain computes expected exposure in closed form"),
    (("--explain", "--blueprint", "content.toml"), "--explain computes expected exposure"),
)
IMPOSSIBLE: Sequence[tuple[tuple[str, ...], str]] = (
    (("--se-stop", "0.3"), "--se-stop ends a test by the error of an estimate. Give --ability"),
    ((*EAP, "--se-stop", "0"), "--se-stop 0 is not in (0, 1e+06]."),
    ((*EAP, "--se-stop", "nan"), "--se-stop nan is not in (0, 1e+06]."),
    ((*EAP, "--start", "nan"), "--start nan is "),
    ((*EAP, "--start", "1e7"), "--start 1e+07 is "),
    ((*EAP, "--se-stop", "0.3", "--max-len", "0"), "--max-len 0 is under 1. Give at least 1."),
    ((*EAP, "--se-stop", "0.3", "--min-len", "0"), "--min-len 0 is not between 1 and --max-len 30"),
    ((*EAP, "--se-stop", "0.3", "--min-len", "9", "--max-len", "8"), "--min-len 9 is not between"),
    ((*EAP, "--theta", "fixed:0.5"), "nothing to estimate where the prior is fixed:0.5. Give one"),
    ((*EAP, "--prior", "fixed:1"), "with a spread: --prior normal:1,1"),
    (("--ability", "map", "--theta", "fixed:0"), "--ability map has nothing to estimate"),
    ((*EAP, "--prior", "uniform:0,1e-9"), "nothing to estimate where the prior is uniform:0,1e-09"),
    ((*EAP, "--prior", "file:one.txt"), "nothing to estimate where the prior is file:one.txt"),
    ((*EAP, "--prior", "file:same.txt"), "nothing to estimate where the prior is file:same.txt"),
    (("--ability", "map", "--prior", "file:t.txt"), "--ability map wants a prior with a density"),
    ((*EAP, "--prior", "cauchy"), "prior 'cauchy' is not understood."),
)
BAD_DATA: Sequence[tuple[tuple[str, ...], str]] = (
    ((*EAP, "--se-stop", "0.3", "--max-len", "481"), "--max-len 481 is longer than the pool"),
    ((*EAP, "--prior", "file:none.txt"), "none.txt: it cannot be read"),
    (("--blueprint", "none.toml"), "none.toml: No such file or directory."),
    (("--blueprint", "bad.toml"), "bad.toml: topic algebra: it is no whole number"),
)


@pytest.mark.parametrize(
    ("command", "arguments", "words", "code"),
    [
        *(("calibrate", *each, 2) for each in (*IGNORED, *CALIBRATIONS_OWN)),
        *(("simulate", *each, 2) for each in IGNORED),
        *(("trace", *each, 2) for each in IGNORED if "--method" not in each[0]),
        *(("calibrate", *each, 2) for each in IMPOSSIBLE),
        *(("calibrate", *each, 3) for each in BAD_DATA),
        *(("simulate", *each, 2) for each in IMPOSSIBLE),
        *(("simulate", *each, 3) for each in BAD_DATA),
        *(("trace", *each, 2) for each in IMPOSSIBLE),
        *(("trace", *each, 3) for each in BAD_DATA),
        ("sweep", EAP, "--ability eap has not. Calibrate at each cap: shsim calibrate", 2),
        ("sweep", ("--ability", "mle", "--tau", "0.15,0.2"), "mle --dry-run --tau 0.15", 2),
    ],
)  # fmt: skip
def test_a_conflict_is_one_line_and_nothing_is_written(
    here: Run,
    demo: Sequence[str],
    demo_file: Path,
    command: str,
    arguments: tuple[str, ...],
    words: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHSIM_SEED", "1")  # which a sweep has not
    Path("one.txt").write_text("1.5\n")
    Path("same.txt").write_text("0.1\n0.1\n0.1\n")
    Path("t.txt").write_text("-1\n0\n1\n")
    Path("bad.toml").write_text("[topics.algebra]\nleast = 1\n")
    before = hashlib.sha256(demo_file.read_bytes()).digest()
    ended = here(command, *demo, *arguments, "--output", "out.csv")
    assert (ended.code, ended.out) == (code, "")
    said = [line for line in ended.err.splitlines() if "database" not in line]
    assert len(said) == 1
    assert words in said[0]
    assert not Path("out.csv").exists()
    assert hashlib.sha256(demo_file.read_bytes()).digest() == before


def test_what_is_typed_beats_a_file_that_excludes_it(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    file = tmp_path / "programme.toml"
    file.write_text(
        "ability = 'eap'\nstart = 0.5\nprior = 'normal:0,2'\nse-stop = 0.4\nmax-len = 25\n"
    )
    quick = (*demo, "--config", str(file), "--n", "500", "--format", "json")

    def taken(*typed: str) -> dict[str, object]:
        ended = here("simulate", *quick, *typed)
        assert ended.code == 0, ended.err
        found: dict[str, object] = json.loads(ended.out)["settings"]
        return found

    kept = taken()
    assert (kept["ability"], kept["start"], kept["se_stop"], kept["length"]) == (
        "eap",
        0.5,
        0.4,
        25,
    )
    fixed = taken("--len", "12")
    assert (fixed["length"], fixed["se_stop"], fixed["start"]) == (12, None, 0.5)
    true = taken("--ability", "true")
    assert (true["ability"], true["start"], true["prior"], true["se_stop"]) == (
        "true",
        None,
        None,
        None,
    )


def test_problems_of_every_kind_are_said_together(here: Run, demo: Sequence[str]) -> None:
    Path("bad.toml").write_text("[topics.algebra]\nleast = true\n[topics.1]\n")
    ended = here(
        "calibrate", *demo, "--ability", "mle", "--prior", "cauchy", "--len", "481", "--max-len",
        "5", "--method", "exact", "--explain", "--blueprint", "bad.toml", "--start", "inf",
        "--tau", "0", "--output", "k.txt",
    )  # fmt: skip
    assert (ended.code, ended.out) == (3, "")
    for words in (
        "--method exact computes", "k.txt: the name must end", "--max-len is for tests that",
        "--ability mle has no prior", "prior 'cauchy' is not", "topic algebra: it is no whole",
        "topic algebra: least = True", "topic 1: there is no least", "--start inf is ",
        "--tau 0 is not", "--len 481 is longer",
    ):  # fmt: skip
        assert ended.err.count(words) == 1, words
    assert ended.err.count("\n") == 11


@pytest.mark.parametrize("ability", ["true", "mle"])
def test_examinees_of_one_ability_need_no_spread_where_nothing_is_believed(
    here: Run, demo: Sequence[str], ability: str
) -> None:
    Path("one.txt").write_text("0.5\n")
    quick = ("--n", "500", "--iters", "2", "--verify-n", "500", "--nodes", "200", "--seed", "1")
    asked = (*demo, "--ability", ability, "--dry-run", "--format", "json", "--len", "8")
    run = (*quick, *asked, "--blueprint", "content.toml")
    of_file = here("calibrate", *run, "--theta", "file:one.txt")
    fixed = here("calibrate", *run, "--theta", "fixed:0.5")
    assert (of_file.code, fixed.code) == (0, 0), of_file.err
    assert json.loads(of_file.out)["items"] == json.loads(fixed.out)["items"]
    found = json.loads(of_file.out)["verification"]["accuracy"]
    assert (found is None) == (ability == "true")
    assert found is None or found["correlation"] is None


def test_a_number_of_too_many_digits_is_refused(here: Run, demo: Sequence[str]) -> None:
    for option in ("--n", "--max-len", "--min-len", "--verify-n"):
        ended = here("calibrate", *demo, *EAP, "--se-stop", "0.3", option, "9" * 400)
        assert (ended.code, ended.out) == (2, "")
        assert f"Invalid value for '{option}'" in ended.err
