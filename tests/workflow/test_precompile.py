"""The adaptive kernel compiled aside: the one that runs want, and no run depends on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from children import runs
from pools import calibration, golden_pool
from storage.waiting import wait_until

from shsim.workflow import precompile
from shsim.workflow.calibrate import calibrate
from shsim.workflow.watch import Silent

pytestmark = pytest.mark.compiled

SIMULATE = """
from pools import golden_pool, simulation
from dataclasses import replace
from shsim.kernels.jit import compiled_here
from shsim.workflow.simulate import simulate
settings = simulation(10, n=2000)
for rejection, blueprint in (("position", None), ("examinee", None)):
    delivery = replace(settings.delivery, ability="eap", rejection=rejection)
    simulate(golden_pool(60), replace(settings, delivery=delivery))
print(*compiled_here())
"""


@pytest.mark.long
def test_what_is_compiled_aside_is_what_a_run_calls(tmp_path):
    tests = str(Path(__file__).parents[1])
    surroundings = {**os.environ, "SHSIM_CACHE_DIR": str(tmp_path), "PYTHONPATH": tests}

    def run(*arguments):
        child = subprocess.Popen(
            [sys.executable, *arguments],
            env=surroundings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with child:  # its stdin stays open, as this process lives on
            written = child.stdout.read()
        assert child.returncode == 0
        return written

    run("-m", precompile.__name__)
    assert [path.name for path in tmp_path.glob("*/*administer_adaptively*.nbc")]
    compiled = run("-c", SIMULATE)
    assert "build_bins" in compiled
    assert "administer_adaptively" not in compiled


def settings():
    return calibration(10, n=2000, iters=3, verify_n=20_000)


def wanted(monkeypatch, command):
    """Have `command` run in the place of the compiler; the processes that were started."""
    started = []

    def start(_module):
        started.append(subprocess.Popen(command))
        return started[-1]

    monkeypatch.setattr(precompile, "_is_worth_it", lambda: True)
    monkeypatch.setattr(precompile, "start_compiler", start)
    return started


def test_a_run_goes_on_where_it_fails(monkeypatch):
    started = wanted(monkeypatch, [sys.executable, "-c", "raise SystemExit(3)"])
    assert calibrate(golden_pool(100), settings()).when_estimated > 0
    assert [process.returncode for process in started] == [3]


def test_a_run_that_ends_early_ends_it(monkeypatch):
    started = wanted(monkeypatch, [sys.executable, "-c", "import time; time.sleep(600)"])

    class Interrupted(Silent):
        def stage(self, stage, _total):
            if stage == "calibrating":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(golden_pool(100), settings(), watch=Interrupted())
    assert [process.returncode for process in started] == [-9]


def test_nothing_is_started_where_it_is_cached(monkeypatch):
    calibrate(golden_pool(100), settings())
    started = []
    monkeypatch.setattr(precompile, "start_compiler", lambda _: started.append(1))
    calibrate(golden_pool(100), settings())
    assert started == []


COMPILING = """
import sys
from shsim.workflow.compiler_process import start_compiler
print(start_compiler("endless").pid, flush=True)
sys.stdin.read()
"""

ENDLESS = """
import threading
from shsim.workflow.compiler_process import compile_for_parent
compile_for_parent(threading.Event().wait)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="who runs is told by /proc")
def test_a_compiler_ends_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "endless.py").write_text(ENDLESS)
    surroundings = {**os.environ, "PYTHONPATH": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", COMPILING],
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        compiler = int(parent.stdout.readline())
        assert runs(compiler)
        parent.kill()
    wait_until(lambda: not runs(compiler))
