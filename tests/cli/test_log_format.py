"""`--log-format json`: everything on stderr is an object a line, the last says how it ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from cli.test_streams import on_a_terminal
from cli.test_surface import LEAF_IDS, LEAVES
from front_door import MISSED_CALIBRATION, QUICK, QUICK_CALIBRATION, Run, command

JSON = ("--log-format", "json")
EASY = (*QUICK, "--tau", "0.9", "--verify-n", "20000")


def lines(err: str, code: int) -> list[dict[str, Any]]:
    """The log, of which what must be true of every log is checked."""
    assert err.endswith("\n")
    found = [json.loads(line) for line in err.splitlines()]
    now = datetime.now(UTC)
    for each in found:
        assert list(each)[:4] == ["time", "level", "event", "message"]
        assert each["level"] in {"info", "warning", "error"}
        moment = datetime.fromisoformat(each["time"])
        assert moment.utcoffset() == timedelta(0)
        assert abs(now - moment) < timedelta(minutes=5)
    assert [each["event"] for each in found].count("end") == 1
    end = found[-1]
    assert (end["event"], end["exit_code"]) == ("end", code)
    assert end["seconds"] >= 0
    assert all("\x1b" not in json.dumps(each) for each in found)
    return found


def of(found: Sequence[Mapping[str, Any]], event: str) -> list[Mapping[str, Any]]:
    return [each for each in found if each["event"] == event]


@pytest.mark.parametrize("path", LEAVES, ids=LEAF_IDS)
def test_whatever_can_be_quiet_can_speak_json(path: tuple[str, ...]) -> None:
    names = {
        name
        for param in LEAVES[path].params
        if isinstance(param, click.Option)
        for name in param.opts
    }
    assert ("--quiet" in names) == ("--log-format" in names)


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_calibration_tells_its_steps(here: Run, demo: Sequence[str], form: str) -> None:
    plain = here("calibrate", *demo, *EASY, "--format", form, "--dry-run")
    ended = here("calibrate", *demo, *EASY, "--format", form, *JSON)
    found = lines(ended.err, 0)
    stages = [each["stage"] for each in of(found, "stage")]
    assert [stage for stage in stages if stage != "compiling"] == [
        "before", "calibrating", "verifying",
    ]  # fmt: skip
    iterations = of(found, "iteration")
    assert [each["iter"] for each in iterations] == list(range(len(iterations)))
    assert all(0 < each["max_exposure"] <= 1 for each in iterations)
    (verdict,) = of(found, "verdict")
    assert verdict["held"] is True
    assert verdict["tau"] == 0.9
    assert verdict["level"] == "info"
    (saved,) = of(found, "saved")
    assert (saved["run"], saved["changed"] + saved["unchanged"]) == (1, 480)
    assert all(each["exam"] == "DEMO-EXAM" for each in found if each["event"] != "note")
    messages = [each["message"] for each in found]
    assert len(messages) == len(set(messages)), "nothing is said twice"
    if form == "table":  # stdout is untouched, but for what was saved
        assert plain.out.splitlines()[:12] == ended.out.splitlines()[:12]
    else:
        assert json.loads(ended.out)["run"] == 1


def test_a_missed_cap_is_a_warning_and_its_refusal_an_error(here: Run, demo: Sequence[str]) -> None:
    missed = (*MISSED_CALIBRATION, "--method", "damped")
    found = lines(here("calibrate", *demo, *missed, *JSON, "--quiet").err, 0)
    assert [each["event"] for each in found] == ["verdict", "end"]
    assert found[0]["level"] == "warning"
    assert found[0]["held"] is False
    found = lines(here("calibrate", *demo, *missed, *JSON, "--quiet", "--require-cap").err, 5)
    assert [each["event"] for each in found] == ["verdict", "error", "end"]
    assert found[1]["exit_code"] == 5
    assert found[1]["level"] == "error"


def test_other_commands_tell_what_they_did(here: Run, demo: Sequence[str], tmp_path: Path) -> None:
    assert here("calibrate", *demo, *QUICK_CALIBRATION).code == 0
    (recorded,) = of(lines(here("simulate", *demo, *QUICK, *JSON).err, 0), "recorded")
    assert recorded["run"] == 2
    (saved,) = of(lines(here("rollback", "1", *demo[:2], *JSON).err, 0), "saved")
    assert (saved["rollback_of"], saved["run"]) == (1, 3)
    pool = str(tmp_path / "pool.csv")
    lines(here("export", *demo, "--output", pool, *JSON).err, 0)
    (saved,) = of(lines(here("import", pool, *demo, *JSON).err, 0), "saved")
    assert saved["changed"] + saved["unchanged"] == 480
    for words in (("history",), ("show", "1"), ("diff", "1", "2"), ("db", "check"), ("doctor",)):
        lines(here(*words, *demo[:2], *JSON).err, 0)
    dsn = ("--dsn", f"sqlite:///{tmp_path / 'new.sqlite'}")
    lines(here("db", "init", *dsn, *JSON).err, 0)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("calibrate", "--no-such-option"), 2),
        (("calibrate", "--tau", "many"), 2),
        (("calibrat",), 2),
        (("db",), 2),
        ((), 2),
        (("simulate", "--pool", "/nowhere.csv"), 3),
        (("simulate", "--tau", "7"), 2),
        (("history", "--dsn", "postgresql://nobody@127.0.0.1:1/nowhere"), 4),
        (("simulate", "--exam", "\x1b[31m\x7f\nNo\udc80", "--dsn", "sqlite:////nowhere/x"), 2),
    ],
)
def test_faults_are_objects_too(
    here: Run, words: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHSIM_LOG_FORMAT", "json")
    ended = here(*words)
    assert ended.code == code, ended.err
    found = lines(ended.err, code)
    (error,) = of(found, "error")
    assert error["exit_code"] == code
    assert error["level"] == "error"
    assert error["message"]
    assert "\x7f" not in ended.err


@pytest.mark.parametrize(
    "words", [("--log-format=json",), ("--log_format", "json"), ("--log-format", "json")]
)
def test_a_command_line_that_cannot_be_parsed_still_says_its_format(
    here: Run, words: tuple[str, ...]
) -> None:
    lines(here("calibrate", *words, "--no-such-option").err, 2)


def test_the_command_line_beats_the_environment(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHSIM_LOG_FORMAT", "json")
    assert here("calibrate", "--log-format", "text", "--bad").err.startswith("shsim: calibrate: ")
    assert here("doctor", "--log-format", "text").err == ""
    monkeypatch.setenv("SHSIM_LOG_FORMAT", "xml")
    ended = here("doctor")
    assert ended.code == 2
    assert "SHSIM_LOG_FORMAT" in ended.err


def test_a_settings_file_can_say_it(here: Run, demo: Sequence[str], tmp_path: Path) -> None:
    file = tmp_path / "shsim.toml"
    file.write_text('log-format = "json"\n')
    lines(here("export", *demo, "--config", str(file)).err, 0)


def test_a_bug_is_one_object_with_its_traceback(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_request: object) -> None:
        raise ZeroDivisionError("\x1b[31m")

    monkeypatch.setattr("shsim.cli.work.diagnosis.run", broken)
    (error,) = of(lines(here("doctor", *JSON).err, 1), "error")
    assert "ZeroDivisionError" in error["traceback"]


def test_pythons_own_warnings_are_objects() -> None:
    program = (
        "import sys, warnings\n"
        "from shsim.cli.log_lines import choose\n"
        "choose('json')\n"
        "warnings.warn('old', DeprecationWarning, stacklevel=1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", program], capture_output=True, text=True, check=True
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "python-warning"


def test_an_interrupt_ends_with_130(demo: Sequence[str]) -> None:
    child = subprocess.Popen(
        command("calibrate", *demo, "--n", "1000000", "--iters", "10000", *JSON),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stderr is not None
    said = ""
    while "repeats this run" not in said:
        said = child.stderr.readline()
        assert said, "it ended by itself"
    time.sleep(1)
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (130, "")
    (error,) = of(lines(err, 130), "error")
    assert error["message"] == "interrupted; nothing was saved"


def test_a_terminal_gets_no_bar(demo: Sequence[str]) -> None:
    code, shown = on_a_terminal(
        command("calibrate", *demo, *QUICK_CALIBRATION, *JSON, "--dry-run", "--format", "csv")
    )
    assert code == 0
    assert "\x1b" not in shown
    assert '"event": "iteration"' in shown


def test_what_a_library_writes_is_an_object_too(
    process: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text("")
    passfile.chmod(0o644)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    ended = process("history", "--dsn", "postgresql://x@127.0.0.1:1/x", *JSON)
    (told,) = of(lines(ended.err, 4), "foreign")
    assert "has group or world access" in told["message"]
    assert process("history", "--dsn", "postgresql://x@127.0.0.1:1/x").err.count("WARNING") == 1


def test_a_process_speaks_json_to_the_last_line(process: Run, demo: Sequence[str]) -> None:
    lines(process("calibrate", *demo, *EASY, *JSON, "--format", "json").err, 0)
    lines(process("calibrate", *JSON, "--nonsense").err, 2)


def test_a_closed_stderr_is_no_fault(demo: Sequence[str]) -> None:
    line = " ".join(command("export", *demo, *JSON))
    assert subprocess.run(["bash", "-c", f"{line} 2>&-"], capture_output=True).returncode == 0  # noqa: PLW1510
