"""The range of every numeric setting, and what is said of a value outside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from shsim.model.ability import number

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: setting, its range in words, test
_RANGES: tuple[tuple[str, str, Callable[[float], bool]], ...] = (
    ("tau", "in (0, 1]", lambda x: 0 < x <= 1),
    ("n", "from 1 to 1,000,000,000", lambda x: 1 <= x <= 10**9),
    ("nodes", "from 20 to 1,000,000", lambda x: 20 <= x <= 10**6),
    ("verify_n", "from 1 to 1,000,000,000", lambda x: 1 <= x <= 10**9),
    ("iters", "from 1 to 100,000", lambda x: 1 <= x <= 100_000),
    ("alpha", "in (0, 10]", lambda x: 0 < x <= 10),
    ("decay", "in [0, 1]", lambda x: 0 <= x <= 1),
    ("floor", "in [0, 1]", lambda x: 0 <= x <= 1),
    ("ceil", "in (0, 1]", lambda x: 0 < x <= 1),
    ("target", "in (0, 1]", lambda x: 0 < x <= 1),
    ("tol", "in (0, 1]", lambda x: 0 < x <= 1),
)


def range_problems(settings: DataclassInstance) -> Iterator[str]:
    """One sentence for each number outside its range (NaN is outside every range)."""
    names = {field.name for field in fields(settings)}
    for name, words, good in _RANGES:
        if name not in names or (name == "n" and getattr(settings, "method", "") == "exact"):
            continue
        value = getattr(settings, name)
        if value is not None and not good(value):
            yield f"--{name.replace('_', '-')} {number(value)} is not {words}. Give one that is."


def bounds_problems(floor: float, ceil: float) -> Iterator[str]:
    """Whether floor and ceil, each in its range, leave room between them."""
    if 0 <= ceil < floor <= 1:
        yield (
            f"--floor {number(floor)} is over --ceil {number(ceil)}."
            " Give a --floor of at most the --ceil."
        )
