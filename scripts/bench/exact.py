"""The exact method: what a solution costs, how far its nodes err, and what a sweep costs.

Usage: python scripts/bench/exact.py [--quick]

A solution, from k = 1 and rankings included, is held against one simulated iteration of
100,000 examinees; a sweep of 21 caps against one default calibration without its
verification. The error of the nodes is that of the largest rate, on 64,000 nodes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from pools import calibration, golden_pool  # noqa: E402  the path comes first
from stopwatch import Costs, announce, arguments, compare, in_turn, seconds, show  # noqa: E402

from shsim.kernels.rng import STREAM_CALIBRATE  # noqa: E402
from shsim.model.item_pool import ItemPool  # noqa: E402
from shsim.model.methods import DEFAULT_NODES  # noqa: E402
from shsim.model.settings import CalibrationSettings  # noqa: E402
from shsim.model.sweep_settings import SweepSettings  # noqa: E402
from shsim.workflow.calibrate import calibrate  # noqa: E402
from shsim.workflow.examinees import Cohort  # noqa: E402
from shsim.workflow.executor import Executor  # noqa: E402
from shsim.workflow.expectation import Expectation  # noqa: E402
from shsim.workflow.one_pass import OnePassTests  # noqa: E402
from shsim.workflow.solve import Solver, Target  # noqa: E402
from shsim.workflow.sweep import sweep  # noqa: E402

SIMULATED = 100_000
THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A pool and what is asked of it."""

    name: str
    pool: ItemPool
    settings: CalibrationSettings

    def solve(self, executor: Executor) -> np.ndarray:
        """The table of k, from k = 1."""
        solver = Solver(executor, self.pool, self.settings.delivery, self.settings.nodes)
        return solver.solve(np.ones(len(self.pool)), Target(self.settings.tau)).k

    def times(self, rounds: int) -> tuple[list[Costs], float]:
        """What both sides cost in seconds, and the error of the largest rate."""
        delivery = self.settings.delivery
        with Executor(self.pool, delivery, THREADS) as executor:
            k = self.solve(executor)
            cohort = Cohort(theta=delivery.theta, n=SIMULATED, seed=1, stream=STREAM_CALIBRATE)
            costs = in_turn(
                {
                    f"solution, {self.name}": lambda: seconds(lambda: self.solve(executor)),
                    f"{SIMULATED:,} examinees": lambda: seconds(
                        lambda: OnePassTests(executor, delivery).run(cohort, k, histogram=True)
                    ),
                },
                rounds,
            )
            fine = Expectation(executor, self.pool, delivery, 8 * DEFAULT_NODES)
            return costs, float(fine.of(k).rate.max()) / self.settings.tau - 1.0


def problems(*, quick: bool) -> list[Problem]:
    """C2 and C4, both rejections."""
    nodes = 800 if quick else DEFAULT_NODES
    cases = [("N = 500, L = 30, tau = .2", 500, 30, 0.2)]
    if not quick:
        cases.append(("N = 1,000, L = 40, tau = .1", 1000, 40, 0.1))
    return [
        Problem(
            f"{name}, {rejection}",
            golden_pool(size),
            calibration(length, rejection, tau=tau, nodes=nodes),
        )
        for name, size, length, tau in cases
        for rejection in ("position", "examinee")
    ]


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__ or "").parse_args().quick
    rounds = 2 if quick else 7
    announce("The exact method, two threads.")
    measured = []
    for problem in problems(quick=quick):
        costs, error = problem.times(rounds)
        show(costs, "seconds")
        print(f"the largest rate errs by {error:+.3%} of tau with {problem.settings.nodes} nodes")
        measured.append((problem.name, costs))
    pool = golden_pool()
    settings = calibration(nodes=800 if quick else DEFAULT_NODES, verify_n=20_000)
    taus = tuple(np.round(np.linspace(0.1, 0.3, 3 if quick else 21), 3).tolist())
    series = SweepSettings(
        delivery=settings.delivery, taus=taus, lengths=(30,), nodes=settings.nodes
    )
    swept = in_turn(
        {
            f"sweep of {len(taus)} caps": lambda: seconds(
                lambda: sweep(pool, series, threads=THREADS)
            ),
            "one calibration": lambda: seconds(lambda: calibrate(pool, settings, threads=THREADS)),
        },
        2 if quick else 5,
    )
    show(swept, "seconds")
    for name, (solution, simulated) in measured:
        compare(
            f"a solution, {name}, over an iteration of {SIMULATED:,} examinees",
            solution, simulated, "none, but quick",
        )  # fmt: skip
    compare(f"a sweep of {len(taus)} caps over one calibration", *swept, "at most 10")


if __name__ == "__main__":
    main()
