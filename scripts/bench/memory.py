"""Peak resident memory of 1,000,000 examinees on 100,000 items.

Usage: python scripts/bench/memory.py [--quick]

One process calibrates the pool, so that walks go as deep as they do in earnest; a second
one simulates under the k that came out, with every measure, and says how large its bin
tables have grown. The system tells the largest resident memory of each when it has ended.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from child import run  # noqa: E402  the path comes first
from stopwatch import announce, arguments, conclude  # noqa: E402

GIB, MIB = 2**30, 2**20
FULL, QUICK = (100_000, 1_000_000), (5_000, 20_000)


def calibrate(size: int, table: Path) -> None:
    """Calibrate a pool of `size` items and keep its k; runs in a process of its own."""
    import numpy as np
    from pools import calibration, golden_pool

    from shsim.workflow import calibrate

    result = calibrate.calibrate(golden_pool(size), calibration(tau=0.2, verify_n=50_000))
    np.save(table, result.k)


def simulate(size: int, n: int, table: Path) -> None:
    """Simulate with every measure, as the command does; runs in a process of its own."""
    import numpy as np
    from pools import golden_pool, simulation

    from shsim.kernels.rng import STREAM_SIMULATE
    from shsim.workflow.examinees import Cohort
    from shsim.workflow.executor import Executor
    from shsim.workflow.one_pass import OnePassTests

    delivery = simulation(tau=0.2, n=n).delivery
    pool = golden_pool(size, np.load(table))
    with Executor(pool, delivery, None) as executor:
        cohort = Cohort(theta=delivery.theta, n=n, seed=1, stream=STREAM_SIMULATE)
        OnePassTests(executor, delivery).run(cohort, pool.k, measure=True)
        tables = executor.prepare().tables
    # For the parent to read.
    print(tables.entries.nbytes + tables.bounds.nbytes, *tables.entries.shape)


def measure(size: int, n: int, folder: Path) -> None:
    """Run both processes and print what they took."""
    # Nothing large is loaded here: a child's peak begins with what its parent holds.
    table = folder / "k.npy"
    announce(f"{n:,} examinees on {size:,} items, a process each.")
    first = run([sys.executable, __file__, "calibrate", str(size), table])
    second = run([sys.executable, __file__, "simulate", str(size), str(n), table])
    for name, ended in (("calibrate", first), ("simulate", second)):
        print(f"{name:9}  {ended.seconds:6.1f} s  peak {ended.peak / MIB:6.0f} MiB")
    tables, bins, depth = map(int, second.out.split())
    print(f"bin tables of simulate: {tables:,} bytes, {bins} tables of {depth} items each")
    conclude(
        f"peak memory of simulating, {second.peak / MIB:.0f} MiB, over 1 GiB",
        second.peak / GIB,
        "under 1",
    )


def main() -> None:
    """Be the parent, or do the one job that a child was started for."""
    match sys.argv[1:]:
        case ["calibrate", size, table]:
            calibrate(int(size), Path(table))
        case ["simulate", size, n, table]:
            simulate(int(size), int(n), Path(table))
        case _:
            quick = arguments(__doc__ or "").parse_args().quick
            with tempfile.TemporaryDirectory() as folder:
                measure(*(QUICK if quick else FULL), Path(folder))


if __name__ == "__main__":
    main()
