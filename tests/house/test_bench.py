"""The benchmarks run, and print the ratios that the README quotes; their times are not judged.

One is, and only among the long tests: what the README says of the size that a database may have.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from postgres_server import Server

BENCHMARKS = Path(__file__).resolve().parents[2] / "scripts" / "bench"

#: How many ratios each prints.
RATIOS = {
    "admin_api": 1,
    "adaptive": 5,
    "exact": 3,
    "first_script": 2,
    "memory": 1,
    "process": 3,
    "proposals": 3,
    "schedules": 2,
    "selector": 5,
    "threads": 1,
}

#: What takes longest, though it be --quick.
DEAR = {"admin_api", "adaptive", "process", "selector"}

RATIO = re.compile(r"ratio ([\d,]*\d\.?\d*) \(goal: (.+?)\): (\S.+)")


@dataclass(frozen=True)
class Ratio:
    """What a benchmark found, what was wanted of it, and what over what it is."""

    found: float
    goal: str
    words: str


def ratios(name: str, *options: str, **surroundings: str) -> list[Ratio]:
    """Run a benchmark; the ratios at the end of what it prints."""
    kept = {n: v for n, v in os.environ.items() if n == "SHSIM_CACHE_DIR" or n[:6] != "SHSIM_"}
    done = subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=kept | surroundings,
    )
    assert (done.returncode, done.stderr) == (0, "")
    last = [line for line in done.stdout.splitlines() if line.startswith("ratio ")]
    assert done.stdout.splitlines()[-len(last) :] == last, "the ratios stand at the end"
    read = [RATIO.fullmatch(line) for line in last]
    assert all(read), last
    return [Ratio(float(match[1].replace(",", "")), match[2], match[3]) for match in read if match]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.long if n in DEAR else ()) for n in RATIOS]
)
def test_prints_its_ratios(name: str) -> None:
    found = ratios(name, "--quick")
    assert len(found) == RATIOS[name]
    assert all(ratio.found > 0 for ratio in found)


def test_storage_prints_its_ratios(postgres_server: Server) -> None:
    found = ratios("storage", "--quick", SHSIM_TEST_DSN=postgres_server.dsn)
    assert len(found) == 2
    assert all(ratio.found > 0 for ratio in found)


def test_size_prints_its_ratios(postgres_server: Server) -> None:
    found = ratios("size", "--quick", SHSIM_TEST_DSN=postgres_server.dsn)
    assert len(found) == 10
    assert all(ratio.found > 0 for ratio in found)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_million_items_beside_ten_thousand_runs_stay_usable(
    postgres_server: Server, kind: str
) -> None:
    """The one test that holds a speed against a goal, and it does so by no clock alone.

    Both sides of a ratio do the same work in turn in one run, and it is of their minima, which a
    busy machine moves little; where it moved them over the goal, another run settles it.
    """
    over = too_slow(kind, postgres_server)
    assert not over or not over & too_slow(kind, postgres_server)


def too_slow(kind: str, server: Server) -> set[str]:
    """What took more than 3 times as long as by hand, or too much memory."""
    found = ratios("size", kind, SHSIM_TEST_DSN=server.dsn)
    goals = {"at most 3": 3.0, "under 1": 1.0}
    assert len(found) == 5
    return {each.words for each in found if each.found > goals[each.goal.partition(";")[0]]}


def test_no_benchmark_is_left_out() -> None:
    runnable = {path.stem for path in BENCHMARKS.glob("*.py") if "\nUsage: " in path.read_text()}
    # `peers` is not run here: it installs other people's packages, and takes minutes.
    assert runnable == {*RATIOS, "storage", "size", "peers"}


def test_peers_say_what_they_compare() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "peers.py", "--help"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    sources = {name: (BENCHMARKS / name).read_text() for name in ("peers.py", "peers_child.py")}
    pinned = re.findall(r'"([a-z-]+)==([\d.]+)"', sources["peers.py"])
    assert pinned
    assert all(f"{name} {version}" in done.stdout for name, version in pinned)
    named = set(re.findall(r'\("(\w+)", [\d_]+, [\d_]+\)', sources["peers.py"]))
    assert named == set(re.findall(r"^def (\w+)\(.*\) -> Give:", sources["peers_child.py"], re.M))


def test_peers_refuse_a_python_that_was_named() -> None:
    done = subprocess.run(
        ["sh", BENCHMARKS / "peers_environment"],
        env=os.environ | {"PYTHON_PEERS": "/nowhere/python3"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "(tried /nowhere/python3)" in done.stderr
    assert len(done.stderr.splitlines()) == 1
