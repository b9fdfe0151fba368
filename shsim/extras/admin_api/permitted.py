"""What the server's operator does not permit, with the setting of `shsim serve` that does."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from shsim.extras.admin_api.settings import Limits
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.model.sweep_settings import SweepSettings
from shsim.workflow.expectation import working_bytes

Computed = CalibrationSettings | SimulationSettings | SweepSettings

_MEGABYTE = 1_000_000

#: Of one item, the most that are counted: more than any pool has items.
_MOST_PROPOSALS = 1e9


def over(limits: Limits, **asked: int) -> Iterator[str]:
    """Fields that are over the limit of the same name."""
    for name, value in asked.items():
        yield from _over(limits, name, name, value)


def over_in_all(limits: Limits, settings: Computed, controls: int = 1) -> Iterator[str]:
    """What is too much work only as a whole: items that all simulated tests are given.

    A quadrature node, which costs about as much as an examinee, counts as one; an item counts as
    often as it is proposed at least, under a `ceil` that lets it be taken so rarely.
    """
    if isinstance(settings, SweepSettings):
        factors = {
            "nodes": settings.nodes,
            "iters": settings.iters,
            "values of tau": len(settings.taus),
            "the sum of test_len": sum(settings.lengths),
        }
    else:
        exact = settings.method == "exact"
        factors = {"nodes": settings.nodes} if exact else {"n": settings.n}
        if isinstance(settings, CalibrationSettings):
            factors["iters"] = settings.iters
        elif controls > 1:
            factors["controls"] = controls
        factors["test length"] = settings.delivery.length
    if _ceil(settings) < 1:
        factors["1/ceil"] = int(min(1 / _ceil(settings), _MOST_PROPOSALS))
    yield from _over(limits, "work", " x ".join(factors), prod(factors.values()))


def over_for_pool(limits: Limits, exam: str, size: int, settings: Computed) -> Iterator[str]:
    """What is too much for a pool of that size."""
    if size > limits.items:
        yield f"{exam} has {size:,} items; {_permitted(limits, 'items')}."
    if isinstance(settings, SimulationSettings) and settings.method != "exact":
        return
    lengths = settings.lengths if isinstance(settings, SweepSettings) else ()
    length = max(lengths, default=settings.delivery.length)
    needed = -(-working_bytes(settings.nodes, size, length, _ceil(settings)) // _MEGABYTE)
    if needed > limits.mb:
        yield (
            f"{settings.nodes:,} nodes, {size:,} items and test_len {length:,} take {needed:,} MB"
            f" of memory; {_permitted(limits, 'mb')}. Give fewer nodes or shorter tests."
        )


def _ceil(settings: Computed) -> float:
    return 1.0 if isinstance(settings, SimulationSettings) else settings.ceil


def _over(limits: Limits, limit: str, shown: str, value: int) -> Iterator[str]:
    if value > getattr(limits, limit):
        yield f"{shown} = {value:,} is too much: {_permitted(limits, limit)}."


def _permitted(limits: Limits, limit: str) -> str:
    option = limit.replace("_", "-")
    most = getattr(limits, limit)
    return f"this server permits {most:,} (shsim serve --most-{option})"
