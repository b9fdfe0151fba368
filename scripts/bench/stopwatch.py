"""Both sides of a comparison in turn, and figures that are printed alike.

Every benchmark ends with its ratios, one a line, in words that a README can quote::

    ratio 12,345 (goal: at least 10,000; by medians 12,001): what over what

The ratios are of minima, since a busy machine only ever adds to a time.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median


@dataclass(frozen=True, slots=True)
class Costs:
    """What one side cost, run by run, in the unit that it was measured in."""

    name: str
    runs: tuple[float, ...]

    @property
    def least(self) -> float:
        """The minimum, which counts."""
        return min(self.runs)

    @property
    def middle(self) -> float:
        """The median, which says how busy the machine was."""
        return median(self.runs)


def arguments(what: str) -> argparse.ArgumentParser:
    """The options that every benchmark has; `what` is its docstring."""
    parser = argparse.ArgumentParser(
        description=what, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="a run of seconds that shows that it works, no more"
    )
    return parser


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(sides: Mapping[str, Callable[[], float]], rounds: int) -> list[Costs]:
    """Run the sides one after another, `rounds` times; each returns what it cost."""
    costs: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds):
        # Every other round backwards: no side always follows the same other one.
        for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
            costs[name].append(sides[name]())
    return [Costs(name, tuple(runs)) for name, runs in costs.items()]


def announce(title: str) -> None:
    """Print what is measured, and on what."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("shsim", "numba", "numpy"))
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    print(title)
    print(
        f"Python {platform.python_version()}, {versions}; {os.cpu_count()} processors, load {load}"
    )


def show(costs: list[Costs], unit: str, scale: float = 1.0) -> None:
    """Print each side's minimum and median; `scale` is the unit's share of what was measured."""
    width = max(len(side.name) for side in costs)
    print(f"{'':{width}}  {'minimum':>10}  {'median':>10}  {unit}, of {len(costs[0].runs)} runs")
    for side in costs:
        least, middle = figure(side.least * scale), figure(side.middle * scale)
        print(f"{side.name:{width}}  {least:>10}  {middle:>10}")


def compare(words: str, over: Costs, under: Costs, goal: str) -> None:
    """Print the ratio of two sides."""
    by_medians = f"by medians {figure(over.middle / under.middle)}"
    conclude(words, over.least / under.least, f"{goal}; {by_medians}")


def conclude(words: str, ratio: float, goal: str) -> None:
    """Print a ratio, what was wanted of it, and what over what it is."""
    print(f"ratio {figure(ratio, 4)} (goal: {goal}): {words}")


def figure(value: float, digits: int = 3) -> str:
    """A number to so many digits, or whole."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")
