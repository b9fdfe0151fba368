"""Each class of fault has its exit code, one line a problem, and no traceback but for a bug."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest
from front_door import MISSED_CALIBRATION, QUICK, Run

from shsim.cli.process import exit_code
from shsim.errors import CapNotHeldError, DatabaseError, DataError, MissingExtraError, UsageError


def raising(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("a"), 2, "shsim: a\n"),
        (click.UsageError("b"), 2, "shsim: b\n"),
        (DataError(["c", "d"]), 3, "shsim: c\nshsim: d\n"),
        (DatabaseError("e"), 4, "shsim: e\n"),
        (CapNotHeldError("f"), 5, "shsim: f\n"),
        (MissingExtraError("g"), 6, "shsim: g\n"),
        (KeyboardInterrupt(), 130, "shsim: interrupted; nothing was saved\n"),
        (OSError(28, "No space left on device", "/x"), 3, None),
        (DataError("name\x1b[31m\u202e"), 3, "shsim: name\\x1b[31m\\u202e\n"),
        (BrokenPipeError(32, "Broken pipe"), 0, ""),
    ],
)
def test_a_fault_becomes_a_code_and_a_line(
    error: BaseException, code: int, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(raising(error)) == code
    err = capsys.readouterr().err
    assert err == ("shsim: /x: No space left on device. Make room and run again.\n"
                   if said is None else said)  # fmt: skip


def test_a_bug_shows_its_traceback_and_says_whose_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(raising(ValueError("odd\x1b[2J"))) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert "ValueError: odd\\x1b[2J" in err
    assert err.splitlines()[-1].startswith("shsim: this is a bug in shsim")


def test_everything_wrong_is_said_at_once(here: Run, demo: Sequence[str]) -> None:
    ended = here(
        "calibrate", *demo, "--tau", "0", "--len", "481", "--alpha", "nan", "--scale", "-1"
    )
    assert (ended.code, ended.out) == (3, "")
    for words in ("--tau 0 is not", "--len 481 is longer", "--alpha nan is not", "--scale -1"):
        assert words in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["calibrate", "simulate", "sweep"])
def test_the_command_line_the_settings_and_the_rows_are_said_together(
    here: Run, tmp_path: Path, command: str
) -> None:
    pool = tmp_path / "pool.csv"
    pool.write_text("question_id,a,b,c\n1,1,0,1.2\n2,nan,0,0.1\n")
    wrong = ("--theta", "cauchy", "--output", str(tmp_path / "k.txt"), "--tau", "0", "--scale", "0")
    ended = here(command, "--pool", str(pool), *wrong)
    assert (ended.code, ended.out) == (3, "")
    for words in (
        "k.txt: the name must end in", "theta 'cauchy' is not", "--tau 0 is not", "--scale 0 is",
        "pool.csv:2: item 1/1: c = 1.2 is outside", "pool.csv:3: item 2/1: a = 'nan' is not a",
    ):  # fmt: skip
        assert ended.err.count(words) == 1
    assert ended.err.count("\n") == 6


def test_what_is_wrong_beside_a_database_out_of_reach_is_said_with_it(here: Run) -> None:
    away = ("--dsn", "postgresql://u@127.0.0.1:1/x", "--exam", "A")
    ended = here("calibrate", *away, "--tau", "2", "--force", "--dry-run")
    assert ended.code == 2
    assert [line.split(" ")[1] for line in ended.err.splitlines()] == [
        "--force", "--tau", "postgresql://u@127.0.0.1:1/x",
    ]  # fmt: skip


def test_a_wrong_command_line_alone_ends_with_2(here: Run, demo: Sequence[str]) -> None:
    wrong = ("--method", "exact", "--n", "5", "--alpha", "1", "--output", "x.txt")
    ended = here("calibrate", *demo, *wrong)
    assert (ended.code, ended.out) == (2, "")
    assert "it would ignore --n, --alpha" in ended.err
    assert "--output x.txt" in ended.err
    assert "process list" not in ended.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--tau", "0"), ("--tau", "x"), ("--alpha", "nan"), ("--len", "0"), ("--seed", "-1"),
        ("--scale", "0"), ("--threads", "0"), ("--theta", "cauchy:0,1"), ("--theta", "normal:0,0"),
        ("--theta", "file:"), ("--method", "none"), ("--exam", ""), ("--dsn", ""),
    ],
)  # fmt: skip
def test_what_no_data_could_make_good_ends_with_2_wherever_it_is_set(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str,
    value: str,
) -> None:  # fmt: skip
    typed = here("calibrate", *demo, option, value)
    assert (typed.code, typed.out) == (2, ""), typed.err
    others = [word for pair in zip(demo[::2], demo[1::2], strict=True) if pair[0] != option
              for word in pair]  # fmt: skip
    config = tmp_path / "x.toml"
    number = value if value not in {"x", "nan"} and value.strip("-").isdigit() else f"'{value}'"
    config.write_text(f"{option[2:]} = {number}\n")
    filed = here("calibrate", *others, "--config", str(config))
    assert (filed.code, filed.out) == (2, ""), filed.err
    if value:  # an empty variable is none
        monkeypatch.setenv(f"SHSIM_{option[2:].upper()}", value)
        known = here("calibrate", *others)
        assert (known.code, known.out) == (2, ""), known.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--theta", "file:/no/such"), "/no/such"),
        (("--exam", "NONE"), "The exams there are: DEMO-EXAM"),
        (("--output", "/no/such/k.csv"), "--output /no/such/k.csv: No such file"),
        (("--tau", "0.01"), "--tau 0.01 cannot be met"),
    ],
)
def test_bad_data_ends_with_3(
    here: Run, demo: Sequence[str], arguments: tuple[str, ...], words: str
) -> None:
    ended = here("calibrate", *demo, *arguments)
    assert (ended.code, ended.out) == (3, "")
    assert words in ended.err


def test_a_bad_pool_file_names_every_row(here: Run, tmp_path: Path) -> None:
    pool = tmp_path / "pool.csv"
    pool.write_text("question_id,a,b,c\n1,1,0,1.2\n2,-1,0,0.1\n")
    ended = here("calibrate", "--pool", str(pool))
    assert ended.code == 3
    assert "pool.csv:2: item 1/1: c = 1.2 is outside [0, 1)" in ended.err
    assert "pool.csv:3: item 2/1: a = -1 is outside" in ended.err


@pytest.mark.parametrize("command", ["calibrate", "simulate", "export", "db check", "db init"])
def test_a_database_out_of_reach_ends_with_4(here: Run, command: str) -> None:
    exam = () if command.startswith("db") else ("--exam", "A")
    ended = here(*command.split(), *exam, "--dsn", "postgresql://u@127.0.0.1:1/x?password=geheim")
    assert (ended.code, ended.out) == (4, "")
    assert "geheim" not in ended.err
    assert "127.0.0.1:1" in ended.err


def test_a_database_without_tables_ends_with_4_and_names_the_remedy(
    here: Run, postgres_empty_dsn: str
) -> None:
    ended = here("calibrate", "--dsn", postgres_empty_dsn, "--exam", "A")
    assert ended.code == 4
    assert "db init" in ended.err


def test_require_cap_saves_nothing_and_ends_with_5(
    here: Run, demo: Sequence[str], demo_file: Path, tmp_path: Path
) -> None:
    before = here("export", *demo).out
    file = tmp_path / "k.json"
    ended = here(
        "calibrate", *demo, *MISSED_CALIBRATION, "--require-cap", "--output", str(file)
    )  # fmt: skip
    assert ended.code == 5
    assert ended.out.startswith("The cap of 0.2 is NOT held")
    assert "Nothing was saved, as --require-cap asks" in ended.err
    assert here("export", *demo).out == before
    assert not file.exists()


def test_a_missed_cap_is_saved_with_a_warning(here: Run, demo: Sequence[str]) -> None:
    ended = here("calibrate", *demo, *MISSED_CALIBRATION, "--quiet")
    assert ended.code == 0
    assert "shsim: warning: The cap of 0.2 is NOT held" in ended.err
    assert "480 k changed" in " ".join(ended.out.split())


def test_an_exam_must_be_named_where_there_is_a_choice(here: Run, demo: Sequence[str]) -> None:
    ended = here("simulate", *demo[:2], *QUICK)
    assert (ended.code, ended.out) == (2, "")
    assert "--exam is needed. There are: DEMO-EXAM (480 items)." in ended.err
    assert here("import", "x.csv").code == 2


def test_a_bad_database_url_is_refused_by_its_name(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://u:hunter2@h/db")
    ended = here("db", "check")
    assert ended.code == 2
    assert ended.err.startswith("shsim: DATABASE_URL names a kind of database")
    assert "hunter2" not in ended.err


def test_an_import_says_whose_items_it_changed_too(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    pool = tmp_path / "pool.csv"
    assert here("export", *demo, "--output", str(pool)).code == 0
    dsn = list(demo)[list(demo).index("--dsn") :][:2]
    ended = here("import", str(pool), "--exam", "M-2", *dsn)
    assert ended.code == 0
    assert "items of M-2 are published in DEMO-EXAM too" in ended.err
