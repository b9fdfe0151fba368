"""One step of a live test: the selector against the same step in NumPy and in plain Python.

Usage: python scripts/bench/selector.py [--quick]

Each step is told the examinee's estimate and the items seen so far, in 30-item tests at
simulated abilities, `position`, no hook. All sides rank and reject alike; NumPy and Python
compute every item's information and sort, as the first script did.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from oracle import information  # noqa: E402  the path comes first
from pools import NORMAL, calibration, golden_pool  # noqa: E402
from stopwatch import Costs, announce, arguments, compare, conclude, in_turn, show  # noqa: E402

from shsim import DeliverySettings, ItemPool, Selector  # noqa: E402
from shsim.workflow.calibrate import calibrate  # noqa: E402

LENGTH, TAU, TESTS = 30, 0.1, 5

#: The next item for an ability, the items seen and a generator.
Step = Callable[[float, Sequence[Any], np.random.Generator], Any]


def by_numpy(pool: ItemPool) -> Step:
    """Every item's information as one array, sorted; then a walk."""
    k = pool.k.tolist()

    def step(theta: float, seen: Sequence[int], rng: np.random.Generator) -> int:
        values = information(theta, pool.a, pool.b, pool.c, 1.7)
        values[list(seen)] = -1.0
        ranked = np.argsort(-values, kind="stable")[: len(k) - len(seen)]
        return next((int(i) for i in ranked if rng.random() <= k[i]), int(ranked[0]))

    return step


def by_python(pool: ItemPool) -> Step:
    """The same, item by item."""
    a, b, c, k = (values.tolist() for values in (pool.a, pool.b, pool.c, pool.k))

    def value(i: int, theta: float) -> float:
        s = 1.0 / (1.0 + math.exp(-1.7 * a[i] * (theta - b[i])))
        return float((1.7 * a[i]) ** 2 * (1 - c[i]) * (1 - s) * s * s / (c[i] + (1 - c[i]) * s))

    def step(theta: float, seen: Sequence[int], rng: np.random.Generator) -> int:
        taken = set(seen)
        unseen = [i for i in range(len(k)) if i not in taken]
        unseen.sort(key=lambda i: -value(i, theta))
        return next((i for i in unseen if rng.random() <= k[i]), unseen[0])

    return step


def by_selector(pool: ItemPool) -> Step:
    """The selector; items are pairs here."""
    selector = Selector(pool, DeliverySettings(length=LENGTH, theta=NORMAL, seed=1))
    return lambda theta, seen, rng: selector.next_item(theta, seen, rng).item


def middle_step(step: Step) -> float:
    """The median of the steps of a few tests in seconds; the same abilities for every side."""
    rng = np.random.default_rng(1)
    steps = []
    for theta in rng.normal(size=TESTS).tolist():
        seen: list[Any] = []
        marks = [time.perf_counter()]
        for _ in range(LENGTH):
            seen.append(step(theta, seen, rng))
            marks.append(time.perf_counter())
        steps += [later - sooner for sooner, later in pairwise(marks)]
    return median(steps)


def measure(size: int, rounds: int) -> list[Costs]:
    """Print what a step costs in a pool of so many items."""
    pool = golden_pool(size)
    pool = pool.with_k(calibrate(pool, calibration(LENGTH, tau=TAU, method="exact")).k)
    sides = {
        "selector": by_selector(pool),
        "NumPy": by_numpy(pool),
        "plain Python": by_python(pool),
    }
    costs = in_turn({name: partial(middle_step, step) for name, step in sides.items()}, rounds)
    show(costs, f"microseconds a step, {size:,} items", 1e6)
    return costs


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__ or "").parse_args().quick
    announce(f"Steps of {LENGTH}-item tests, k calibrated for a cap of {TAU}.")
    found = {size: measure(size, 2 if quick else 15) for size in (1000, 10_000)}
    for size, (selector, numpy, python) in found.items():
        compare(
            f"a step in NumPy over the selector's {selector.least * 1e6:.0f} µs, {size:,} items",
            numpy, selector, "at least 2",
        )  # fmt: skip
        compare(f"a step in plain Python over it, {size:,} items", python, selector, "none")
    conclude(
        "the selector's step, 10,000 items over 1,000",
        found[10_000][0].least / found[1000][0].least,
        "under 2",
    )


if __name__ == "__main__":
    main()
