"""Where an interrupted calibration stands: all that the next iteration depends on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.model.ability import AbilityDistribution
from shsim.model.item_pool import ItemPool
from shsim.model.results import IterationRecord, Measures, Origin, StopReason
from shsim.model.settings import CalibrationSettings, settings_as_dict


@dataclass(frozen=True, slots=True, eq=False)
class IterationState:
    """A sampled method after `done` iterations; whoever starts from it goes on as if never ended.

    Attributes
    ----------
    done
        Iterations so far; each draws its examinees by its number and the seed alone.
    k
        The table that the next iteration runs at, (N,).
    averaged, log_sum
        Iterations whose ln k is averaged, and its sum, (N,).
    examinees, seen
        Of the averaged iterations: examinees, and how many of them saw each item, int64 (N,).
    history
        One record an iteration.
    stopped
        Why the iterations ended; None while they go on.
    """

    done: int
    k: FloatArray
    averaged: int
    log_sum: FloatArray
    examinees: int
    seen: IntArray
    history: tuple[IterationRecord, ...]
    stopped: StopReason | None = None

    @classmethod
    def start(cls, k: FloatArray) -> IterationState:
        """No iteration has been run; the first one runs at `k`."""
        n = len(k)
        return cls(0, k, 0, np.zeros(n), 0, np.zeros(n, np.int64), ())


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What an answer depends on, so that a state is only gone on with where it belongs.

    Attributes
    ----------
    program
        The version of shsim: another one may draw or round otherwise.
    exam
        The pool's name, for messages; the same items under another name are the same.
    items, in_force
        Digests of the items and their parameters, and of the k in force.
    settings
        Every setting that changes the answer, as plain values under the options' names.
    """

    program: str
    exam: str
    items: str
    in_force: str
    settings: dict[str, Any]

    @classmethod
    def of(cls, program: str, pool: ItemPool, settings: CalibrationSettings) -> RunIdentity:
        """The identity of a run of this `program` version."""
        columns = (pool.question_id, pool.version, pool.topic_id, pool.a, pool.b, pool.c, pool.d)
        return cls(program, pool.name, digest(*columns), digest(pool.k), _plain(settings))

    def differences(self, now: RunIdentity) -> list[str]:
        """How a run now differs from this one, each as ``--tau was 0.2 and is 0.15``."""
        found = []
        if self.program != now.program:
            found.append(f"shsim was {self.program} and is {now.program}")
        if self.items != now.items:
            found.append(f"the items differ (that pool was {self.exam}, this one is {now.exam})")
        elif self.in_force != now.in_force:
            found.append("the k in force have changed since")
        for name in dict.fromkeys([*self.settings, *now.settings]):
            then, here = self.settings.get(name), now.settings.get(name)
            if then != here:
                found.append(f"{name} was {_spelled(then)} and is {_spelled(here)}")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A run's identity, what was measured before its iterations, and where these stand."""

    identity: RunIdentity
    before: Measures
    origin: Origin
    state: IterationState


def digest(*arrays: AnyArray) -> str:
    """A fingerprint of numbers, the same on every machine."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    return total.hexdigest()


def _plain(settings: CalibrationSettings) -> dict[str, Any]:
    """Settings under their options' names, as JSON would give them back.

    A file of abilities counts by what is in it, not by its name.
    """
    plain = settings_as_dict(settings)
    for name in ("theta", "prior"):
        ability = getattr(settings.delivery, name)
        if isinstance(ability, AbilityDistribution) and ability.kind == "empirical":
            plain[name] = f"{len(ability.values)} abilities, {digest(ability.values)[:12]}"
    longest = "--len" if settings.delivery.se_stop is None else "--max-len"
    named = {
        longest if name == "length" else f"--{name.replace('_', '-')}": value
        for name, value in plain.items()
    }
    known: dict[str, Any] = json.loads(json.dumps(named))
    return known


def _spelled(value: Any) -> str:
    return "not given" if value is None else value if isinstance(value, str) else json.dumps(value)
