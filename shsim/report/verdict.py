"""The sentence an operator needs: is the cap held, and if not, why and what to type."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from shsim.arrays import BoolArray, FloatArray
from shsim.model.ability import number
from shsim.model.control import NO_CONTROL, SYMPSON_HETTER, Control
from shsim.model.item_pool import ItemPool
from shsim.model.methods import METHOD_DEFAULTS
from shsim.model.results import ItemExposure, Measures, MissReason, Reasons, StopReason, Verdict
from shsim.model.settings import (
    DEFAULT_SIMULATE_N,
    CalibrationSettings,
    SimulationSettings,
    verification_size,
)
from shsim.report.remedies import (
    FORCED_WARNING,
    harmless_floor,
    infeasible,
    least_mean,
    same_test,
    shorter,
    typed,
)
from shsim.report.telling import give_more, too_few

#: How remedies begin that are a command line; what judges k that were made for another test.
_COMMAND, JUDGE = "Calibrate: shsim calibrate", "Judge them in that test: shsim simulate"

#: Within this factor of L/N hardly any pool lets the rates settle.
_CLOSE = 1.05

#: Forced positions a test from which on expected exposure is said to be incomplete.
_LEFT_OUT = 1e-6


def judge_calibration(
    pool: ItemPool,
    k: FloatArray,
    measures: Measures,
    exposure: ItemExposure,
    settings: CalibrationSettings,
    stopped: StopReason,
    reasons: Reasons | None,
) -> Verdict:
    """The verdict on a new table of k; `reasons` make its remedy exact."""
    if measures.held:
        held = _held(measures, settings.tol)
        return Verdict(held=True, sentence=held, reason=None, remedy=None)
    if measures.held is None:
        own = verification_size(settings.tau, settings.tol)
        return _untold(len(pool), measures, settings, "--verify-n", own)
    reason, remedy = _miss(pool, k, measures, exposure.over, settings, stopped, reasons)
    return Verdict(
        held=False,
        sentence=f"{_not_held(measures)} {_BECAUSE[reason]}",
        reason=reason,
        remedy=remedy,
    )


def judge_in_force(pool: ItemPool, measures: Measures, settings: SimulationSettings) -> Verdict:
    """The verdict on the k in force, or on another control."""
    control = settings.control
    unseen = _what_only_simulation_sees(measures, settings)
    if measures.held:
        held = _under(control, _held(measures, settings.tol)) + unseen
        return Verdict(held=True, sentence=held, reason=None, remedy=None)
    if measures.held is None:
        return _untold(len(pool), measures, settings, "--n", DEFAULT_SIMULATE_N, control)
    sentence = _under(control, _not_held(measures)) + unseen
    smallest = least_mean(pool, measures, settings.delivery)
    if settings.tau < smallest:
        remedy = (
            f"No k can hold it: {measures.mean_length:.4g} items a test from {len(pool)} give a"
            f" mean exposure of {smallest:.4g}."
            f" Give a larger --tau, {shorter(settings.delivery)} or more items."
        )
        return Verdict(held=False, sentence=sentence, reason="infeasible", remedy=remedy)
    if control != SYMPSON_HETTER:
        remedy = "Leave --control out to see what the k in force do; --compare shows several."
        return Verdict(held=False, sentence=sentence, reason="control", remedy=remedy)
    remedy = f"{_COMMAND} --tau {number(settings.tau)} {same_test(settings.delivery)}"
    return Verdict(held=False, sentence=sentence, reason="in_force", remedy=remedy)


def with_source(verdict: Verdict, source: str) -> Verdict:
    """The verdict whose remedy can be pasted: `source` is the options that name the items."""
    if verdict.reason != "in_force" or verdict.remedy is None:
        return verdict
    return replace(verdict, remedy=sourced(verdict.remedy, source))


def sourced(remedy: str, source: str) -> str:
    """A remedy that is a command line, with the options that name the items in it."""
    for command in (_COMMAND, JUDGE) if source else ():
        remedy = remedy.replace(command, f"{command} {source}", 1)
    return remedy


def _under(control: Control, sentence: str) -> str:
    """A sentence that begins with `The`, said of a control that is not in force."""
    where = _where(control)
    if not where:
        return sentence
    return f"{where[0].upper()}{where[1:]} the{sentence.removeprefix('The')}"


def _where(control: Control) -> str:
    """Under which control, where it is not in force."""
    if control == SYMPSON_HETTER:
        return ""
    return "without control" if control == NO_CONTROL else f"under {control.spelling}"


def _untold(
    size: int,
    measures: Measures,
    settings: CalibrationSettings | SimulationSettings,
    option: str,
    own: int,
    control: Control = SYMPSON_HETTER,
) -> Verdict:
    """The verdict where too few examinees tell; `own` is the option's default."""
    where = " ".join(["is held", *filter(None, [_where(control)])])
    return Verdict(
        held=None,
        sentence=(
            f"Whether the cap of {number(measures.tau)} {where} can't be told:"
            f" {too_few(measures.n)}; the largest exposure is {measures.max_exposure:.4f}."
        ),
        reason="too_few",
        remedy=give_more(option, own, measures.n, size, (settings.tau, settings.tol)),
    )


def _what_only_simulation_sees(measures: Measures, settings: SimulationSettings) -> str:
    """Under `position` the closed chain leaves forced positions out: say so."""
    by_position = settings.delivery.rejection == "position"
    if settings.method != "exact" or not by_position or measures.forced_per_test <= _LEFT_OUT:
        return ""
    return (
        f" But {measures.forced_per_test:.2g} positions a test are filled by force, which is not"
        " in it: let --method sampled judge."
    )


def _held(measures: Measures, tol: float) -> str:
    if measures.n == 0:
        return (
            f"The cap of {number(measures.tau)} is held: the largest expected exposure is"
            f" {measures.max_exposure:.4f}, computed without noise."
        )
    held = f"The cap of {number(measures.tau)} is held"
    among = f"among {measures.n:,} fresh examinee{'s' * (measures.n > 1)}"
    largest = f"the largest exposure {among} is {measures.max_exposure:.4f}"
    if measures.tau * (1 + tol) >= 1:
        return f"{held}, as any would be: {largest}."
    return (
        f"{held}: {largest}, no item is over beyond noise, and an excess of"
        f" {measures.visible_excess:.1%} would have shown."
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
    "infeasible": "The pool hardly fills its tests under this cap.",
    "examinees": "The iterations had too few examinees to see their own error.",
    "iterations": "The iterations ended before the rates had settled.",
    "in_force": "",
    "control": "",
    "too_few": "",
}


def _miss(
    pool: ItemPool,
    k: FloatArray,
    measures: Measures,
    over: BoolArray,
    settings: CalibrationSettings,
    stopped: StopReason,
    reasons: Reasons | None,
) -> tuple[MissReason, str]:
    """Why the cap is missed, the likeliest cause first, and what to type instead."""
    harmless = harmless_floor(pool, settings)
    at_floor = over & (k <= settings.floor * (1 + 1e-9))
    if bool(at_floor.any()) and settings.floor > harmless:
        if reasons is not None and reasons.smallest_tau > settings.tau:
            return "infeasible", infeasible(pool, measures, over, settings, reasons)
        lower = harmless
        largest = None if reasons is None else reasons.largest_floor
        if largest is not None and largest / 2 < settings.floor:
            lower = max(lower, largest / 2)
        return "floor", (
            f"{_items(pool, at_floor)} at the floor {number(settings.floor)}."
            f" Give a lower one: --floor {lower:.1g}"
        )
    if measures.forced_per_test > FORCED_WARNING:
        at_nought = k == 0
        if bool(at_nought.any()):
            return "floor", (
                f"{_items(pool, at_nought)} at k = 0, which a floor of 0 never lets rise."
                f" Give --floor {number(min(harmless, 0.001))}"
            )
        if settings.ceil < 1:
            return "ceil", "Give --ceil 1"
        return "infeasible", infeasible(pool, measures, over, settings, reasons)
    return _shortfall(pool, measures, over, settings, stopped, reasons)


def _shortfall(
    pool: ItemPool,
    measures: Measures,
    over: BoolArray,
    settings: CalibrationSettings,
    stopped: StopReason,
    reasons: Reasons | None,
) -> tuple[MissReason, str]:
    """The rule did not get there, though the pool fills its tests."""
    close = _CLOSE * least_mean(pool, measures, settings.delivery)
    if reasons is not None:
        close = reasons.smallest_tau
        if settings.tau < close:  # no schedule helps
            return "infeasible", infeasible(pool, measures, over, settings, reasons)
        if settings.method != "exact" and settings.tau < _CLOSE * close:
            why: MissReason = "examinees" if stopped == "converged" else "iterations"
            return why, _solve(settings, close)
    options = {} if settings.method == "exact" else _schedule(settings)
    if not options and settings.tau < close:
        return "infeasible", infeasible(pool, measures, over, settings, reasons)
    if "--n" in options or (stopped == "converged" and not options and settings.method != "exact"):
        options = options or {"--n": 4 * settings.n}
        return "examinees", f"Give more examinees an iteration: {typed(options)}"
    own = METHOD_DEFAULTS[settings.method, settings.delivery.rejection]
    options = options or {"--iters": max(2 * settings.iters, own.iters)}
    return "iterations", f"Give the rule more room: {typed(options)}"


def _solve(settings: CalibrationSettings, smallest: float) -> str:
    """To compute what sampled iterations hardly get at; what was typed for these goes."""
    own = METHOD_DEFAULTS[settings.method, settings.delivery.rejection]
    exact = METHOD_DEFAULTS["exact", settings.delivery.rejection]
    typed_for_it = {
        "--n": settings.n != own.examinees(settings.tau),
        "--alpha": settings.alpha != own.alpha,
        "--decay": settings.decay != own.decay,
        "--iters": settings.iters != own.iters and settings.iters < exact.iters,
    }
    without = " and ".join(name for name, typed in typed_for_it.items() if typed)
    return (
        f"The smallest cap that was met is {smallest:.4f}, and so near it sampled rates hardly"
        f" settle. Give --method exact{f', and leave out {without}' if without else ''}"
    )


def _items(pool: ItemPool, chosen: BoolArray) -> str:
    """How many there are, and the first three by name: ``2 items (17/2, 40/1) stand``."""
    count = int(np.count_nonzero(chosen))
    names = [pool.item(i) for i in np.flatnonzero(chosen)[:3].tolist()]
    listed = ", ".join(names + ["…"] * (count > len(names)))
    return f"1 item ({listed}) stands" if count == 1 else f"{count} items ({listed}) stand"


def _schedule(settings: CalibrationSettings) -> dict[str, float]:
    """The options of the rule that fall short of the method's own, all at once."""
    own = METHOD_DEFAULTS[settings.method, settings.delivery.rejection]
    enough = own.examinees(settings.tau)
    noise = math.sqrt((1 - settings.tau) / (settings.tau * settings.n * settings.iters))
    options: dict[str, float] = {}
    if settings.n < enough and (settings.decay == 0 or noise > settings.tol / 3):
        options["--n"] = enough
    if settings.iters < own.iters:
        options["--iters"] = own.iters
    if settings.alpha < own.alpha:
        options["--alpha"] = own.alpha
    if settings.decay == 0 or settings.decay > own.decay:
        options["--decay"] = own.decay
    return options
