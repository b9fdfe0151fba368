"""The ranking of items by information, without sorting the pool for each examinee.

The range of theta is cut into bins. A bin's table lists the items by an upper bound
of their information in the bin; a walk takes them in that order, holds each item's
true value in a small sorted buffer, and releases the best one as soon as it beats the
next bound. An item whose bounds stand clear of all others' needs no value at all
(most of them, in narrow bins). Tables are only as deep as walks go, and a walk that
gets to a table's end goes on with a heap of the whole pool, so that the ranking is
exact whatever the bins and the depth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from shsim.arrays import AnyArray, FloatArray
from shsim.kernels.heap import make_heap, pop
from shsim.kernels.irt import PEAK, SLOPE, information
from shsim.kernels.jit import device, kernel

#: Bounds are widened by so much for rounding: relative, absolute, and in theta, where
#: |d ln I / d theta| <= 2 D a makes it a factor.
_RELATIVE, _ABSOLUTE, _WIDEN = 1e-12, 1e-300, 1e-9

#: Evaluations of information that building all bins may take, and the bins' number.
_BUILD_BUDGET = 2_000_000
FEWEST_BINS, _MOST_BINS = 256, 4096

#: Bins are filled in so many jobs, which may run at once.
_JOBS = 8

#: Tables take no more memory than this; deeper walks use the heap.
_TABLE_BYTES = 256 * 2**20


class Tables(NamedTuple):
    """Bin tables as kernels read them.

    Attributes
    ----------
    items
        float64 (N, 6): see `shsim.kernels.irt`.
    entries
        int32 (bins, depth): items by upper bound, highest first, ties by position;
        stored as ~item where the item's place needs no value to be known.
    bounds
        float64 (bins, depth + 1): the upper bounds, and last that of what the table
        leaves out, -inf for nothing.
    low, per_bin
        Theta at the start of the second bin, and bins a unit of theta. The first and
        the last bin reach to infinity.
    """

    items: FloatArray
    entries: AnyArray
    bounds: FloatArray
    low: float
    per_bin: float


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The bin tables for a range of theta, and what is needed to deepen them."""

    tables: Tables
    edges: FloatArray

    @property
    def depth(self) -> int:
        """How many items each table lists."""
        return int(self.tables.entries.shape[1])

    @property
    def can_deepen(self) -> bool:
        """Whether deeper tables would list more and still fit in memory."""
        bins, depth = self.tables.entries.shape
        return bool(depth < len(self.tables.items) and 36 * bins * depth <= _TABLE_BYTES)


Jobs = Sequence[Callable[[], None]]


def in_turn(jobs: Jobs) -> None:
    """Run jobs one after another; whoever has threads hands in something better."""
    for job in jobs:
        job()


def build_ranking(
    items: FloatArray,
    low: float,
    high: float,
    depth: int,
    bins: int | None = None,
    run: Callable[[Jobs], None] = in_turn,
) -> Ranking:
    """Build the bin tables for thetas mostly in [low, high]; any theta may be ranked.

    Parameters
    ----------
    items
        The pool.
    low, high
        Where nearly all thetas lie; `low` = `high` for a fixed ability.
    depth
        Items a table lists; at most N is used.
    bins
        Inner bins; by default as many as pay for themselves.
    run
        Runs the jobs that fill the tables, in any order.
    """
    size = len(items)
    depth = min(max(depth, 1), size)
    if bins is None:
        bins = min(max(_BUILD_BUDGET // size, FEWEST_BINS), _MOST_BINS)
    slack = _WIDEN * (1.0 + max(abs(low), abs(high)))
    if high - low < 1e3 * slack:
        bins, low, high = 1, low - slack, high + slack
    edges = np.linspace(low, high, bins + 1)
    per_bin = bins / (high - low)
    tables = Tables(
        items,
        np.empty((bins + 2, depth), np.int32),
        np.empty((bins + 2, depth + 1), np.float64),
        float(low),
        float(per_bin),
    )
    parts = np.linspace(0, bins + 2, min(_JOBS, bins + 2) + 1).astype(np.int64).tolist()

    def fill(first: int, last: int) -> None:
        room, members = np.zeros((5, size)), np.empty(size, np.int32)
        build_bins(tables, edges, slack, room, members, first, last)

    run([partial(fill, first, last) for first, last in pairwise(parts)])
    return Ranking(tables, edges)


def deepen(ranking: Ranking) -> Ranking:
    """The same ranking with tables four times as deep, or as deep as the pool."""
    edges = ranking.edges
    return build_ranking(
        ranking.tables.items, float(edges[0]), float(edges[-1]), 4 * ranking.depth, len(edges) - 1
    )


@kernel
def build_bins(
    tables: Tables,
    edges: FloatArray,
    slack: float,
    room: FloatArray,
    members: AnyArray,
    first: int,
    last: int,
) -> None:
    """Fill bins first … last - 1; bin j lies between edges j-1 and j, the outer ones are open.

    `room` (5, N), zeros, and `members` int32 (N,) are written over.
    """
    items, entries, bounds = tables.items, tables.entries, tables.bounds
    size = len(items)
    bins = len(edges) + 1
    upper, lower, at_start, highest, widened = room[0], room[1], room[2], room[3], room[4]
    for i in range(size):
        highest[i] = information(items, i, items[i, PEAK])
        widened[i] = math.exp(2.0 * items[i, SLOPE] * slack) * (1.0 + _RELATIVE)
        if first > 0:
            at_start[i] = information(items, i, edges[first - 1])
    for j in range(first, last):
        start = edges[j - 1] if j > 0 else -np.inf
        end = edges[j] if j < bins - 1 else np.inf
        for i in range(size):
            at_end = information(items, i, end) if j < bins - 1 else 0.0
            best = max(at_start[i], at_end)
            if start < items[i, PEAK] < end:
                best = highest[i]
            upper[i] = best * widened[i] + _ABSOLUTE
            lower[i] = min(at_start[i], at_end) / widened[i] - _ABSOLUTE
            at_start[i] = at_end
            members[i] = i
        fill_bin(upper, lower, members, entries[j], bounds[j])


@device
def fill_bin(
    upper: FloatArray, lower: FloatArray, members: AnyArray, entries: AnyArray, bounds: FloatArray
) -> None:
    """List the best items of one bin, and mark those whose place is certain."""
    size = len(members)
    depth = len(entries)
    make_heap(upper, members, size)
    for rank in range(depth):
        pop(upper, members, size - rank)
        entries[rank] = members[size - rank - 1]
        bounds[rank] = upper[size - rank - 1]
    bounds[depth] = upper[0] if depth < size else -np.inf
    least = np.inf
    clear_before = True
    for rank in range(depth):
        item = entries[rank]
        least = min(least, lower[item])
        clear_after = least > bounds[rank + 1]
        if clear_before and clear_after:
            entries[rank] = ~item
        clear_before = clear_after
