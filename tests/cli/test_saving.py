"""What a run leaves behind: in the database, in files, and on the first run ever."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from front_door import QUICK, QUICK_CALIBRATION, Run, command

from shsim.storage.embedded import embedded_path

EXPORTED = "question_id,version,topic_id,a,b,c,sh_p"
CALIBRATED = (
    "question_id,version,topic_id,a,b,c,sh_p_before,sh_p,seen,proposed,"
    "exposure_rate,exposure_low,exposure_high,flag"
)
SIMULATED = CALIBRATED.replace("sh_p_before,", "")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_calibration_is_saved_and_the_next_one_starts_from_it(
    here: Run, demo: Sequence[str]
) -> None:
    first = here("calibrate", *demo, *QUICK_CALIBRATION, "--format", "csv")
    assert first.code == 0, first.err
    assert first.out.splitlines()[0] == CALIBRATED
    stored = {row["question_id"]: row["sh_p"] for row in rows(here("export", *demo).out)}
    assert stored == {row["question_id"]: row["sh_p"] for row in rows(first.out)}
    second = rows(here("calibrate", *demo, *QUICK_CALIBRATION, "--format", "csv").out)
    assert {row["question_id"]: row["sh_p_before"] for row in second} == stored


def test_a_dry_run_leaves_the_file_byte_for_byte(
    here: Run, demo: Sequence[str], demo_file: Path
) -> None:
    before = hashlib.sha256(demo_file.read_bytes()).digest()
    demo_file.chmod(0o444)
    listed = sorted(path.name for path in demo_file.parent.iterdir())
    for arguments in (("calibrate", *QUICK_CALIBRATION), ("simulate", *QUICK)):
        ended = here(*arguments, *demo, "--dry-run")
        assert ended.code == 0, ended.err
    assert hashlib.sha256(demo_file.read_bytes()).digest() == before
    assert sorted(path.name for path in demo_file.parent.iterdir()) == listed


def test_the_first_scripts_command_line_runs_on_postgresql(
    process: Run, here: Run, postgres_demo_dsn: str
) -> None:
    ended = process(
        "calibrate", "--dsn", postgres_demo_dsn, "--exam", "DEMO-EXAM", "--tau", "0.2",
        "--n", "500", "--len", "30", "--iters", "6", "--alpha", "0.6",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "480 k changed" in " ".join(ended.out.split())
    exported = rows(here("export", "--dsn", postgres_demo_dsn, "--exam", "DEMO-EXAM").out)
    assert min(float(row["sh_p"]) for row in exported) < 1


def test_both_databases_give_the_same_bytes(
    here: Run, demo: Sequence[str], postgres_demo_dsn: str
) -> None:
    run = ("calibrate", *QUICK_CALIBRATION, "--exam", "DEMO-EXAM", "--format", "csv", "--dry-run")
    on_postgresql = here(*run, "--dsn", postgres_demo_dsn)
    assert on_postgresql.code == 0, on_postgresql.err
    assert on_postgresql.out == here(*run, *demo[:2]).out


def test_the_first_run_ever_makes_its_database(here: Run) -> None:
    assert not embedded_path().exists()
    ended = here("calibrate", *QUICK_CALIBRATION)
    assert ended.code == 0, ended.err
    assert "made on first use with the exam DEMO-EXAM" in ended.err
    assert "exam DEMO-EXAM, the only one in it" in ended.err
    assert embedded_path().is_relative_to(os.environ["XDG_DATA_HOME"])
    again = here("simulate", *QUICK)
    assert "made on first use" not in again.err
    assert rows(here("export").out)[0]["sh_p"] != ""


@pytest.mark.parametrize(
    "command",
    [("calibrate", *QUICK_CALIBRATION), ("simulate", *QUICK)],
    ids=["calibrate", "simulate"],
)
def test_a_first_dry_run_makes_nothing(here: Run, command: tuple[str, ...]) -> None:
    ended = here(*command, "--dry-run")
    assert ended.code == 0, ended.err
    assert "taking the demo exam, in memory" in ended.err
    assert "DEMO-EXAM: 480 items" in ended.out
    assert not embedded_path().parent.exists()
    assert here(*command, "--dry-run", "--exam", "OTHER").code == 3


@pytest.mark.parametrize("command", ["calibrate", "simulate", "sweep"])
def test_no_database_is_made_where_another_exam_is_asked_for(here: Run, command: str) -> None:
    ended = here(command, "--exam", "MATH-1")
    assert (ended.code, ended.out) == (3, "")
    assert "--exam MATH-1: no --dsn is given and neither SHSIM_DSN nor DATABASE_URL is" in ended.err
    assert not embedded_path().parent.exists()


def test_looking_makes_nothing(here: Run) -> None:
    assert here("db", "check").code == 0
    assert here("doctor").code == 0
    assert not embedded_path().parent.exists()


def test_export_and_import_are_each_others_inverse(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    here("calibrate", *demo, *QUICK_CALIBRATION)
    exported = here("export", *demo).out
    assert exported.splitlines()[0] == EXPORTED
    dsn = f"sqlite:///{tmp_path / 'copy.db'}"
    assert here("db", "init", "--dsn", dsn).out.count("made ") == 8
    assert here("db", "init", "--dsn", dsn).out == "every table is there already\n"
    for form in ("csv", "json"):
        file = tmp_path / f"pool.{form}"
        assert here("export", *demo, "--output", str(file)).out == ""
        exam = f"COPY-{form}"
        target = ("--dsn", dsn, "--exam", exam)
        would = here("import", str(file), *target, "--dry-run")
        assert f"would publish 480 items of {file} under {exam}, a new exam" in would.out
        assert here("export", *target).code == 3, "a dry run publishes nothing"
        done = here("import", str(file), *target)
        assert done.code == 0, done.err
        assert f"published 480 items of {file} under {exam}" in done.out
        back = here("export", *target).out
        assert rows(back) == rows(exported)
        again = here("import", str(file), *target, "--dry-run").out
        assert "which publishes 480 items now: 0 new or changed, 480 stand so already; " in again


def test_an_import_tells_what_it_leaves_and_what_it_shares_in_a_dry_run_too(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    """Another k for the first item, and half of the pool left out."""
    lines = here("export", *demo).out.splitlines(keepends=True)
    file = tmp_path / "shorter.csv"
    file.write_text("".join([lines[0], lines[1].rsplit(",", 1)[0] + ",0.125\n", *lines[2:200]]))
    warned = "199 items of M-1 are published in DEMO-EXAM too"
    kept = "; 281 items of the exam that are not in the file stay published as they are"
    target = ("--dsn", demo[1])
    for exam, published in (("M-1", "a new exam: 199"), ("DEMO-EXAM", "which publishes 480")):
        for dry in (("--dry-run",), ()):
            before = here("export", *demo).out
            ended = here("import", str(file), "--exam", exam, *target, *dry)
            assert ended.code == 0, ended.err
            assert (warned in ended.err) == (exam == "M-1")
            assert (kept in ended.out) == (exam != "M-1")
            assert not dry or published in ended.out
            assert not dry or here("export", *demo).out == before
    assert "199 stood so already; 281 items" in ended.out
    assert len(rows(here("export", *demo).out)) == 480


def test_a_pool_with_upper_asymptotes_is_simulated_from_its_file_and_not_imported(
    here: Run, tmp_path: Path
) -> None:
    file = tmp_path / "pool.csv"
    lines = [f"{i},{1 + i / 50},{i / 10 - 2},0.2,{1 if i % 2 else 0.9}\n" for i in range(1, 41)]
    file.write_text("question_id,a,b,c,d\n" + "".join(lines))
    for dry in ((), ("--dry-run",)):
        ended = here("import", str(file), "--exam", "M-4", *dry)
        assert (ended.code, ended.out) == (3, "")
        assert "have d below 1, and the database has no column for it: 2/1 (d = 0.9)" in ended.err
        assert "run with --pool FILE" in ended.err
    assert not embedded_path().parent.exists()
    made = here("simulate", "--pool", str(file), *QUICK, "--len", "5", "--format", "csv")
    assert made.code == 0, made.err
    assert made.out.startswith("question_id,version,topic_id,a,b,c,d,sh_p,")
    again = tmp_path / "again.csv"
    again.write_text(made.out)
    assert here("simulate", "--pool", str(again), *QUICK, "--len", "5", "--format", "csv").out == (
        made.out
    )


def test_a_pool_from_stdin_is_calibrated_and_not_saved(
    process: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    exported = process("export", *demo).out
    file = tmp_path / "k.csv"
    ended = process(
        "calibrate", "--pool", "-", *QUICK_CALIBRATION, "--output", str(file), "--format", "json",
        stdin=exported,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "Nothing was saved: the pool came from stdin." in ended.err
    assert f"Wrote {file}." in ended.err
    written = rows(file.read_text())
    assert [row["sh_p"] for row in written] == [
        str(item["sh_p"]) for item in json.loads(ended.out)["items"]
    ]
    used = process("simulate", "--pool", str(file), *QUICK, "--format", "csv")
    assert used.out.splitlines()[0] == SIMULATED
    assert [row["sh_p"] for row in rows(used.out)] == [row["sh_p"] for row in written]


def test_db_demo_and_check(here: Run, tmp_path: Path) -> None:
    target = ("--dsn", f"sqlite:///{tmp_path / 'new.db'}")
    assert here("db", "check", *target).code == 4
    assert "published DEMO-EXAM" in here("db", "demo", *target).out
    assert "it is there already: DEMO-EXAM" in here("db", "demo", *target).out
    checked = here("db", "check", *target)
    assert checked.code == 0
    assert "warn  DEMO-EXAM: 12 items have no 3pl calibration" in checked.out


def test_db_check_ends_with_4_where_a_run_would_fail(here: Run, postgres_empty_dsn: str) -> None:
    checked = here("db", "check", "--dsn", postgres_empty_dsn)
    assert checked.code == 4
    assert "FAIL  Table item_calibration is missing" in checked.out
    assert here("db", "demo", "--dsn", postgres_empty_dsn).code == 0
    assert here("db", "check", "--dsn", postgres_empty_dsn).code == 0


def test_doctor(here: Run, demo: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    well = here("doctor", *demo[:2])
    assert well.code == 0, well.out
    for name in ("python", "numba", "psycopg2", "threads", "kernel cache", "database", "exams"):
        assert f"  {name}  " in well.out
    checks = json.loads(here("doctor", *demo[:2], "--format", "json").out)["checks"]
    assert {"name", "status", "detail", "remedy"} == set(checks[0])
    ill = here("doctor", "--dsn", "postgresql://u:geheim@127.0.0.1:1/x")
    assert ill.code == 4
    assert "FAIL  database" in ill.out
    assert "geheim" not in ill.out + ill.err
    monkeypatch.setenv("SHSIM_CACHE_DIR", "/dev/null/none")
    assert "warn  kernel cache" in here("doctor", *demo[:2]).out


def test_doctor_names_a_compiler_that_does_not_load(tmp_path: Path, demo: Sequence[str]) -> None:
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise ImportError('Numba needs NumPy 2')\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ended = subprocess.run(
        command("doctor", *demo[:2]),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 4
    assert "FAIL  kernels" in ended.stdout
    assert "Numba needs NumPy 2" in ended.stdout
    assert "Traceback" not in ended.stderr
