"""Expected exposure in closed form: the distribution of open positions, carried down.

Where theta itself ranks the items, the walk that gives one test (`administer`) can be
taken for all tests of one theta at once: f[m] is the probability that m positions are
open when the walk comes to an item, and the item takes f[m] to f[m-1] with probability
1-(1-k)^m (`position`) or k (`examinee`). No examinee is drawn.
"""

from __future__ import annotations

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.cursor import next_item
from shsim.kernels.irt import information
from shsim.kernels.jit import device, kernel
from shsim.kernels.ranking import Tables
from shsim.kernels.workspace import Scratch

#: A walk ends when the probability that any position is open is under this.
NEGLIGIBLE = 1e-13

#: Probabilities under this are dropped from either end of a chain, which shortens it to
#: a few entries.
DROPPED = 1e-18


def acceptance_table(k: FloatArray, length: int, *, by_position: bool) -> FloatArray:
    """P(an item is seen | m positions open), (N, L + 1), column m; 0 for m = 0."""
    table = np.zeros((len(k), length + 1))
    if by_position:
        with np.errstate(divide="ignore"):
            log_reject = np.log1p(-k)
        table[:, 1:] = -np.expm1(np.outer(log_reject, np.arange(1, length + 1)))
    else:
        table[:, 1:] = k[:, None]
    return table


def forced_by_examinee(orders: AnyArray, k: FloatArray, length: int) -> FloatArray:
    """Expected forced exposure under `examinee`, added up over nodes, (items,).

    The rejected item at rank i <= L comes back where at most L-i of those below it
    accept: with probability (1-k_i)·P(Σ_{j>i} X_j <= L-i), the X_j independent.

    Parameters
    ----------
    orders
        int32 (nodes, N): the whole ranking of each node, as rows of `k`.
    k
        (N,): exposure-control parameters.
    length
        L, the items of a test.
    """
    forced = np.zeros(len(k))
    accepted = np.zeros((len(orders), length + 1))
    accepted[:, 0] = 1.0  # column m: m of the items below accept; more than L are dropped
    for rank in range(orders.shape[1] - 1, -1, -1):
        rows = orders[:, rank]
        chance = k[rows][:, None]
        if rank < length:
            few = accepted[:, : length - rank].sum(axis=1)
            np.add.at(forced, rows, (1.0 - chance[:, 0]) * few)
        more = accepted * chance
        accepted -= more
        accepted[:, 1:] += more[:, :-1]
    return forced


@kernel
def order_nodes(
    tables: Tables, thetas: FloatArray, bins: AnyArray, scratch: Scratch, orders: AnyArray
) -> None:
    """Write each node's best items into its row of `orders`, int32 (nodes, depth)."""
    items, entries, bounds, _, _ = tables
    cursor, members, values = scratch
    for q in range(len(thetas)):
        cursor[:] = 0
        for rank in range(orders.shape[1]):
            orders[q, rank] = next_item(
                items, entries, bounds, int(bins[q]), thetas[q], cursor, members, values
            )


@kernel
def carry(
    orders: AnyArray, accept: FloatArray, chain: FloatArray, reached: FloatArray, left: FloatArray
) -> int:
    """Carry the distribution of open positions down the ranking of every node.

    Parameters
    ----------
    orders
        int32 (nodes, depth): rows of `accept` and `reached`, best first.
    accept
        (items, L + 1): see :func:`acceptance_table`.
    chain
        (L + 1,): room.
    reached
        (items, L + 1): receives, added up over nodes, the probability that the item is
        reached with m positions open.
    left
        (nodes,): receives the expected number of positions that the walk leaves open.

    Returns
    -------
    int
        Nodes whose walk was not over at the end of `orders`.
    """
    length = accept.shape[1] - 1
    depth = orders.shape[1]
    unfinished = 0
    for q in range(len(orders)):
        chain[:] = 0.0
        chain[length] = 1.0
        low, high = length, length
        rank = 0
        still_open = 1.0
        while rank < depth and still_open > NEGLIGIBLE:
            row = int(orders[q, rank])
            for m in range(max(low, 1), high + 1):
                reached[row, m] += chain[m]
            low, high = step(accept, row, chain, low, high)
            still_open = 0.0
            for m in range(max(low, 1), high + 1):
                still_open += chain[m]
            rank += 1
        if still_open > NEGLIGIBLE:
            unfinished += 1
        left[q] = 0.0
        for m in range(max(low, 1), high + 1):
            left[q] += m * chain[m]
    return unfinished


@device
def step(accept: FloatArray, row: int, chain: FloatArray, low: int, high: int) -> tuple[int, int]:
    """Take a chain past one item; its entries are zero outside low … high, then and after."""
    low = max(low - 1, 0)
    for m in range(low, high):
        chain[m] = chain[m] * (1.0 - accept[row, m]) + chain[m + 1] * accept[row, m + 1]
    chain[high] *= 1.0 - accept[row, high]
    while high > 0 and chain[high] < DROPPED:
        chain[high] = 0.0
        high -= 1
    while 0 < low < high and chain[low] < DROPPED:
        chain[low] = 0.0
        low += 1
    return low, high


@kernel
def expected_information(
    items: FloatArray,
    thetas: FloatArray,
    orders: AnyArray,
    compact: IntArray,
    accept: FloatArray,
    chain: FloatArray,
    gained: FloatArray,
) -> None:
    """Each node's expected test information as given and uncontrolled, (nodes, 2).

    `compact` (items,) gives the item behind a row of `accept`.
    """
    length = accept.shape[1] - 1
    for q in range(len(orders)):
        chain[:] = 0.0
        chain[length] = 1.0
        low, high = length, length
        gained[q, :] = 0.0
        rank = 0
        while rank < orders.shape[1] and (high > 0 or rank < length):
            row = int(orders[q, rank])
            value = information(items, compact[row], thetas[q])
            taken = 0.0
            for m in range(max(low, 1), high + 1):
                taken += chain[m] * accept[row, m]
            low, high = step(accept, row, chain, low, high)
            gained[q, 0] += taken * value
            gained[q, 1] += value if rank < length else 0.0
            rank += 1
