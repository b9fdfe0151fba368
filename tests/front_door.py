"""How the tests start shsim, and what they keep of how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

#: A run that is over at once; what it finds is of no account.
QUICK = ("--n", "2000", "--seed", "1")
#: A calibration that holds its cap, so that no reasons are sought, in a fifth of a second.
SHORT_CALIBRATION = (*QUICK, "--len", "10", "--iters", "12", "--verify-n", "20000")
#: At a cap that so few examinees do find: one that is missed is explained, which takes seconds.
QUICK_CALIBRATION = (*QUICK, "--iters", "3", "--verify-n", "20000", "--tau", "0.5")
MISSED_CALIBRATION = (*QUICK_CALIBRATION, "--tau", "0.2")
#: A calibration of a short test that holds its cap, so that no reasons are sought.
SHORT_TESTS = (*QUICK, "--len", "10", "--iters", "12", "--verify-n", "20000")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, and a data folder of the test's own."""
    for name in os.environ:
        if name.startswith(("SHSIM_", "PG")) and name not in {"SHSIM_CACHE_DIR", "SHSIM_TEST_DSN"}:
            monkeypatch.delenv(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def command(*arguments: str) -> list[str]:
    """The arguments that start shsim as a process."""
    return [sys.executable, "-m", "shsim", *arguments]
