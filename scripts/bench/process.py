"""Whole processes: what somebody waits for who types a command.

Usage: python scripts/bench/process.py [--quick]

`shsim --help` against a bare Python, a default calibration of the demo exam with kernels
compiled before against `import numba`, and the first run ever. Every run finds the
demo exam as `shsim db demo` makes it, in a data folder of its own. Run it from an environment
that holds shsim and its dependencies alone: where SciPy is installed, Numba loads it.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from child import Ended, run  # noqa: E402  the path comes first
from stopwatch import Costs, announce, arguments, compare, in_turn, show  # noqa: E402

CALIBRATE = ("calibrate", "--exam", "DEMO-EXAM", "--tau", "0.2")
QUICK = ("--n", "1024", "--iters", "2", "--verify-n", "20000")


class Place:
    """A folder in which every run finds the same data, and its own settings of ours only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SHSIM_", "PG", "DATABASE_URL"))
        } | {"XDG_DATA_HOME": str(folder / "data"), "SHSIM_CACHE_DIR": str(folder / "warm")}
        installed = Path(sysconfig.get_path("scripts")) / "shsim"
        self.shsim = [installed] if installed.exists() else [sys.executable, "-m", "shsim"]
        run([*self.shsim, "db", "demo"], self.environment)
        shutil.copytree(folder / "data", folder / "untouched")

    def calibrate(self, *, quick: bool, empty_cache: bool = False, seed: int = 1) -> Ended:
        """A calibration on the untouched demo exam; the seed makes rounds comparable."""
        shutil.rmtree(self._folder / "data")
        shutil.copytree(self._folder / "untouched", self._folder / "data")
        environment = self.environment | {"SHSIM_SEED": str(seed)}
        if empty_cache:
            shutil.rmtree(self._folder / "warm", ignore_errors=True)
        return run([*self.shsim, *CALIBRATE, *(QUICK if quick else ())], environment)


def measure(place: Place, *, quick: bool) -> None:
    """Print the comparisons."""
    ended: dict[str, list[Ended]] = {}

    def kept(name: str, end: Ended) -> float:
        ended.setdefault(name, []).append(end)
        return end.seconds

    def python(code: str) -> Ended:
        return run([sys.executable, "-c", code], place.environment)

    def show_with_processor(costs: list[Costs]) -> None:
        show(costs, "seconds")
        for side in costs:
            least = min(end.processor for end in ended[side.name])
            print(f"  of the processors' time, {side.name}: {least:.3f} s at least")

    short = in_turn(
        {
            "python -c pass": lambda: kept("python -c pass", python("pass")),
            "shsim --help": lambda: kept(
                "shsim --help", run([*place.shsim, "--help"], place.environment)
            ),
        },
        2 if quick else 21,
    )
    show_with_processor(short)

    calibration = "shsim " + " ".join(CALIBRATE)
    first = in_turn(
        {
            f"first run ever of {calibration}": lambda: kept(
                f"first run ever of {calibration}", place.calibrate(quick=quick, empty_cache=True)
            )
        },
        1 if quick else 3,
    )
    show_with_processor(first)

    warm = in_turn(
        {
            'python -c "import numba"': lambda: kept(
                'python -c "import numba"', python("import numba")
            ),
            calibration: lambda: kept(calibration, place.calibrate(quick=quick)),
        },
        2 if quick else 11,
    )
    show_with_processor(warm)

    compare(
        f"shsim --help over a bare Python ({short[1].least:.3f} s; goal: under 0.1 s)",
        short[1], short[0], "in seconds",
    )  # fmt: skip
    compare(
        f"the first run ever ({first[0].least:.1f} s, compiling included) over a warm one",
        first[0], warm[1], "none, as short as can be",
    )  # fmt: skip
    compare('a warm default calibrate over python -c "import numba"', warm[1], warm[0], "at most 5")


def main() -> None:
    """Measure in a folder that is removed again."""
    quick = arguments(__doc__ or "").parse_args().quick
    announce("Whole processes, with the kernels' cache and the data in a folder of their own.")
    if find_spec("scipy") is not None:
        print("SciPy is installed here: it makes `import numba` slower, on both sides.")
    with tempfile.TemporaryDirectory() as folder:
        measure(Place(Path(folder)), quick=quick)


if __name__ == "__main__":
    main()
