"""What kernels write to: tallies, and room for one thread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray

#: Columns of `Tallies.counts`; column OPEN + m counts the examinees who reached the item
#: with m positions open (m = 1 … L).
SEEN, PROPOSED, OPEN = 0, 1, 1

DECILES = 10

#: Entries of `Scratch.cursor`: see `shsim.kernels.cursor`.
HEAD, TAIL, NEXT, IN_HEAP, RANKED, STRAYED = range(6)

#: Rows of `Scratch.members`: the ranking's buffer, the items in the order in which they
#: came up, and a heap of the whole pool.
HELD, WALK, HEAP = range(3)

#: Rows of `Scratch.values`: information of the buffer (HELD) and the heap (HEAP), and
#: the replay's clocks and proposals, by rank.
CLOCKS, PROPOSALS = 1, 3


class Tallies(NamedTuple):
    """Sums over examinees, added to in place.

    `counts` is int64 (N, 2) or (N, 2 + L), `by_decile` int64 (10, N) or empty, `forced`
    int64 (1,). `information` float64 (examinees, 2) receives each examinee's sum over
    the items seen, and over the L best; or is empty.
    """

    counts: IntArray
    by_decile: IntArray
    forced: IntArray
    information: FloatArray


class Scratch(NamedTuple):
    """Room for one thread: int64 (6,), int32 (3, N) and float64 (4, N)."""

    cursor: IntArray
    members: AnyArray
    values: FloatArray


def make_tallies(size: int, length: int, *, histogram: bool, by_decile: bool) -> Tallies:
    """Empty tallies for N = `size` items, with or without the histogram and the deciles."""
    return Tallies(
        np.zeros((size, 2 + length if histogram else 2), np.int64),
        np.zeros((DECILES if by_decile else 0, size), np.int64),
        np.zeros(1, np.int64),
        np.empty((0, 2)),
    )


def make_scratch(size: int) -> Scratch:
    """Room for one thread and a pool of `size` items."""
    return Scratch(
        cursor=np.zeros(STRAYED + 1, np.int64),
        members=np.empty((HEAP + 1, size), np.int32),
        values=np.empty((PROPOSALS + 1, size)),
    )
