"""What an interrupt may say of the save it met."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from made_up_results import calibration

from shsim.cli.output_file import OutputFile
from shsim.cli.process import exit_code
from shsim.cli.work.saving import Saving
from shsim.errors import DataError
from shsim.model.results import CalibrationResult


def output(path: Path) -> OutputFile[CalibrationResult]:
    return OutputFile[CalibrationResult](str(path), lambda result, form: f"{form}{len(result.k)}")


@pytest.mark.parametrize(
    ("saves", "steps", "said"),
    [
        (True, 0, "interrupted; nothing was saved"),
        (True, 1, "interrupted; it was saving, and the database holds all of the new k or none."),
        (True, 2, "interrupted; the new k had been saved already"),
        (False, 0, "interrupted; nothing was saved"),
        (False, 1, "interrupted; nothing was saved"),
        (False, 2, "interrupted; the file had been written already"),
    ],
)
def test_it_says_what_had_been_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], steps: int, said: str, *, saves: bool
) -> None:
    path = tmp_path / "k.csv"

    def work() -> None:
        with output(path) as file, Saving(file, saves=saves) as saving:
            if steps > 0:
                saving.stage(calibration(40))
            if steps > 1:
                saving.publish()
            raise KeyboardInterrupt

    assert exit_code(work) == 130
    assert said in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == (["k.csv"] if steps > 1 else [])


def test_a_file_that_fails_after_the_save_says_that_it_was_saved(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    folder.mkdir()
    with output(folder / "k.csv") as file, Saving(file, saves=True) as saving:
        saving.stage(calibration(40))
        (folder / "k.csv").mkdir()  # something else takes the name
        with pytest.raises(DataError, match="The new k had been saved before") as fault:
            saving.publish()
    assert len(fault.value.problems) == 2
    assert [path.name for path in folder.iterdir()] == ["k.csv"]


SWALLOWED = """
import os, signal
from shsim.cli.process import run_process
from shsim.cli.progress import Narrator
from shsim.cli.work.saving import Saving

def work():
    narrator = Narrator(quiet=True)
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except:  # as in a foreign import
        pass
    {next}
    print("went on")

run_process(work)
"""


@pytest.mark.parametrize(
    "following",
    [
        "narrator.heed()",
        "Saving(None, saves=True).stage(None)",
    ],
)
def test_a_swallowed_interrupt_still_ends_the_run(following: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SWALLOWED.replace("{next}", following)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 130
    assert ended.stdout == ""
    assert ended.stderr == "shsim: interrupted; nothing was saved\n"


SIGNALLED = """
import atexit, os, signal
from shsim.cli.process import run_process
from shsim.errors import DataError

def work():
    {work}

atexit.register(os.kill, os.getpid(), signal.{number})
run_process(work)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(("work", "code"), [("pass", 0), ("raise DataError('bad')", 3)])
def test_a_signal_after_the_end_changes_no_exit_code(number: str, work: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SIGNALLED.format(work=work, number=number)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code
    assert ended.stderr == ("shsim: bad\n" if code else "")
