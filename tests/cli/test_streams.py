"""Real processes: what goes to which stream, and how a run ends when a stream or a user does."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from front_door import MISSED_CALIBRATION, QUICK, QUICK_CALIBRATION, Run, command
from storage.databases import item_rows, query

from shsim.cli.streams import say

#: What sets a colour or weight; a bare reset is none.
STYLE = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")


def test_json_has_stdout_to_itself(process: Run, demo: Sequence[str]) -> None:
    ended = process("calibrate", *demo, *QUICK_CALIBRATION, "--format", "json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["command"] == "calibrate"
    assert len(document["items"]) == 480
    assert "Saved to sqlite" in ended.err
    assert all(line.startswith("shsim: ") for line in ended.err.splitlines())


def test_head_ends_quietly(demo: Sequence[str]) -> None:
    line = " ".join(command("simulate", *demo, "--dry-run", *QUICK, "--format", "csv", "--quiet"))
    ended = subprocess.run(
        ["bash", "-c", f"{line} | head -3; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    assert len(ended.stdout.splitlines()) == 3
    assert set(ended.stderr.splitlines()) <= {
        line for line in ended.stderr.splitlines() if line.startswith("shsim: warning: The cap")
    }


def test_a_reader_that_has_gone_does_not_hide_the_exit_code(demo: Sequence[str]) -> None:
    line = " ".join(
        command("calibrate", *demo, *MISSED_CALIBRATION, "--require-cap", "--format", "csv")
    )
    ended = subprocess.run(
        ["bash", "-c", f"{line} | true; exit ${{PIPESTATUS[0]}}"], capture_output=True, check=False
    )
    assert ended.returncode == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("what", [("--help",), ("export",), ("simulate", *QUICK)])
def test_a_full_disk_is_one_line(what: tuple[str, ...], demo: Sequence[str]) -> None:
    options = () if what == ("--help",) else (*demo, "--quiet")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command(*what, *options), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1
    assert "No space left" in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_after_the_save_says_what_was_saved(demo: Sequence[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command("calibrate", *demo, *QUICK_CALIBRATION),
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 3
    assert "No space left" in ended.stderr
    assert "Saved to sqlite" in ended.stderr
    assert "are saved." in ended.stderr
    assert "run again" not in ended.stderr


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_closed_streams_are_no_fault(closed: str, demo: Sequence[str]) -> None:
    line = " ".join(command("export", *demo))
    ended = subprocess.run(["bash", "-c", f"{line} {closed}"], capture_output=True, check=False)
    assert ended.returncode == 0
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("what", ["simulate --pool -", "import - --exam X"])
def test_a_closed_stdin_is_an_empty_file(what: str) -> None:
    line = " ".join(command(*what.split()))
    ended = subprocess.run(
        ["bash", "-c", f"{line} <&-"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 3
    assert "standard input: it is empty" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_trace_but_in_the_ledger(
    number: signal.Signals, demo: Sequence[str], tmp_path: Path
) -> None:
    before = item_rows(demo[1])
    endless = ("--n", "1000000", "--iters", "10000", "--output", str(tmp_path / "k.csv"))
    child = subprocess.Popen(
        command("calibrate", *demo, *endless),
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
    time.sleep(1.5)  # into the iterations, whose number cannot be reached
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "shsim: interrupted; nothing was saved"
    assert "Traceback" not in err
    assert item_rows(demo[1]) == before
    assert query(demo[1], "SELECT outcome FROM shsim_run") == [("interrupted",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["qbank.sqlite"]


def on_a_terminal(arguments: Sequence[str], **environment: str) -> tuple[int, str]:
    """Run with all three streams on a terminal of 80 columns; exit code and what it showed."""
    master, slave = pty.openpty()
    child = subprocess.Popen(
        arguments,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            select.select([master], [], [], 60)
            block = os.read(master, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not block:
            break
        shown += block
    os.close(master)
    return child.wait(), shown.decode()


def test_a_terminal_gets_colour_and_progress(demo: Sequence[str]) -> None:
    code, shown = on_a_terminal(command("calibrate", *demo, *QUICK_CALIBRATION, "--dry-run"))
    assert code == 0, shown
    assert STYLE.search(shown)
    for words in ("measuring the k in force", "calibrating", "at most, largest", "verifying",
                  "left"):  # fmt: skip
        assert words in shown
    assert "warning:" not in shown, "the summary says it first, on the same screen"


class Terminal(io.StringIO):
    """A stderr that somebody looks at, of no known size."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("short", ["shsim: short"]),
        (
            "word " * 30,
            [
                "shsim: " + "word " * 13 + "word",
                "       " + "word " * 13 + "word",
                "       word word",
            ],
        ),
        ("/long" * 30 + " is a path", ["shsim:", "       " + "/long" * 30, "       is a path"]),
        (
            "see it " * 12 + "with: shsim show 12 --format csv --output a-file-of-its-own.csv",
            [
                "shsim: " + "see it " * 10 + "see",
                "       it see it with:",
                "       shsim show 12 --format csv --output a-file-of-its-own.csv",
            ],
        ),
    ],
)
def test_a_terminal_gets_lines_broken_between_words(
    monkeypatch: pytest.MonkeyPatch, message: str, shown: list[str]
) -> None:
    for stream, lines in ((Terminal(), shown), (io.StringIO(), [f"shsim: {message}"])):
        monkeypatch.setattr(sys, "stderr", stream)
        say(message)
        assert stream.getvalue() == "".join(f"{line}\n" for line in lines)


def test_a_verdict_is_not_told_twice_on_one_screen(
    here: Run, demo: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("calibrate", *demo, *QUICK_CALIBRATION, "--tau", "0.1", "--require-cap", "--dry-run")
    for together in (True, False):
        monkeypatch.setattr("shsim.cli.progress.one_terminal", lambda now=together: now)
        ended = here(*run)
        assert ended.code == 5
        assert "The cap of 0.1 is NOT held" in ended.out
        assert ("is NOT held" in ended.err) is not together
        assert "Nothing was saved, as --require-cap asks" in ended.err


def test_no_color_is_honoured_to_the_last_bold(demo: Sequence[str]) -> None:
    code, shown = on_a_terminal(command("simulate", *demo, *QUICK), NO_COLOR="1")
    assert code == 0, shown
    assert "The cap of 0.2 is NOT held" in shown
    assert not STYLE.search(shown)


def test_quiet_draws_nothing(demo: Sequence[str]) -> None:
    code, shown = on_a_terminal(command("simulate", *demo, *QUICK, "--quiet"))
    assert code == 0
    assert shown.lstrip().startswith("\x1b[1;31mThe cap of 0.2 is NOT held")


def test_a_pipe_gets_no_escape_code_and_80_columns(
    process: Run, demo: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    ended = process("simulate", *demo, *QUICK)
    assert "\x1b" not in ended.out + ended.err
    wide = [line for line in ended.out.splitlines() if len(line) > 80]
    assert [line.split()[:3] for line in wide] == [["Calibrate:", "shsim", "calibrate"]]
    assert "simulating" not in ended.err


def test_ascii_streams_get_ascii(demo: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ended = subprocess.run(
        command("simulate", *demo[:2], "--exam", "Prüfung\x1b[31m"),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 3
    assert b"\x1b" not in ended.stderr
    assert b"\\x1b[31m" in ended.stderr
    ended = subprocess.run(command("simulate", *demo, *QUICK), capture_output=True, check=False)
    assert ended.returncode == 0
    ended.stdout.decode("ascii")
    assert b" ####" in ended.stdout


def test_the_module_and_the_script_are_one(process: Run) -> None:
    script = Path(sys.executable).with_name("shsim")
    if script.exists():  # only where the package is installed, as under tox
        shown = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
        assert shown.stdout == process("--version").out
    assert process("--version").code == 0
