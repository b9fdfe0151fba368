"""An examinee of an adaptive test, against other packages that simulate them.

Usage: python scripts/bench/peers.py [--quick]

All sides give tests of 25 items from one pool, a ~ U(.5, 2), b ~ U(-3, 3), c ~ U(.05, .2) and
D = 1, to standard normal examinees, ranking items by information at an estimate of theta
after each response. Seconds an examinee are compared. shsim's are those of a whole cohort,
bin tables included, by EAP on 64 nodes; its k are calibrated to tau = .2 first. A peer's are
taken in a process of its own, set-up left out, with the nodes that it takes by default:

fast-mlsirm 0.11.4, `sympson_hetter`: a calibration in Rust on one thread, EAP on 41 nodes, a
    rejected item blocked for the rest of the test. It cannot simulate under a given k, so
    the time of 10 cycles to tau = .2 is divided by all their examinees; the first cycle,
    without rejections, is cheaper, which is in its favour. shsim: rejection `examinee`.
mirt 1.2.0, `CATEngine.run_batch_simulation` with `SympsonHetter`: EAP on 21 nodes, every
    item drawn for anew at each position (shsim: rejection `position`), under the same k. Of
    its three ways of simulating, only the loop in Python knows exposure control.
mirt 1.2.0, `CATEngine.compute_conditional_mse`: 2PL (c = 0) without control in Rust on two
    threads, EAP on 21 nodes. `run_batch_simulation` runs the same Rust and takes twice as long,
    since it makes a Python object an examinee. (With 61 nodes, which take it longer, its
    items are exposed as shsim's are.)
catsim 0.21.0, `Simulator`: no EAP and no Sympson-Hetter; maximum likelihood without control,
    in Python, by its default search, which is the fastest of its seven. shsim controls.

Needs a Python 3.12 to 3.14 (PYTHON_PEERS names one) and, the first time, a package index:
the peers are installed into a folder that is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "scripts" / "bench"
sys.path[:0] = [str(BENCH), str(ROOT / "tests")]

from child import run  # noqa: E402  the path comes first
from peers_child import LENGTH, TAU  # noqa: E402
from pools import NORMAL, make_pool  # noqa: E402
from stopwatch import Costs, announce, arguments, compare, in_turn, seconds, show  # noqa: E402

from shsim.arrays import FloatArray  # noqa: E402
from shsim.kernels.rng import STREAM_SIMULATE  # noqa: E402
from shsim.model.delivery import DeliverySettings, Rejection  # noqa: E402
from shsim.model.item_pool import ItemPool  # noqa: E402
from shsim.model.settings import CalibrationSettings  # noqa: E402
from shsim.workflow.calibrate import calibrate  # noqa: E402
from shsim.workflow.delivery import tests_of  # noqa: E402
from shsim.workflow.examinees import Cohort  # noqa: E402
from shsim.workflow.executor import Executor  # noqa: E402

REQUIREMENTS = ("fast-mlsirm==0.11.4", "mirt==1.2.0", "catsim==0.21.0")
SMALL, MIDDLE, LARGE = 300, 500, 10_000
THREADS = 2

#: Of each peer: its work in peers_child.py, and examinees in full and in a quick run.
PEERS = {
    "fast-mlsirm, EAP and Sympson-Hetter, in Rust on one thread": ("fast_mlsirm", 1000, 50),
    "mirt, EAP and Sympson-Hetter, in Python": ("mirt_hetter", 150, 5),
    "catsim, ML without control, in Python": ("catsim", 150, 5),
    "mirt, EAP without control, 2PL, in Rust": ("mirt_batch", 50_000, 2000),
}


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A pool, its adaptive test, and the table that it is given under."""

    pool: ItemPool
    settings: DeliverySettings
    k: FloatArray

    def seconds_each(self, n: int, threads: int = THREADS) -> float:
        """Seconds an examinee of a cohort."""
        examinees = Cohort(theta=NORMAL, n=n, seed=1, stream=STREAM_SIMULATE)

        def cohort() -> None:
            with Executor(self.pool, self.settings, threads) as executor:
                tests_of(executor, self.pool, self.settings).run(examinees, self.k)

        return seconds(cohort) / n


def items(size: int, guessing: tuple[float, float] = (0.05, 0.2)) -> ItemPool:
    """The pool that all sides share."""
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0.5, 2, size), rng.uniform(-3, 3, size)
    return make_pool(a, b, rng.uniform(*guessing, size))


def adaptive(rejection: Rejection) -> DeliverySettings:
    """The test; D = 1, as the peers have it."""
    return DeliverySettings(
        length=LENGTH, ability="eap", rejection=rejection, theta=NORMAL, scale=1.0, seed=1
    )


def calibrated(size: int, rejection: Rejection, *, quick: bool) -> Delivery:
    """Under k that hold the cap (`quick`: that come near it)."""
    schedule = {"n": 2000, "iters": 12, "verify_n": 20_000} if quick else {}
    pool, delivery = items(size), adaptive(rejection)
    settings = CalibrationSettings.make(delivery, tau=TAU, **schedule)
    return Delivery(pool, delivery, calibrate(pool, settings, threads=THREADS).k)


def peers_python() -> str:
    """The interpreter of the peers' environment, made where it is not there yet."""
    made = subprocess.run(
        ["sh", BENCH / "peers_environment", *REQUIREMENTS],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if made.returncode:
        sys.exit(made.returncode)  # it has said why
    return made.stdout.strip()


def ours(blocking: Delivery, redrawing: Delivery, *, quick: bool) -> dict[str, Callable[[], float]]:
    """What an examinee takes here, in seconds."""
    control = "shsim, EAP and Sympson-Hetter, rejection"
    small, large = (calibrated(size, "position", quick=quick) for size in (SMALL, LARGE))
    free = Delivery(items(MIDDLE, (0, 0)), adaptive("position"), np.ones(MIDDLE))
    n = 20_000 if quick else 400_000
    return {
        f"{control} examinee": lambda: blocking.seconds_each(n),
        "the same on one thread": lambda: blocking.seconds_each(n, threads=1),
        f"{control} position": lambda: redrawing.seconds_each(n),
        f"the same, N = {SMALL}": lambda: small.seconds_each(n),
        f"the same, N = {LARGE:,}": lambda: large.seconds_each(n),
        "shsim, EAP without control, 2PL": lambda: free.seconds_each(n),
    }


def theirs(
    python: str, shared: Delivery, folder: Path, *, quick: bool
) -> dict[str, Callable[[], float]]:
    """What an examinee takes each peer, in seconds, in a new process."""
    file, pool = folder / "items.npz", shared.pool
    np.savez(file, a=pool.a, b=pool.b, c=pool.c, k=shared.k)
    # As many threads as ours: mirt's Rust would take every processor.
    environment = os.environ | {"RAYON_NUM_THREADS": str(THREADS)}

    def seconds_each(work: str, n: int) -> float:
        # -I: nothing of the caller's own is imported. catsim prints empty lines, too.
        command = [python, "-I", BENCH / "peers_child.py", work, file, str(n)]
        return float(run(command, environment).out.split()[-1])

    return {
        name: partial(seconds_each, work, quickly if quick else fully)
        for name, (work, fully, quickly) in PEERS.items()
    }


def print_ratios(costs: list[Costs]) -> None:
    """Print the ratios."""
    blocking, alone, redrawing, small, large, free, fast_mlsirm, hetter, catsim, batch = costs
    shape = f"N = {MIDDLE}, L = {LENGTH}"
    compare(
        f"an examinee in fast-mlsirm's sympson_hetter over one in shsim, EAP, {shape},"
        f" {THREADS} threads",
        fast_mlsirm, blocking, "at least 50",
    )  # fmt: skip
    compare("the same, shsim on one thread, too", fast_mlsirm, alone, "none, but fair")
    compare(
        f"one in mirt with SympsonHetter over one in shsim, EAP, {shape}",
        hetter, redrawing, "at least 1,000",
    )  # fmt: skip
    compare(
        f"one in catsim without control over one in shsim with it, {shape}",
        catsim, redrawing, "at least 1,000",
    )  # fmt: skip
    compare(
        f"one in mirt's Rust batch over one in shsim, EAP without control, 2PL, {shape},"
        f" {THREADS} threads each",
        batch, free, "at least 10",
    )  # fmt: skip
    compare(
        f"N = {LARGE:,} over N = {SMALL}, EAP and Sympson-Hetter, in shsim",
        large, small, "at most 2.5",
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__ or "").parse_args().quick
    python = peers_python()  # first, since it may fail
    blocking, redrawing = (
        calibrated(MIDDLE, rejection, quick=quick) for rejection in ("examinee", "position")
    )
    with tempfile.TemporaryDirectory() as folder:
        sides = ours(blocking, redrawing, quick=quick)
        sides |= theirs(python, redrawing, Path(folder), quick=quick)
        announce(f"One examinee, N = {MIDDLE} unless said, {LENGTH} items a test.")
        print(f"Peers: {', '.join(REQUIREMENTS)}")
        costs = in_turn(sides, 2 if quick else 7)
    show(costs, "microseconds an examinee", 1e6)
    print_ratios(costs)


if __name__ == "__main__":
    main()
