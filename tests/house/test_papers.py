"""Licence, changelog, version, supported Pythons: said in several places, the same in all."""

from __future__ import annotations

import os
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import shsim

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def supported() -> list[str]:
    """List the Pythons that the classifiers promise."""
    pattern = re.compile(r"Programming Language :: Python :: (3\.\d+)$")
    return [match[1] for line in PROJECT["classifiers"] if (match := pattern.match(line))]


def test_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "MIT"
    assert text.startswith("MIT License\n")
    assert "Copyright (c) 2026 The shsim developers" in text


def test_version_is_one() -> None:
    if not os.environ.get("SHSIM_TEST_WHEEL"):
        pytest.skip("run from the checkout, not by tox")
    assert metadata.version("shsim") == shsim.__version__


def test_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(.+?)\] - (unreleased|\d{4}-\d{2}-\d{2})$", text, re.MULTILINE)
    assert versions
    assert versions[0][0] == shsim.__version__
    assert len(versions) == text.count("\n## ")


def test_the_supported_pythons_agree() -> None:
    newest = re.search(r"^NEWEST_PYTHON=(\d+)", environment_script(), re.MULTILINE)
    tox = (ROOT / "tox.ini").read_text()
    minors = ",".join(version.removeprefix("3.") for version in supported())
    assert newest is not None
    assert supported()[-1] == f"3.{newest[1]}"
    assert PROJECT["requires-python"] == f">={supported()[0]}"
    assert f"py3{{{minors}}}" in tox
    assert f"[testenv:smoke-py3{{{minors}}}]" in tox
    for version in supported():
        assert f"python{version}" in environment_script()


def environment_script() -> str:
    """Read the part that scripts/demo and scripts/test share."""
    return (ROOT / "scripts" / "lib" / "environment.sh").read_text()


def test_five_dependencies_and_no_more() -> None:
    names = {re.split(r"[<>=;\[ ]", line)[0] for line in PROJECT["dependencies"]}
    assert names == {"click", "numba", "numpy", "psycopg2-binary", "rich"}
