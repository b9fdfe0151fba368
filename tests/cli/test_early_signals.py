"""A signal that comes while the program is being imported ends it as any other does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

#: Sends the signal when click is about to be imported, which is before any of our handlers was.
CODE = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), {number})

if {ignored}:
    signal.signal({number}, signal.SIG_IGN)
sys.meta_path.insert(0, Interrupting())
sys.argv[:] = {argv}
from shsim.__main__ import main
main()
"""

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def run(
    number: signal.Signals, *arguments: str, ignored: bool = False
) -> subprocess.CompletedProcess[str]:
    code = CODE.format(number=int(number), ignored=ignored, argv=["shsim", *arguments])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", SIGNALS)
def test_it_is_told_in_one_line(number: signal.Signals) -> None:
    ended = run(number, "--version")
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "shsim: interrupted; nothing was saved\n"


def test_it_is_told_in_json_too() -> None:
    ended = run(signal.SIGINT, "doctor", "--log-format", "json")
    assert ended.returncode == 130
    error, end = map(json.loads, ended.stderr.splitlines())
    assert error["message"] == "interrupted; nothing was saved"
    assert (end["event"], end["exit_code"]) == ("end", 130)


@pytest.mark.parametrize("number", SIGNALS)
def test_what_the_parent_ignores_stays_ignored(number: signal.Signals) -> None:
    ended = run(number, "--version", ignored=True)
    assert ended.returncode == 0
    assert ended.stdout.startswith("shsim ")


def test_the_command_starts_there() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"shsim": "shsim.__main__:main"}
