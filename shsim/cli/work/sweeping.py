"""What `shsim sweep` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from shsim.cli.series import MOST_VALUES
from shsim.cli.work.delivery import STAND_IN, DeliveryRequest
from shsim.cli.work.opening import opened
from shsim.cli.work.problems import Problems
from shsim.model.ability import AbilityDistribution, number
from shsim.model.delivery import DeliverySettings
from shsim.model.sweep_settings import SweepSettings
from shsim.report.render import sweep_data, sweep_text
from shsim.report.sweep_data import headline
from shsim.workflow.run import sweep_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(DeliveryRequest):
    """The options of `sweep`; `blueprint_left` is where one is set, which a sweep has not."""

    taus: tuple[float, ...]
    lengths: tuple[int, ...]
    floor: float | None
    ceil: float | None
    iters: int | None
    tol: float | None
    nodes: int | None
    threads: int | None
    blueprint_left: str | None


def run(request: Request) -> None:
    """Sweep and render; nothing is written to a database."""

    def settings(problems: Problems) -> SweepSettings:
        return _settings(request, problems.without(request.read_theta) or STAND_IN)

    with opened(request, _conflicts(request), sweep_data, settings) as its:
        left = "SHSIM_BLUEPRINT" if os.environ.get("SHSIM_BLUEPRINT") else request.blueprint_left
        if left is not None:
            its.narrator.warn(f"a sweep has no blueprint: {left} is left aside")
        result = sweep_pool(
            its.source.load, its.settings, threads=request.threads, watch=its.narrator
        )
        closing = its.write(result)
        its.show(
            sweep_text(result, request.form, sys.stdout, closing), (*headline(result), *closing)
        )


def _conflicts(request: Request) -> Iterator[str]:
    """A sweep that would hardly end is an error."""
    if request.ability not in (None, "true"):
        yield (
            f"a sweep is solved in closed form, which --ability {request.ability} has not."
            f" Calibrate at each cap: shsim calibrate --ability {request.ability} --dry-run --tau"
            f" {number(request.taus[0])}"
        )
    points = len(request.taus) * len(request.lengths)
    if points > MOST_VALUES:
        yield (
            f"--tau and --len give {points:,} points, and {MOST_VALUES:,} are the most."
            " Give fewer values or a larger step."
        )


def _settings(request: Request, theta: AbilityDistribution) -> SweepSettings:
    # Nothing is drawn, so any seed will do.
    delivery = DeliverySettings(
        theta=theta, seed=0, **request.chosen("ability", "rejection", "scale")
    )
    return SweepSettings(
        delivery=delivery,
        taus=request.taus,
        lengths=request.lengths,
        **request.chosen("floor", "ceil", "iters", "tol", "nodes"),
    )
