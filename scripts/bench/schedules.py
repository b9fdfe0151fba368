"""Each method's default schedule, and its neighbours: how near to the cap, how fast.

Usage: python scripts/bench/schedules.py [--quick] [--method METHOD] [--seeds COUNT]
           [--defaults] [--pool FILE.csv --tau TAU --len L]

On the golden pools, C2 (500 items, L = 30, tau = .20) and C4 (1,000 items, L = 40,
tau = .10), or on a pool of your own, for both rejections. Exposure is exact (the closed
chain of tests/oracle.py), so that what is left over is the schedule's own fault. Every
figure is the worst of the seeds, but for the iterations and seconds, which are means.
The table METHOD_DEFAULTS in shsim/model was chosen with this. A neighbour is the
default with one value changed, as named; `--defaults` leaves the neighbours out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from oracle import exact_exposure, normal_nodes  # noqa: E402  the path comes first
from pools import calibration, golden_pool  # noqa: E402
from stopwatch import announce, arguments, conclude, figure  # noqa: E402

from shsim.model import settings as table  # noqa: E402
from shsim.model.delivery import REJECTIONS  # noqa: E402
from shsim.model.item_pool import ItemPool  # noqa: E402
from shsim.model.settings import CalibrationSettings  # noqa: E402
from shsim.storage.csv_file import read_pool  # noqa: E402
from shsim.workflow.calibrate import calibrate  # noqa: E402

#: An item with a k under this is restrained.
RESTRAINED = 0.995


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A pool and what is asked of it."""

    name: str
    pool: ItemPool
    length: int
    tau: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One calibration: exact exposure over tau, iterations and seconds."""

    largest: float
    smallest: float
    iterations: int
    seconds: float


def neighbours(own: Any, *, wanted: bool) -> Iterator[tuple[str, Any]]:
    """The default schedule, and with `wanted` each that differs from it in one value."""
    yield "default", own
    if not wanted:
        return
    changes: dict[str, tuple[float, ...]] = {
        "n": (own.n // 2, own.n * 2),
        "iters": (own.iters // 2, own.iters * 2),
        "alpha": (own.alpha / 2, own.alpha * 1.5),
        "decay": (max(own.decay - 0.15, 0.05), min(own.decay + 0.15, 1.0)),
        "settle": (own.settle / 2, own.settle + 0.2) if own.settle else (0.2,),
    }
    for name, values in changes.items():
        for value in values:
            yield f"{name} {value:g}", replace(own, **{name: value})


def run(case: Case, settings: CalibrationSettings, nodes: int) -> Outcome:
    """Calibrate from k = 1 and look at the table that comes out."""
    pool, length = case.pool, settings.delivery.length
    result = calibrate(pool, settings)
    k, history = result.k, result.history
    seconds = sum(iteration.seconds for iteration in history)
    by_position = settings.delivery.rejection == "position"
    rate, _ = exact_exposure(
        normal_nodes(nodes), pool.a, pool.b, pool.c, k, length, settings.delivery.scale, by_position
    )
    restrained = rate[k < RESTRAINED]
    smallest = restrained.min() if len(restrained) else np.nan
    return Outcome(rate.max() / case.tau, smallest / case.tau, len(history), seconds)


def worst(outcomes: list[Outcome]) -> Outcome:
    """The worst exposure of several seeds, and what they took on average."""
    return Outcome(
        max(one.largest for one in outcomes),
        min(one.smallest for one in outcomes),
        round(float(np.mean([one.iterations for one in outcomes]))),
        float(np.mean([one.seconds for one in outcomes])),
    )


def compare_schedules(case: Case, rejection: str, options: argparse.Namespace) -> Outcome:
    """Print a row for each schedule; the default's outcome."""
    key = options.method, rejection
    own = table.METHOD_DEFAULTS[key]
    print(f"\n{case.name}, L = {case.length}, tau = {case.tau:g}, {options.method}, {rejection}")
    print(f"{'schedule':14}  max r/tau  min r/tau where k < {RESTRAINED}  iterations  seconds")
    found: list[Outcome] = []
    for name, schedule in neighbours(own, wanted=not (options.quick or options.defaults)):
        # The table itself, since no setting says when averaging begins.
        table.METHOD_DEFAULTS = {**table.METHOD_DEFAULTS, key: schedule}
        short = {"n": 1000, "iters": 14} if options.quick else {}
        outcomes = [
            run(
                case,
                calibration(
                    length=case.length, rejection=rejection, seed=seed, tau=case.tau,
                    method=options.method, restart=True, verify_n=20_000, **short,
                ),
                200 if options.quick else 2000,
            )
            for seed in range(1, options.seeds + 1)
        ]  # fmt: skip
        result = worst(outcomes)
        found.append(result)
        print(
            f"{name:14}  {result.largest:9.4f}  {result.smallest:27.4f}"
            f"  {result.iterations:10}  {result.seconds:7.2f}",
            flush=True,
        )
    table.METHOD_DEFAULTS = {**table.METHOD_DEFAULTS, key: own}
    return found[0]


def cases(options: argparse.Namespace) -> list[Case]:
    """The golden pools, or the one that was named."""
    if options.pool is not None:
        pool = read_pool(options.pool)
        return [Case(pool.name, pool, options.len, options.tau)]
    golden = [Case("C2", golden_pool(500), 30, 0.2), Case("C4", golden_pool(1000), 40, 0.1)]
    return golden[:1] if options.quick else golden


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    sampled = [method for (method, _), own in table.METHOD_DEFAULTS.items() if own.n]
    methods = dict.fromkeys(sampled)
    parser.add_argument("--method", choices=methods, default="classical")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to COUNT", metavar="COUNT")
    parser.add_argument("--defaults", action="store_true", help="no neighbours")
    parser.add_argument("--pool", type=Path, help="a CSV file in place of the golden pools")
    parser.add_argument("--tau", type=float, default=0.2, help="the cap for --pool")
    parser.add_argument("--len", type=int, default=30, help="the test length for --pool")
    options = parser.parse_args()
    if options.quick:
        options.seeds = 1
    announce(f"Schedules of {options.method}, seeds 1 to {options.seeds}, from k = 1.")
    results = {
        f"{case.name}, {rejection}": compare_schedules(case, rejection, options)
        for case in cases(options)
        for rejection in REJECTIONS
    }
    print()
    for name, result in results.items():
        conclude(
            f"largest exact exposure over tau, {options.method} by default, {name}",
            result.largest,
            f"at most 1.01; smallest of a restrained item {figure(result.smallest)}, at least 0.97",
        )


if __name__ == "__main__":
    main()
