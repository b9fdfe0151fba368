"""The house stays as it was built: one subject a file, options in one place, nothing left out."""

from __future__ import annotations

import ast
import os
import tomllib
from pathlib import Path

import pytest

import shsim

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "shsim").rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]
LONGEST_FILE = 320
TOP_LEVEL = {"LICENSE", "CHANGELOG.md", "README.md", "pyproject.toml", "tox.ini"} | {
    "shsim",
    "tests",
    "examples",
    "scripts",
}
REFUSED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "misc", "shared", "base_"}
COMPILERS = {"jit", "njit", "generated_jit", "vectorize", "guvectorize", "cfunc", "jitclass"}


def settings() -> dict[str, dict[str, object]]:
    """Read the tools' own sections of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]


def test_top_level_holds_nothing_else() -> None:
    made_by_tools = {"dist", "build"}
    present = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert present - made_by_tools - TOP_LEVEL == set()


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_file_fits_in_one_reading(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE, "split it by subject"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_file_is_named_after_its_subject(path: Path) -> None:
    assert not {path.stem, *path.relative_to(ROOT).parts[:-1]} & REFUSED_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_only_jit_knows_the_compiler(path: Path) -> None:
    if path == ROOT / "shsim" / "kernels" / "jit.py":
        return
    used = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numba"):
            used.update(alias.name for alias in node.names)
    assert not used & COMPILERS, "take the wrapper of shsim/kernels/jit.py"


def test_jit_is_where_the_options_are() -> None:
    assert "njit" in (ROOT / "shsim" / "kernels" / "jit.py").read_text()


def test_every_room_has_its_floor() -> None:
    contracts = settings()["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")["layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    modules = {path.stem for path in (ROOT / "shsim").glob("[!_]*.py")}
    rooms = {path.parent.name for path in (ROOT / "shsim").glob("*/__init__.py")}
    assert modules | rooms == placed


def test_package_is_whole() -> None:
    """SQL, templates and the marker of types are in what is installed, not only in the checkout."""
    installed = Path(shsim.__file__).parent
    source = ROOT / "shsim"
    wanted = {
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {path for path in wanted if not (installed / path).is_file()} == set()


def test_it_is_the_wheel_that_is_tested() -> None:
    if not os.environ.get("SHSIM_TEST_WHEEL"):
        pytest.skip("run from the checkout, not by tox")
    assert not Path(shsim.__file__).resolve().is_relative_to(ROOT / "shsim")
