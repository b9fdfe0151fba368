"""Sympson-Hetter acceptance: what becomes of an item once the walk has come to it.

Each item has one uniform u a test. Under `position` it turns into a clock G, the
proposal at which the item would accept: it is seen if G is at most the number of
positions still open. Under `examinee` the item is proposed once, and seen if u <= k.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.kernels.jit import device
from shsim.kernels.logarithm import ERROR, quick_log
from shsim.kernels.rng import nth_key, unit
from shsim.kernels.workspace import OPEN, PROPOSED, SEEN

#: Columns of a rule's array: k, ln(1-k), and its inverse.
K, LOG_REJECT, INVERSE = range(3)


class Rule(NamedTuple):
    """A table of k as kernels want it, float64 (N, 3), and what it is used for."""

    table: FloatArray
    length: int
    by_position: bool


def make_rule(k: FloatArray, length: int, *, by_position: bool) -> Rule:
    """The acceptance rule for exposure-control parameters `k` in [0, 1], shape (N,)."""
    table = np.empty((len(k), 3))
    table[:, K] = k
    with np.errstate(divide="ignore", over="ignore"):
        table[:, LOG_REJECT] = np.log1p(-k)
        table[:, INVERSE] = 1.0 / table[:, LOG_REJECT]
    return Rule(table, int(length), bool(by_position))


@device
def clock_of(table: FloatArray, item: int, key: Any) -> float:
    """The proposal at which the item accepts; inf is never (k = 0)."""
    if table[item, K] >= 1.0:
        return 1.0
    u = unit(nth_key(key, np.uint64(item)))
    rejections = quick_log(u) * table[item, INVERSE]
    whole = np.floor(rejections)
    doubt = 2.0 * ERROR * (1.0 - table[item, INVERSE])
    if doubt < rejections - whole < 1.0 - doubt:
        return float(1.0 + whole)
    # So near a whole number (or infinite) only every digit of the logarithm can tell.
    return float(1.0 + np.floor(math.log(u) / table[item, LOG_REJECT]))


@device
def accepts_once(table: FloatArray, item: int, key: Any) -> bool:
    """Whether the item accepts when it is proposed once in a test."""
    return bool(table[item, K] >= 1.0 or unit(nth_key(key, np.uint64(item))) <= table[item, K])


@device
def propose(
    table: FloatArray,
    by_position: bool,  # noqa: FBT001 - a kernel takes no keywords
    counts: IntArray,
    item: int,
    left: int,
    key: Any,
    sign: int,
) -> bool:
    """Tally all proposals of an item reached with `left` positions open; True if seen.

    `sign` -1 takes back what the same call with 1 has added, but for the histogram.
    """
    if sign > 0 and counts.shape[1] > OPEN + 1:
        counts[item, OPEN + left] += 1
    if by_position:
        clock = clock_of(table, item, key)
        seen = clock <= left
        times = int(min(float(left), clock))
    else:
        seen = accepts_once(table, item, key)
        times = 1
    # A minimum and sums of conditions, not branches, which no processor could predict.
    counts[item, SEEN] += sign * int(seen)
    counts[item, PROPOSED] += sign * times
    return seen
