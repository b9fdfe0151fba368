"""The cache of compiled kernels may cost time, never the run, and never runs a stale one.

Each test starts processes that compile the smallest kernel with helpers in other files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import shsim

pytestmark = pytest.mark.compiled

PACKAGE = Path(shsim.__file__).parent
NEEDS_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only root may mount a file system or become another user",
)

CHILD = """
import hashlib, json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import shsim
assert shsim.__file__.startswith(sys.argv[1]), shsim.__file__
from shsim.kernels import jit
from shsim.kernels.irt import prepare_items
from shsim.kernels.ranking import build_ranking
a, b = np.linspace(0.5, 2, 9), np.linspace(-1, 1, 9)
items = prepare_items(a, b, np.full(9, 0.2), np.ones(9), 1.7)
tables = build_ranking(items, -1.0, 1.0, 9, 8).tables
digest = hashlib.sha256(tables.entries.tobytes() + tables.bounds.tobytes()).hexdigest()
print(json.dumps({
    "digest": digest,
    "compiled": [name.split("-")[0] for name in jit.compiled_here()],
    "faults": list(jit.cache_faults().values()),
    "status": jit.cache_status()[1],
}))
"""
COMPILED = ["ranking.build_bins"]


def environment(cache, **changed):
    """The environment of a child: its cache, and what is changed (None: absent)."""
    wanted = {**os.environ, "SHSIM_CACHE_DIR": None if cache is None else str(cache), **changed}
    wanted = {"PYTHONDONTWRITEBYTECODE": "1", **wanted}
    return {name: value for name, value in wanted.items() if value is not None}


def start(cache, package=PACKAGE, prefix=(), **changed):
    return subprocess.Popen(
        [*prefix, sys.executable, "-W", "error", "-c", CHILD, str(package.parent)],
        env=environment(cache, **changed),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )


def ended(child):
    """What a child printed; nothing but that, and nothing on stderr."""
    out, err = child.communicate(timeout=300)
    assert (child.returncode, err) == (0, "")
    return json.loads(out)


def run(cache, package=PACKAGE, prefix=(), **changed):
    return ended(start(cache, package, prefix, **changed))


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A cache that a first process has filled, and what that process printed."""
    cache = tmp_path_factory.mktemp("warm")
    return cache, run(cache)


@pytest.fixture
def filled(warm, tmp_path):
    """A filled cache of the test's own."""
    return Path(shutil.copytree(warm[0], tmp_path / "cache"))


def entries(cache, suffix):
    found = list(cache.glob(f"kernels-*/*{suffix}"))
    assert found
    return found


def test_the_first_process_compiles_and_the_second_does_not(warm):
    cache, first = warm
    assert first["compiled"] == COMPILED
    second = run(cache)
    assert second["compiled"] == []
    assert second["digest"] == first["digest"]
    assert (second["faults"], second["status"]) == ([], None)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("irt.py", "share = e / ((1.0 + e)", "share = 0.5 * e / ((1.0 + e)"),
        ("heap.py", "value > other_value or", "value < other_value or"),
    ],
)
def test_an_edit_to_a_helper_never_runs_a_stale_kernel(warm, tmp_path, file, old, new):
    copy = tmp_path / "copy" / "shsim"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    source = copy / "kernels" / file
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    edited = run(warm[0], copy)
    assert edited["compiled"] == COMPILED
    assert edited["digest"] != warm[1]["digest"]


def test_another_folder_with_the_same_sources_shares_the_cache(warm, tmp_path):
    copy = tmp_path / "copy" / "shsim"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert run(warm[0], copy) == {**warm[1], "compiled": []}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("suffix", "spoil"),
    [
        (".nbc", cut),
        (".nbi", cut),
        (".nbc", lambda path: path.write_bytes(b"\xff garbage " * 99)),
        (".nbi", lambda path: path.write_bytes(b"")),
    ],
    ids=["code truncated", "index truncated", "code garbage", "index empty"],
)
def test_a_damaged_entry_costs_one_compilation_and_is_mended(filled, warm, suffix, spoil):
    for path in entries(filled, suffix):
        spoil(path)
    hurt = run(filled)
    assert hurt["compiled"] == COMPILED
    assert hurt["digest"] == warm[1]["digest"]
    assert run(filled) == {**warm[1], "compiled": []}


def test_an_entry_that_is_a_folder_costs_time(filled, warm):
    for path in entries(filled, ".nbi"):
        path.unlink()
        path.mkdir()
    hurt = run(filled)
    assert (hurt["compiled"], hurt["digest"]) == (COMPILED, warm[1]["digest"])
    assert hurt["faults"]


def still_runs(child, warm):
    """The run went through without a cache, with the same result, and knows why."""
    assert (child["compiled"], child["digest"]) == (COMPILED, warm[1]["digest"])
    assert child["faults"]
    assert child["faults"][0].startswith("could not be kept: ")
    assert child["status"]


def test_a_file_in_place_of_the_folder(warm, tmp_path):
    (tmp_path / "cache").write_text("")
    still_runs(run(tmp_path / "cache"), warm)


def test_a_folder_that_nobody_can_write(warm):
    still_runs(run("/proc/shsim"), warm)


def test_a_home_that_nobody_can_write(warm):
    still_runs(run(None, HOME="/proc/nobody", XDG_CACHE_HOME=None), warm)


@NEEDS_ROOT
def test_no_home_at_all(warm):
    # A user without an entry in the password file has no home that could be found.
    prefix = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups")
    imports = [*prefix, sys.executable, "-c", "import numba, shsim"]
    if (
        shutil.which("setpriv") is None
        or subprocess.run(imports, capture_output=True, check=False, cwd=PACKAGE.parent).returncode
    ):
        pytest.skip("another user cannot be, or cannot read this Python")
    still_runs(run(None, prefix=prefix, HOME=None, XDG_CACHE_HOME=None), warm)


def test_files_that_may_not_grow(warm, tmp_path):
    prefix = ("sh", "-c", 'ulimit -f 1; exec "$@"', "sh")
    child = run(tmp_path / "cache", prefix=prefix)
    assert (child["compiled"], child["digest"]) == (COMPILED, warm[1]["digest"])
    assert child["faults"]
    assert not list(tmp_path.rglob("*.tmp.*"))


@NEEDS_ROOT
def test_a_full_disk(warm, tmp_path):
    # A mount of the child's own: it goes with the child.
    mount = 'mount -t tmpfs -o size=8k none "$0" && exec "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", mount, str(tmp_path))
    allowed = (
        shutil.which("unshare")
        and not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    )
    if not allowed:
        pytest.skip("mounting is not allowed here")
    child = run(tmp_path / "cache", prefix=prefix)
    assert (child["compiled"], child["digest"]) == (COMPILED, warm[1]["digest"])
    assert child["faults"]
    assert "No space left" in child["faults"][0]


def test_four_processes_at_once_with_an_empty_cache(warm, tmp_path):
    children = [start(tmp_path) for _ in range(4)]
    for child in children:
        result = ended(child)
        assert result["digest"] == warm[1]["digest"]
        assert result["faults"] == []
    assert run(tmp_path)["compiled"] == []
