"""Spellings, precedence, conflicts: what reaches a run, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from front_door import QUICK, QUICK_CALIBRATION, SHORT_CALIBRATION, Run


def settings(run: Run, *arguments: str) -> dict[str, Any]:
    """The settings that a simulation took."""
    ended = run("simulate", *QUICK, "--format", "json", *arguments)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)["settings"]
    return found


def test_first_scripts_spellings(here: Run, demo: Sequence[str]) -> None:
    ended = here(
        "calibrate", *demo[:2], "--exam_code", "DEMO-EXAM", "--test_len", "20", "--theta_dist",
        "uniform-1,1", "--dry_run", "--verify_n", "20000", "--n", "1000", "--iters", "2",
        "--require_cap", "--format", "json",
    )  # fmt: skip
    assert ended.code == 5, ended.err
    taken = json.loads(ended.out)["settings"]
    assert (taken["length"], taken["theta"], taken["verify_n"]) == (20, "uniform:-1,1", 20_000)


def test_flag_beats_environment_beats_file_beats_default(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shsim.toml"
    file.write_text(
        "tau = 0.31\nlen = 11\n[simulate]\nlen = 12\nscale = 1.2\n[calibrate]\nlen = 13\n"
    )
    config = (*demo, "--config", str(file))
    assert settings(here, *demo)["tau"] == 0.2
    taken = settings(here, *config)
    assert (taken["tau"], taken["length"], taken["scale"]) == (0.31, 12, 1.2)
    monkeypatch.setenv("SHSIM_TAU", "0.32")
    monkeypatch.setenv("SHSIM_TEST_LEN", "14")
    taken = settings(here, *config)
    assert (taken["tau"], taken["length"], taken["scale"]) == (0.32, 14, 1.2)
    assert settings(here, *config, "--tau", "0.33")["tau"] == 0.33


def test_config_itself_can_come_from_the_environment(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shsim.toml"
    file.write_text("theta-dist = 'fixed:0'\ndry_run = true\nquiet = true\n")
    monkeypatch.setenv("SHSIM_CONFIG", str(file))
    ended = here("simulate", *demo, *QUICK, "--format", "json")
    assert json.loads(ended.out)["settings"]["theta"] == "fixed:0"
    assert ended.err == ""


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("tua = 0.2", ["tua is no option. Did you mean tau"]),
        ("tau = '0.2'", ["tau = '0.2' is not a number"]),
        ("n = 0.5", ["n = 0.5 is not a whole number"]),
        ("iters = true", ["iters = True is not a whole number"]),
        ("dry-run = 1", ["dry-run = 1 is not true or false"]),
        ("dsn = 5", ["dsn = 5 is not a string"]),
        ("force = true", ["force must be typed on the command line"]),
        ("[calibrat]\ntau = 1", ["[calibrat] is no command. Did you mean calibrate"]),
        ("[simulate]\nalpha = 1.0", ["[simulate] alpha is no option"]),
        ("x = 1\n[calibrate]\ny = 2", ["x is no option", "[calibrate] y is no option"]),
        ("tau = ", ["not TOML"]),
        ("tau = " + "[" * 5000, ["nested beyond all reason"]),
    ],
)
def test_a_wrong_file_is_refused_with_everything_wrong_in_it(
    here: Run, tmp_path: Path, text: str, complaints: list[str]
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    ended = here("calibrate", "--config", str(file))
    assert ended.code == 2
    assert ended.out == ""
    for complaint in complaints:
        assert f"wrong.toml: {complaint}" in ended.err
    assert ended.err.count("\n") == len(complaints)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SHSIM_TUA", "Did you mean SHSIM_TAU"),
        ("SHSIM_REQUIRE_CAPP", "Did you mean SHSIM_REQUIRE_CAP"),
        ("SHSIM_QWERTYUIOP", ""),
    ],
)
def test_a_variable_that_nothing_reads_is_warned_of(
    here: Run, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv("SHSIM_JWT_SECRET_FILE", "/none")  # another command's
    monkeypatch.setenv("SHSIM_JWT_SECRET", "none")
    monkeypatch.setenv("SHSIM_PROPOSALS_DAYS", "9")
    monkeypatch.setenv(name, "1")
    ended = here("db", "check", "--quiet")
    assert ended.code == 0
    assert ended.err.count("warning: ") == 1
    assert f"warning: {name} is set, and shsim reads no such variable." in ended.err
    assert said in ended.err
    [line] = here("db", "check", "--quiet", "--log-format", "json").err.splitlines()[:1]
    assert json.loads(line)["level"] == "warning"
    assert name in json.loads(line)["message"]


def test_a_missing_file_is_refused(here: Run, tmp_path: Path) -> None:
    ended = here("doctor", "--config", str(tmp_path / "none.toml"))
    assert ended.code == 2
    assert "none.toml: No such file" in ended.err


def test_a_value_names_where_it_came_from(
    here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shsim.toml"
    file.write_text("method = 'exactly'\n")
    ended = here("calibrate", "--config", str(file))
    assert (ended.code, "'--method' (from --config)" in ended.err) == (2, True)
    monkeypatch.setenv("SHSIM_TAU", "low")
    ended = here("calibrate")
    assert ended.code == 2
    assert "(from the environment: SHSIM_TAU)" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pool", "x.csv", "--exam", "A"), "--pool takes the items from a file, and --exam"),
        (("--pool", "x.csv", "--dsn", "sqlite:///x"), "and --dsn from a database"),
        (("--force", "--dry-run"), "--force saves and --dry-run does not"),
        (("--force", "--pool", "x.csv"), "--pool saves nothing"),
        (("--wait", "5", "--pool", "x.csv"), "--wait is about saving, and --pool saves nothing"),
        (("--output", "x.txt"), "must end in .csv or .json"),
        (("--dsn", "mysql://u:secret@h/d"), "--dsn"),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    here: Run,
    arguments: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_text("question_id,a,b,c\n" + "".join(f"{i},1,0,0.2\n" for i in range(200)))
    ended = here("calibrate", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "secret" not in ended.err
    assert ended.err.count("\n") == 1


def test_a_typed_source_beats_one_set_elsewhere(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = tmp_path / "pool.csv"
    pool.write_text(here("export", *demo).out)
    monkeypatch.setenv("SHSIM_EXAM", "NO-SUCH-EXAM")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert here("simulate", "--pool", str(pool), *QUICK).code == 0
    monkeypatch.setenv("SHSIM_POOL", str(tmp_path / "none.csv"))
    ended = here("simulate", *demo, *QUICK)
    assert ended.code == 0
    assert "DEMO-EXAM: 480 items" in ended.out


def test_database_url_is_read_where_no_dsn_is(
    here: Run, demo: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", demo[1])
    ended = here("export", "--exam", "DEMO-EXAM")
    assert ended.code == 0
    assert f"database {demo[1]}" in ended.err
    monkeypatch.setenv("SHSIM_DSN", "sqlite:////nowhere/else.db")
    assert here("export", "--exam", "DEMO-EXAM").code == 4


def test_a_password_on_the_command_line_is_taught_about(here: Run) -> None:
    ended = here("simulate", "--dsn", "postgresql://u:geheim@127.0.0.1:1/x", "--exam", "A")
    assert ended.code == 4
    assert "process list" in ended.err
    assert "PGPASSFILE" in ended.err
    assert "geheim" not in ended.err


def test_a_password_from_the_environment_is_not_remarked_on(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHSIM_DSN", "postgresql://u:geheim@127.0.0.1:1/x")
    ended = here("simulate", "--exam", "A")
    assert ended.code == 4
    assert "process list" not in ended.err
    assert "geheim" not in ended.err


def test_the_first_scripts_options_are_told_what_runs_now(here: Run, demo: Sequence[str]) -> None:
    old = ("calibrate", *demo, "--dry-run", "--verify-n", "20000", "--n", "500", "--alpha", "0.6",
           "--tau", "0.9")  # fmt: skip
    ended = here(*old, "--iters", "6")
    assert ended.code == 0
    assert "the method is classical now" in ended.err
    repeated = ended.err.split("the first script's run is ")[1].split("\n")[0].split()
    ended = here(*old, "--iters", "6", *repeated, "--format", "json")
    assert ended.code == 0, ended.err
    assert "classical now" not in ended.err
    taken = json.loads(ended.out)["settings"]
    first_script = {
        "method": "damped",
        "n": 500,
        "iters": 6,
        "alpha": 0.6,
        "decay": 0,
        "floor": 0.02,
    }
    assert {key: taken[key] for key in first_script} == first_script
    assert (taken["target"], taken["ceil"]) == (1.0, 1.0)


def test_a_seed_is_drawn_said_and_repeats_the_run(here: Run, demo: Sequence[str]) -> None:
    first = here("simulate", *demo, "--n", "2000", "--format", "csv")
    seed = first.err.split("--seed ")[1].split()[0]
    again = here("simulate", *demo, "--n", "2000", "--format", "csv", "--seed", seed)
    assert again.out == first.out
    assert "repeats this run" not in again.err
    other = here("simulate", *demo, "--n", "2000", "--format", "csv")
    assert other.out != first.out


def test_what_a_drawn_seed_repeats_is_said_truly(here: Run, demo: Sequence[str]) -> None:
    """A calibration that saves leaves other k in force than it started from."""
    run = ("calibrate", *demo, *SHORT_CALIBRATION[:2], *SHORT_CALIBRATION[4:])
    for extra, words in (
        (("--dry-run",), "repeats this run)"),
        (("--restart",), "repeats this run)"),
        ((), "repeats this run from the same k)"),
    ):
        said = here(*run, *extra).err
        assert words in " ".join(said.split()), extra


def test_threads_do_not_change_the_answer(here: Run, demo: Sequence[str]) -> None:
    run = ("calibrate", *demo, "--dry-run", *QUICK_CALIBRATION, "--format", "csv")
    assert here(*run, "--threads", "1").out == here(*run, "--threads", "3").out
