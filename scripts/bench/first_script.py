"""One simulated examinee against the first script's loop in plain Python.

Usage: python scripts/bench/first_script.py [--quick]

The first script re-ranked the whole pool at every position of every test. Both sides
give tests of 30 items from the same 300, under the same calibrated table of k, rejection
`position`; shsim's time is that of a whole cohort on two threads, bin tables included.
A pool of 10,000 items with a calibrated table of its own shows what its size costs.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from pools import calibration, golden_pool  # noqa: E402  the path comes first
from stopwatch import announce, arguments, compare, in_turn, seconds, show  # noqa: E402

from shsim.arrays import FloatArray  # noqa: E402
from shsim.kernels.rng import STREAM_SIMULATE  # noqa: E402
from shsim.model.item_pool import ItemPool  # noqa: E402
from shsim.model.settings import CalibrationSettings  # noqa: E402
from shsim.workflow.calibrate import calibrate  # noqa: E402
from shsim.workflow.examinees import Cohort  # noqa: E402
from shsim.workflow.executor import Executor  # noqa: E402
from shsim.workflow.one_pass import OnePassTests  # noqa: E402

SMALL, LARGE, LENGTH, TAU = 300, 10_000, 30, 0.2
THREADS = 2
D = 1.7


@dataclass
class Item:
    """An item as a script keeps it."""

    question_id: int
    a: float
    b: float
    c: float


def logistic(z: float) -> float:
    """The logistic function, which overflows for no z."""
    if z >= 0.0:
        return 1.0 / (1.0 + math.exp(-z))
    e = math.exp(z)
    return e / (1.0 + e)


def information(theta: float, item: Item) -> float:
    """3PL information by the formula that shsim uses: it neither cancels nor overflows."""
    z = D * item.a * (theta - item.b)
    s, q = logistic(z), logistic(-z)
    share = s / (item.c + (1.0 - item.c) * s) if item.c > 0.0 else 1.0
    return (D * item.a) ** 2 * (1.0 - item.c) * q * s * share


def textbook_information(theta: float, item: Item) -> float:
    """The same as textbooks print it: quicker, and an OverflowError for far items."""
    p = item.c + (1.0 - item.c) / (1.0 + math.exp(-D * item.a * (theta - item.b)))
    return (D * item.a) ** 2 * ((1.0 - p) / p) * ((p - item.c) / (1.0 - item.c)) ** 2


def first_script(
    items: list[Item],
    k: dict[int, float],
    proposals: dict[int, int],
    inform: Callable[[float, Item], float] = information,
) -> set[int]:
    """One examinee's test: the ids of the items seen. Adds to `proposals`."""
    theta = random.gauss(0.0, 1.0)
    seen: set[int] = set()
    for _ in range(LENGTH):
        ranked = sorted(items, key=lambda item: (-inform(theta, item), item.question_id))
        unseen = [item for item in ranked if item.question_id not in seen]
        chosen = unseen[0]
        for item in unseen:
            proposals[item.question_id] += 1
            if random.random() <= k[item.question_id]:  # noqa: S311 - as a script draws
                chosen = item
                break
        seen.add(chosen.question_id)
    return seen


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A pool and its calibrated table."""

    pool: ItemPool
    settings: CalibrationSettings
    k: FloatArray

    def by_shsim(self, n: int) -> tuple[float, float]:
        """Seconds an examinee of a cohort, and proposals a test."""
        proposed = 0

        def cohort() -> None:
            nonlocal proposed
            delivery = self.settings.delivery
            with Executor(self.pool, delivery, THREADS) as executor:
                examinees = Cohort(theta=delivery.theta, n=n, seed=1, stream=STREAM_SIMULATE)
                proposed = int(
                    OnePassTests(executor, delivery).run(examinees, self.k).proposed.sum()
                )

        return seconds(cohort) / n, proposed / n

    def by_first_script(
        self, n: int, inform: Callable[[float, Item], float] = information
    ) -> tuple[float, float]:
        """Seconds an examinee, and proposals a test."""
        pool = self.pool
        ids = pool.question_id.tolist()
        parameters = zip(ids, pool.a.tolist(), pool.b.tolist(), pool.c.tolist(), strict=True)
        items = [Item(*values) for values in parameters]
        k = dict(zip(ids, self.k.tolist(), strict=True))
        proposals = dict.fromkeys(ids, 0)
        elapsed = seconds(lambda: [first_script(items, k, proposals, inform) for _ in range(n)])
        return elapsed / n, sum(proposals.values()) / n


def calibrated(size: int, *, quick: bool) -> Delivery:
    """A pool of so many items with k that hold the cap (`quick`: that come near it)."""
    schedule = {"n": 2000, "iters": 12, "verify_n": 20_000} if quick else {}
    settings = calibration(length=LENGTH, tau=TAU, **schedule)
    pool = golden_pool(size)
    return Delivery(pool, settings, calibrate(pool, settings, threads=THREADS).k)


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__ or "").parse_args().quick
    cohort, plain, rounds = (20_000, 1, 2) if quick else (1_000_000, 25, 7)
    random.seed(1)
    small, large = calibrated(SMALL, quick=quick), calibrated(LARGE, quick=quick)
    announce(f"One examinee, {LENGTH} items a test, k calibrated to tau = {TAU}.")
    print(
        f"Proposals a test: first script {small.by_first_script(4 * plain)[1]:.0f},"
        f" shsim {small.by_shsim(cohort)[1]:.0f}"
    )
    costs = in_turn(
        {
            f"first script, N = {SMALL}": lambda: small.by_first_script(plain)[0],
            "the same, textbook formula": lambda: small.by_first_script(
                plain, textbook_information
            )[0],
            f"shsim, N = {SMALL}": lambda: small.by_shsim(cohort)[0],
            f"shsim, N = {LARGE:,}": lambda: large.by_shsim(cohort)[0],
        },
        rounds,
    )
    show(costs, "microseconds an examinee", 1e6)
    script, _, ours, ours_large = costs
    compare(
        f"an examinee in the first script's loop over one in shsim, N = {SMALL}, two threads",
        script, ours, "at least 10,000",
    )  # fmt: skip
    compare(f"N = {LARGE:,} over N = {SMALL}, in shsim", ours_large, ours, "at most 4")


if __name__ == "__main__":
    main()
