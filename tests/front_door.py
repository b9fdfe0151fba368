"""How the tests start shsim, and what they keep of how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

#: A run that is over at once; what it finds is of no account.
QUICK = ("--n", "2000", "--seed", "1")
QUICK_CALIBRATION = (*QUICK, "--iters", "3", "--verify-n", "20000")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


def command(*arguments: str) -> list[str]:
    """The arguments that start shsim as a process."""
    return [sys.executable, "-m", "shsim", *arguments]
