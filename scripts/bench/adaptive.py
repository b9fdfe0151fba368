"""Estimated ability: what an examinee and a calibration cost, and where to start from.

Usage: python scripts/bench/adaptive.py [--quick]

An examinee of an EAP test under its calibrated table is held against one ranked at the
true theta under its own; a default EAP calibration, verification and all, against that at
the true theta; and the iterations that a calibration takes from the exact solution at the
true theta against those from k = 1, by the same rule with the same draws.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from pools import calibration, golden_pool  # noqa: E402  the path comes first
from stopwatch import (  # noqa: E402
    Costs,
    announce,
    arguments,
    compare,
    conclude,
    in_turn,
    seconds,
    show,
)

from shsim.kernels.rng import STREAM_SIMULATE  # noqa: E402
from shsim.model.checkpoint import IterationState  # noqa: E402
from shsim.model.item_pool import ItemPool  # noqa: E402
from shsim.model.settings import CalibrationSettings  # noqa: E402
from shsim.workflow.calibrate import calibrate, find_k  # noqa: E402
from shsim.workflow.delivery import tests_of  # noqa: E402
from shsim.workflow.examinees import Cohort  # noqa: E402
from shsim.workflow.executor import Executor  # noqa: E402
from shsim.workflow.watch import SILENT  # noqa: E402

THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A pool, and what is asked of it."""

    name: str
    pool: ItemPool
    settings: CalibrationSettings

    def estimated(self) -> CalibrationSettings:
        """The same for a test that ranks by EAP."""
        return replace(self.settings, delivery=replace(self.settings.delivery, ability="eap"))

    def examinees(self, n: int, rounds: int) -> list[Costs]:
        """Seconds an examinee, EAP and true, each under its own table."""
        sides = {}
        for name, settings in (("EAP", self.estimated()), ("true theta", self.settings)):
            k = calibrate(self.pool, settings, threads=THREADS).k

            def cost(settings: CalibrationSettings = settings, k: np.ndarray = k) -> float:
                delivery = settings.delivery
                with Executor(self.pool, delivery, THREADS) as executor:
                    tests = tests_of(executor, self.pool, delivery)
                    cohort = Cohort(theta=delivery.theta, n=n, seed=1, stream=STREAM_SIMULATE)
                    return seconds(lambda: tests.run(cohort, k)) / n

            sides[f"{name}, {self.name}"] = cost
        return in_turn(sides, rounds)

    def calibrations(self, rounds: int) -> list[Costs]:
        """Seconds of whole calibrations from k = 1."""
        return in_turn(
            {
                f"EAP, {self.name}": lambda: (
                    calibrate(self.pool, self.estimated(), threads=THREADS).seconds
                ),
                f"true theta, {self.name}": lambda: (
                    calibrate(self.pool, self.settings, threads=THREADS).seconds
                ),
            },
            rounds,
        )

    def iterations(self) -> tuple[int, int]:
        """Iterations until the rates meet the cap: from k = 1, and from the exact solution."""
        settings = self.estimated()
        exact = len(calibrate(self.pool, settings, threads=THREADS).history)
        with Executor(self.pool, settings.delivery, THREADS) as executor:
            tests = tests_of(executor, self.pool, settings.delivery)
            first = IterationState.start(np.ones(len(self.pool)))
            _, history, _ = find_k(executor, tests, self.pool, settings, first, SILENT)
        return len(history), exact


def problems(*, quick: bool) -> list[Problem]:
    """C2 and C4, both rejections."""
    schedule = {"n": 2000, "iters": 20, "verify_n": 20_000} if quick else {}
    cases = [("N = 500, L = 30, tau = .2", 500, 30, 0.2)]
    if not quick:
        cases.append(("N = 1,000, L = 40, tau = .1", 1000, 40, 0.1))
    return [
        Problem(
            f"{name}, {rejection}",
            golden_pool(size),
            calibration(length, rejection, tau=tau, **schedule),
        )
        for name, size, length, tau in cases
        for rejection in ("position", "examinee")
    ]


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__ or "").parse_args().quick
    n, rounds = (5000, 1) if quick else (400_000, 3)
    announce("Tests that estimate ability, two threads.")
    per_examinee, whole, starts = [], [], []
    for problem in problems(quick=quick):
        per_examinee.append((problem.name, problem.examinees(n, rounds)))
        show(per_examinee[-1][1], "microseconds an examinee", 1e6)
        whole.append((problem.name, problem.calibrations(rounds)))
        show(whole[-1][1], "seconds a calibration")
        if problem.settings.delivery.rejection == "position":
            starts.append((problem.name, problem.iterations()))
            print(f"iterations from k = 1 and from the exact solution: {starts[-1][1]}")
    for name, costs in per_examinee:
        compare(f"an examinee of an EAP test over one at the true theta, {name}", *costs, "none")
    for name, costs in whole:
        compare(f"an EAP calibration over one at the true theta, {name}", *costs, "none")
    for name, (plain, exact) in starts:
        conclude(
            f"iterations from k = 1 (at most 100) over those from the exact solution, {name}",
            plain / exact, "over 1",
        )  # fmt: skip


if __name__ == "__main__":
    main()
