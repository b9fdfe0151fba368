"""Peak resident memory of 1,000,000 examinees on 100,000 items.

Usage: python scripts/bench/memory.py [--quick]

One process calibrates the pool, so that walks go as deep as they do in earnest; a second
one simulates under the k that came out, with every measure. Each is asked for its largest
resident memory when it has ended, and says how large its bin tables have grown.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from child import run  # noqa: E402  the path comes first
from stopwatch import announce, arguments, conclude, figure  # noqa: E402

GIB, MIB = 2**30, 2**20
FULL, QUICK = (100_000, 1_000_000), (5_000, 20_000)


def calibrate(size: int, table: Path) -> None:
    """Calibrate a pool of `size` items from k = 1 and keep k; runs in a process of its own."""
    import numpy as np
    from pools import calibration, golden_pool

    from shsim.workflow.calibrate import iterate
    from shsim.workflow.executor import Executor
    from shsim.workflow.watch import SILENT

    pool = golden_pool(size)
    settings = calibration(tau=0.2)
    with Executor(pool, settings.delivery, None) as executor:
        k, _, _ = iterate(executor, pool, settings, SILENT)
        report(executor)
    np.save(table, k)


def simulate(size: int, n: int, table: Path) -> None:
    """Simulate as the command does; runs in a process of its own."""
    import numpy as np
    from pools import golden_pool, simulation

    from shsim.kernels.rng import STREAM_SIMULATE
    from shsim.workflow.examinees import Cohort
    from shsim.workflow.executor import Executor
    from shsim.workflow.verify import verify
    from shsim.workflow.watch import SILENT

    pool = golden_pool(size, np.load(table))
    settings = simulation(tau=0.2, n=n)
    delivery = settings.delivery
    with Executor(pool, delivery, None) as executor:
        cohort = Cohort(theta=delivery.theta, n=n, seed=1, stream=STREAM_SIMULATE)
        verify(executor, cohort, pool.k, settings, SILENT)
        report(executor)


def report(executor) -> None:  # type: ignore[no-untyped-def]  # its import is not light
    """Print the size of the bin tables, for the parent to read."""
    tables = executor.prepare().tables
    print(tables.entries.nbytes + tables.bounds.nbytes, *tables.entries.shape)


def measure(size: int, n: int, folder: Path) -> None:
    """Run both processes and print what they took."""
    # Nothing large is loaded here: a child's peak begins with what its parent holds.
    table = folder / "k.npy"
    announce(f"{n:,} examinees on {size:,} items, a process each.")
    for job in (["calibrate", size, table], ["simulate", size, n, table]):
        ended = run([sys.executable, __file__, *map(str, job)])
        tables, bins, depth = map(int, ended.out.split())
        print(
            f"{job[0]:9}  {ended.seconds:6.1f} s  peak {ended.peak / MIB:6.0f} MiB,"
            f" of it {tables:,} bytes of bin tables, {bins} of {depth}"
        )
    conclude(
        f"peak memory of simulating, {ended.peak / MIB:.0f} MiB, over 1 GiB",
        ended.peak / GIB,
        f"under 1; bin tables alone {figure(tables / GIB)}",
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
