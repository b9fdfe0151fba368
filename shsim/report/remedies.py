"""What to type instead: options as they are typed, bounds that no table can get under."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace

from shsim.arrays import BoolArray
from shsim.model.ability import number
from shsim.model.blueprint import topic_sizes
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.results import Measures, Reasons
from shsim.model.settings import CalibrationSettings

#: Forced positions a test from which on the pool is said to be running out.
FORCED_WARNING = 1e-3


def same_test(delivery: DeliverySettings) -> str:
    """The options that ask for the same test, as they are typed."""
    options: dict[str, str | float | None] = {
        "len": delivery.length if delivery.se_stop is None else None,
        "rejection": delivery.rejection,
        "scale": delivery.scale,
        "theta": delivery.theta.spelling,
        "ability": delivery.ability if delivery.estimated else None,
        "start": delivery.start,
        "prior": None if delivery.prior is None else delivery.prior.spelling,
        "se-stop": delivery.se_stop,
        "min-len": delivery.min_len,
        "max-len": None if delivery.se_stop is None else delivery.length,
        "blueprint": None if delivery.blueprint is None else delivery.blueprint.spelling,
    }
    return " ".join(
        f"--{name} {shlex.quote(value) if isinstance(value, str) else _spelled(value)}"
        for name, value in options.items()
        if value is not None
    )


def infeasible(
    pool: ItemPool,
    measures: Measures,
    over: BoolArray,
    settings: CalibrationSettings,
    reasons: Reasons | None,
) -> str:
    """What to type where the pool cannot fill its tests under the cap, whatever the floor."""
    delivery = settings.delivery
    smallest = least_mean(pool, measures, delivery)
    larger = math.ceil(max(settings.tau * 1.1, 1.05 * smallest) * 1000) / 1000
    bound = f"no cap under {smallest:.4g} is conceivable; the pool may not reach it."
    if reasons is not None:
        # What is solved for is .995 of the cap, and rounded up to be read easily.
        larger = math.ceil(max(reasons.smallest_tau / settings.target, smallest) * 1e4) / 1e4
        bound = f"the smallest cap that was met is {reasons.smallest_tau:.4f}."
    options = {"--tau": min(larger, 1.0)}
    lowest = harmless_floor(pool, replace(settings, tau=options["--tau"]))
    if settings.floor > lowest:
        options["--floor"] = lowest
    ways = [typed(options), *_scarce(pool, over, delivery), shorter(delivery)]
    told = f"{bound} Give {', '.join(ways)} or more items."
    if measures.forced_per_test <= FORCED_WARNING:
        return told[0].upper() + told[1:]
    return f"{measures.forced_per_test:.3g} positions a test are filled by force: {told}"


def harmless_floor(pool: ItemPool, settings: CalibrationSettings) -> float:
    """A floor that cannot hold an item over the aim, rounded down to one digit.

    Proposed at most L times (`position`) or once (`examinee`), an item with this k is
    seen by no more than the aim.
    """
    aim = settings.aim(len(pool))
    if settings.delivery.rejection == "position":
        aim = -math.expm1(math.log1p(-aim) / settings.delivery.length) if aim < 1 else 1.0
    unit = 10.0 ** math.floor(math.log10(aim))
    return float(f"{math.floor(aim / unit) * unit:.0e}")


def least_mean(pool: ItemPool, measures: Measures, delivery: DeliverySettings) -> float:
    """A mean exposure that no table can do without: of all items, or of a topic."""
    length = float(delivery.shortest)
    if delivery.se_stop is not None:
        whole = measures.uncontrolled
        length = measures.mean_length if whole is None else whole.mean_length
    means = [length / len(pool)]
    if delivery.blueprint is not None:
        sizes = topic_sizes(pool)
        means += [
            rule.least / sizes[rule.topic]
            for rule in delivery.blueprint.rules
            if sizes.get(rule.topic)
        ]
    return max(means)


def _scarce(pool: ItemPool, over: BoolArray, delivery: DeliverySettings) -> Iterator[str]:
    """The topic whose items are over for its least's sake."""
    if delivery.blueprint is None:
        return
    held = set(pool.topic_id[over].tolist())
    names = [r.name for r in delivery.blueprint.rules if r.least and r.topic in held]
    if names:
        yield f"a lower least (or more items) of topic {names[0]}"


def shorter(delivery: DeliverySettings) -> str:
    """How shorter tests are asked for."""
    return "a shorter --len" if delivery.se_stop is None else "a larger --se-stop"


def typed(options: Mapping[str, float]) -> str:
    """Options and their values as they are typed."""
    return " ".join(f"{name} {_spelled(value)}" for name, value in options.items())


def _spelled(value: float) -> str:
    """A value as its option takes it: whole numbers in digits, never as 1e+06."""
    return str(value) if isinstance(value, int) else number(value)
