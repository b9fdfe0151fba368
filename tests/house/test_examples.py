"""The examples run as they stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def surroundings(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "XDG_DATA_HOME": str(tmp_path), "PATH": path}


def run(surroundings, *words):
    done = subprocess.run(
        words, env=surroundings, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.compiled
def test_the_library(surroundings):
    said = run(surroundings, sys.executable, str(EXAMPLES / "calibrate_in_python.py"))
    assert said.startswith("The cap of 0.25 is held")


@pytest.mark.compiled
def test_what_if(surroundings):
    said = run(surroundings, "sh", str(EXAMPLES / "what_if.sh"), "DEMO-EXAM", "0.25", "0.3")
    lines = said.splitlines()
    assert lines[0] == "tau,largest,overlap,information_kept"
    assert [line.split(",")[0] for line in lines[1:]] == ["0.25", "0.3"]
    assert float(lines[2].split(",")[3]) > float(lines[1].split(",")[3])


@pytest.mark.compiled
def test_the_settings_file(surroundings):
    said = run(
        surroundings, sys.executable, "-m", "shsim", "simulate", "--dry-run", "--seed", "1",
        "--n", "2000", "--config", str(EXAMPLES / "shsim.toml"),
    )  # fmt: skip
    assert "DEMO-EXAM: 480 items, 30 a test" in said


@pytest.mark.compiled
def test_the_blueprint(surroundings):
    said = run(
        surroundings, sys.executable, "-m", "shsim", "trace", "--seed", "1",
        "--tests", "1", "--len", "10", "--ability", "eap", "--format", "json",
        "--blueprint", str(EXAMPLES / "blueprint.toml"),
    )  # fmt: skip
    topics = [step["topic_id"] for step in json.loads(said)["tests"][0]["steps"]]
    assert 4 <= topics.count(1) <= 8
    assert topics.count(2) >= 3
    assert topics.count(7) <= 2


def test_every_example_is_listed():
    listed = (EXAMPLES / "README.md").read_text()
    files = [path.name for path in EXAMPLES.iterdir() if path.is_file()]
    assert [name for name in files if name != "README.md" and f"]({name})" not in listed] == []
