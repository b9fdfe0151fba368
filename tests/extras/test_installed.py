"""What to type where an extra is missing, and that it never fetches another project's shsim."""

from __future__ import annotations

import shlex
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from shsim.errors import MissingExtraError
from shsim.extras import installed
from shsim.extras.installed import BROUGHT, remedy, require_extra

ROOT = Path(__file__).resolve().parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", BROUGHT)
def test_the_packages_of_the_extra_are_named_for_the_environment_that_runs(extra: str) -> None:
    program, *rest = shlex.split(remedy(extra))
    words = [program, *rest]
    assert sys.executable in words
    packages = words[words.index("install") + 1 :]
    assert {each for each in packages if each not in {"--python", sys.executable}} == {
        *DECLARED[extra]
    }


@pytest.mark.parametrize(
    ("pip", "begins"),
    [
        (True, [sys.executable, "-m", "pip", "install"]),
        (False, ["uv", "pip", "install", "--python", sys.executable]),
    ],
)
def test_an_environment_without_pip_is_a_matter_for_uv(
    monkeypatch: pytest.MonkeyPatch, begins: list[str], *, pip: bool
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda _name: object() if pip else None)
    assert shlex.split(remedy("redis")) == [*begins, *DECLARED["redis"]]


def test_a_checkout_that_was_never_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installed, "requires", unknown)
    monkeypatch.setattr(installed, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"install --python \S+ '\.\[redis\]'$"):
        require_extra("redis", "this")


@pytest.mark.parametrize("folder", ["shsim", "tests/cli/golden", "examples", "README.md"])
def test_nobody_is_told_to_install_shsim_by_name(folder: str) -> None:
    place = ROOT / folder
    files = [place] if place.is_file() else [each for each in place.rglob("*") if each.is_file()]
    telling = [
        str(each)
        for each in files
        if each.suffix != ".pyc" and "shsim[" in each.read_text(errors="replace")
    ]
    assert files
    assert not telling
