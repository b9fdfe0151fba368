"""Two threads against one, on the same examinees.

Usage: python scripts/bench/threads.py [--quick]

The golden pool C2 under its calibrated table. The tallies must come out the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from pools import calibration, golden_pool  # noqa: E402  the path comes first
from stopwatch import announce, arguments, compare, in_turn, seconds, show  # noqa: E402

from shsim.kernels.rng import STREAM_SIMULATE  # noqa: E402
from shsim.workflow.calibrate import calibrate  # noqa: E402
from shsim.workflow.examinees import Cohort  # noqa: E402
from shsim.workflow.executor import Executor  # noqa: E402
from shsim.workflow.one_pass import OnePassTests  # noqa: E402
from shsim.workflow.totals import Totals  # noqa: E402

ITEMS, TAU = 500, 0.2


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__ or "").parse_args().quick
    schedule = {"n": 2000, "iters": 12, "verify_n": 20_000} if quick else {}
    n, rounds = (50_000, 2) if quick else (2_000_000, 9)
    pool = golden_pool(ITEMS)
    settings = calibration(tau=TAU, **schedule)
    k = calibrate(pool, settings).k
    delivery = settings.delivery
    cohort = Cohort(theta=delivery.theta, n=n, seed=1, stream=STREAM_SIMULATE)
    announce(f"{n:,} examinees, {ITEMS} items, {delivery.length} a test, k calibrated.")
    with Executor(pool, delivery, 1) as alone, Executor(pool, delivery, 2) as paired:
        totals: dict[int, Totals] = {}

        def run(executor: Executor) -> None:
            totals[executor.threads] = OnePassTests(executor, delivery).run(cohort, k)

        run(alone), run(paired)
        if not np.array_equal(totals[1].seen, totals[2].seen):
            sys.exit("The tallies of one thread and of two differ: this is a bug in shsim.")
        costs = in_turn(
            {
                "one thread": lambda: seconds(lambda: run(alone)),
                "two threads": lambda: seconds(lambda: run(paired)),
            },
            rounds,
        )
    show(costs, "seconds")
    compare("one thread over two, the same tallies", *costs, "at least 1.7")


if __name__ == "__main__":
    main()
