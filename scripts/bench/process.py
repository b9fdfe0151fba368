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
from collections.abc import Callable, Mapping
from functools import partial
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
        } | {
            "XDG_DATA_HOME": str(folder / "data"),
            "SHSIM_CACHE_DIR": str(folder / "warm"),
            "SHSIM_SEED": "1",
        }
        installed = Path(sysconfig.get_path("scripts")) / "shsim"
        self.shsim = [installed] if installed.exists() else [sys.executable, "-m", "shsim"]
        run([*self.shsim, "db", "demo"], self.environment)
        shutil.copytree(folder / "data", folder / "untouched")

    def calibrate(self, *, quick: bool, empty_cache: bool = False) -> Ended:
        """A calibration of the untouched demo exam; the same seed, so that rounds compare."""
        shutil.rmtree(self._folder / "data")
        shutil.copytree(self._folder / "untouched", self._folder / "data")
        if empty_cache:
            shutil.rmtree(self._folder / "warm", ignore_errors=True)
        return run([*self.shsim, *CALIBRATE, *(QUICK if quick else ())], self.environment)


def in_turn_with_processor(
    sides: Mapping[str, Callable[[], Ended]], rounds: int
) -> tuple[Costs, ...]:
    """Run the sides in turn and print their elapsed and processor time; the elapsed."""
    ended: dict[str, list[Ended]] = {name: [] for name in sides}

    def elapsed(name: str) -> float:
        ended[name].append(sides[name]())
        return ended[name][-1].seconds

    costs = in_turn({name: partial(elapsed, name) for name in sides}, rounds)
    rows: list[Costs] = []
    for side in costs:
        spent = tuple(end.processor for end in ended[side.name])
        rows += [side, Costs("  processors' time", spent)]
    show(rows, "seconds")
    return tuple(costs)


def measure(place: Place, *, quick: bool) -> None:
    """Print the comparisons."""

    def python(code: str) -> Ended:
        return run([sys.executable, "-c", code], place.environment)

    bare, teaching = in_turn_with_processor(
        {
            "python -c pass": lambda: python("pass"),
            "shsim --help": lambda: run([*place.shsim, "--help"], place.environment),
        },
        2 if quick else 21,
    )
    calibration = "shsim " + " ".join(CALIBRATE)
    (first,) = in_turn_with_processor(
        {
            f"first run ever of {calibration}": lambda: place.calibrate(
                quick=quick, empty_cache=True
            )
        },
        1 if quick else 3,
    )
    # The last of these has filled the cache.
    imported, warm = in_turn_with_processor(
        {
            'python -c "import numba"': lambda: python("import numba"),
            calibration: lambda: place.calibrate(quick=quick),
        },
        2 if quick else 11,
    )
    compare(
        f"shsim --help, {teaching.least:.3f} s, over a bare Python", teaching, bare, "under 0.1 s"
    )
    compare(
        f"the first run ever, {first.least:.1f} s with its compiling, over a warm one",
        first, warm, "none, but short",
    )  # fmt: skip
    compare(
        f'a warm default calibrate, {warm.least:.2f} s, over python -c "import numba"',
        warm, imported, "at most 5",
    )  # fmt: skip


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
