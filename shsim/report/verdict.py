"""The sentence an operator needs: is the cap held, and if not, why and what to type."""

from __future__ import annotations

import math

import numpy as np

from shsim.arrays import BoolArray, FloatArray
from shsim.model.ability import number
from shsim.model.item_pool import ItemPool
from shsim.model.results import ItemExposure, Measures, MissReason, StopReason, Verdict
from shsim.model.settings import METHOD_DEFAULTS, CalibrationSettings, SimulationSettings

#: Forced positions a test from which on the pool is said to be running out.
_FORCED_WARNING = 1e-3


def judge_calibration(
    pool: ItemPool,
    k: FloatArray,
    measures: Measures,
    exposure: ItemExposure,
    settings: CalibrationSettings,
    stopped: StopReason,
) -> Verdict:
    """The verdict on a new table of k."""
    if measures.held:
        return Verdict(held=True, sentence=_held(measures), reason=None, remedy=None)
    reason, remedy = _miss(pool, k, measures, exposure.over, settings, stopped)
    return Verdict(
        held=False,
        sentence=f"{_not_held(measures)} {_BECAUSE[reason]}",
        reason=reason,
        remedy=remedy,
    )


def judge_in_force(pool: ItemPool, measures: Measures, settings: SimulationSettings) -> Verdict:
    """The verdict on the k in force."""
    if measures.held:
        return Verdict(held=True, sentence=_held(measures), reason=None, remedy=None)
    remedy = f"Calibrate: shsim calibrate --tau {number(settings.tau)}"
    if settings.delivery.length != 30:
        remedy += f" --len {settings.delivery.length}"
    if settings.delivery.rejection != "position":
        remedy += f" --rejection {settings.delivery.rejection}"
    smallest = settings.delivery.length / len(pool)
    if settings.tau < smallest:
        remedy = (
            f"No k can hold it: {settings.delivery.length} items a test from {len(pool)} give a"
            f" mean exposure of {smallest:.4g}. Give a larger --tau, a shorter --len or more items."
        )
        return Verdict(held=False, sentence=_not_held(measures), reason="infeasible", remedy=remedy)
    return Verdict(held=False, sentence=_not_held(measures), reason="in_force", remedy=remedy)


def _held(measures: Measures) -> str:
    return (
        f"The cap of {number(measures.tau)} is held: of {measures.n:,} fresh examinees at most"
        f" {measures.max_exposure:.4f} saw one item, no item is over beyond noise, and an"
        f" excess of {measures.visible_excess:.1%} would have shown."
    )


def _not_held(measures: Measures) -> str:
    items = "1 item is" if measures.over_beyond_noise == 1 else (
        f"{measures.over_beyond_noise} items are"
    )  # fmt: skip
    return (
        f"The cap of {number(measures.tau)} is NOT held: {items} over it beyond noise,"
        f" the largest exposure is {measures.max_exposure:.4f}."
    )


_BECAUSE: dict[MissReason, str] = {
    "floor": "The floor keeps them there.",
    "ceil": "A ceil under 1 lets every item be refused, and refused tests are filled by force.",
    "infeasible": "The pool runs out of items before tests are full.",
    "examinees": "The iterations had too few examinees to see their own error.",
    "iterations": "The iterations ended before the rates had settled.",
    "in_force": "",
}


def _miss(
    pool: ItemPool,
    k: FloatArray,
    measures: Measures,
    over: BoolArray,
    settings: CalibrationSettings,
    stopped: StopReason,
) -> tuple[MissReason, str]:
    """Why the cap is missed, the likeliest cause first, and what to type instead."""
    at_floor = over & (k <= settings.floor * (1 + 1e-9))
    if bool(at_floor.any()) and settings.floor > 0:
        items = ", ".join(pool.item(i) for i in np.flatnonzero(at_floor)[:3].tolist())
        return "floor", (
            f"{np.count_nonzero(at_floor)} of them stand at the floor"
            f" {number(settings.floor)} ({items}, …). Give a lower one:"
            f" --floor {settings.floor / 20:.1g}"
        )
    if measures.forced_per_test > _FORCED_WARNING:
        if settings.ceil < 1:
            return "ceil", "Leave --ceil at 1."
        larger = min(1.0, math.ceil(settings.tau * 1.1 * 1000) / 1000)
        return "infeasible", (
            f"{measures.forced_per_test:.3g} positions a test are filled by force. The smallest"
            f" cap conceivable is {settings.delivery.length}/{len(pool)} ="
            f" {settings.delivery.length / len(pool):.4g}; the pool may not reach it."
            f" Try --tau {larger:g}, a shorter --len or more items."
        )
    own = METHOD_DEFAULTS[settings.method, settings.delivery.rejection]
    noise = math.sqrt((1 - settings.tau) / (settings.tau * settings.n * settings.iters))
    enough = own.examinees(settings.tau)
    if settings.n < enough and (settings.decay == 0 or noise > settings.tol / 3):
        return "examinees", f"Give more examinees an iteration: --n {enough}"
    more = own.iters if settings.iters < own.iters else 2 * settings.iters
    if stopped == "converged":
        return "examinees", f"Give more examinees an iteration: --n {4 * settings.n}"
    return "iterations", f"Run again, since a run starts from the k saved, with --iters {more}"
