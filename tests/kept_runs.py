"""Checkpoints of runs that never were, and files that keep every state in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from shsim.model.checkpoint import Checkpoint, IterationState, RunIdentity
from shsim.model.results import Accuracy, IterationRecord, Lengths, Measures, Uncontrolled
from shsim.storage.checkpoint_format import decoded, encoded


def accuracy(value: float = float("nan")) -> Accuracy:
    tenths = tuple(np.linspace(0.1, 1, 10).tolist())
    return Accuracy(1000, -0.1, 0.2, 0.3, value, tenths, tenths, tenths, tenths)


def measures(**changed: Any) -> Measures:
    figures: dict[str, Any] = {
        "n": 1000,
        "tau": 0.2,
        "held": False,
        "max_exposure": 1 / 3,
        "max_over": 1 / 7,
        "over": 3,
        "over_beyond_noise": 2,
        "visible_excess": float("inf"),
        "mean_exposure": 0.1,
        "unused": 4,
        "forced": 0,
        "forced_per_test": 0.0,
        "proposals_per_test": 81.25,
        "overlap": 0.172,
        "chi_square": 5e-324,
        "gini": 0.682,
        "max_by_decile": tuple(np.linspace(0.1, 1, 10).tolist()),
        "information": 21.5,
        "information_kept": 0.961,
        "mean_length": 30.0,
        "lengths": Lengths(((10, 3), (12, 997)), 12, 12, 12),
        "accuracy": accuracy(),
        "uncontrolled": Uncontrolled(1000, 1.0, 3, 0.3, 30.0, 22.0, accuracy(0.98)),
        **changed,
    }
    return Measures(**figures)


def checkpoint(size: int = 3, done: int = 2, **changed: Any) -> Checkpoint:
    """A small one, with everything in it that there can be."""
    state: dict[str, Any] = {
        "done": done,
        "k": np.linspace(0, 1, size),
        "averaged": 1,
        "log_sum": np.log(np.linspace(0.1, 1, size)),
        "examinees": 2**60,
        "seen": np.arange(size) * 2**40,
        "history": tuple(IterationRecord(i, 0.1, 1 / 3, 0.2, 0.01) for i in range(done)),
        **changed,
    }
    identity = RunIdentity("0.1.0", "POOL", "ab", "cd", {"--tau": 0.1, "--seed": 2**62 + 1})
    return Checkpoint(identity, measures(), "exact", IterationState(**state))


class InMemory:
    """Stands in for a `CheckpointFile`; keeps the bytes of every state."""

    path = "memory"

    def __init__(self, content: bytes | None = None) -> None:
        self.kept: list[bytes] = []
        self.content = content

    def read(self) -> Checkpoint | None:
        return None if self.content is None else decoded(self.content)

    def write(self, made: Checkpoint) -> None:
        self.kept.append(encoded(made))

    def remove(self) -> None:
        self.content = None
