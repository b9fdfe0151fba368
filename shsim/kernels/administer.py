"""Simulated tests whose items are ranked at the true theta: one walk an examinee.

The ranking is fixed within a test, so that the items are walked once, in rank order,
carrying only F, the number of positions still open. Under `position` each item has a
clock G, the proposal at which it would accept; it is seen if G <= F. Under `examinee`
it is proposed once, and seen if its uniform is at most k. Both give, draw for draw, the
literal process, in which every position walks the unseen items from the top.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.heap import make_heap, pop
from shsim.kernels.irt import Items, information
from shsim.kernels.jit import device, kernel
from shsim.kernels.ranking import Ranking, Tables
from shsim.kernels.rng import nth_key, unit

#: Columns of `Tallies.counts`; under `position`, column OPEN + m counts the examinees
#: who reached the item with m positions open (m = 1 … L).
SEEN, PROPOSED, OPEN = 0, 1, 1

DECILES = 10


class Rule(NamedTuple):
    """The acceptance rule of a table of k, N items."""

    k: FloatArray
    log_reject: FloatArray
    length: int
    by_position: bool


class Examinees(NamedTuple):
    """Examinees first, first + 1, … of a stream, in the order in which to test them.

    `order` has their indices sorted by bin, so that a bin's table is read while it is
    in the cache; `decile` is 0 to 9, or empty.
    """

    theta: FloatArray
    bin: AnyArray
    order: IntArray
    decile: AnyArray
    first: int
    key: np.uint64


class Tallies(NamedTuple):
    """Sums over examinees, added to in place.

    `counts` is int64 (N, columns), `by_decile` int64 (10, N) or empty, `forced` int64
    (1,) forced positions. `information` float64 (examinees, 2) receives each
    examinee's sum over the items seen, and over the L best; or is empty.
    """

    counts: IntArray
    by_decile: IntArray
    forced: IntArray
    information: FloatArray


class Scratch(NamedTuple):
    """Room for one thread, N entries each: the buffer, the walk, and the heap."""

    values: FloatArray
    held: AnyArray
    walk: AnyArray
    heap_values: FloatArray
    heap_members: AnyArray
    proposals: IntArray
    clocks: FloatArray


def make_rule(k: FloatArray, length: int, *, by_position: bool) -> Rule:
    """The acceptance rule for exposure-control parameters `k` in [0, 1], shape (N,)."""
    fresh = np.array(k, dtype=np.float64)
    with np.errstate(divide="ignore"):
        log_reject = np.log1p(-fresh)
    return Rule(fresh, log_reject, int(length), bool(by_position))


def make_scratch(size: int) -> Scratch:
    """Room for one thread and a pool of `size` items."""
    return Scratch(
        np.empty(size),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size),
        np.empty(size, np.int32),
        np.empty(size, np.int64),
        np.empty(size),
    )


def make_tallies(size: int, length: int, *, by_position: bool, histogram: bool) -> Tallies:
    """Empty tallies for N = `size` items, with the histogram of open positions if asked."""
    columns = 2 + length if histogram and by_position else 2
    return Tallies(
        np.zeros((size, columns), np.int64),
        np.zeros((0, size), np.int64),
        np.zeros(1, np.int64),
        np.empty((0, 2)),
    )


def make_examinees(
    ranking: Ranking, theta: FloatArray, decile: AnyArray, first: int, key: np.uint64
) -> Examinees:
    """Find each examinee's bin and an order that visits bins one after another."""
    tables = ranking.tables
    last = tables.entries.shape[0] - 1
    place = np.clip((theta - tables.low) * tables.per_bin + 1.0, 0.0, last)
    bins = place.astype(np.int16)
    order = np.argsort(bins, kind="stable")
    return Examinees(np.ascontiguousarray(theta), bins, order, decile, int(first), key)


@kernel
def administer(
    items: Items,
    tables: Tables,
    rule: Rule,
    examinees: Examinees,
    tallies: Tallies,
    scratch: Scratch,
    start: int,
    patience: int,
    cancel: AnyArray,
) -> int:
    """Test the examinees from `start` on in their order, adding to the tallies.

    Walks may go past the tables, at the price of a heap of the whole pool; after
    more than `patience` such walks the call ends early.

    Returns
    -------
    int
        The place in the order to go on from: the end, unless patience ran out (deepen
        the tables then) or `cancel[0]` was set.
    """
    strays = 0
    n = len(examinees.order)
    for at in range(start, n):
        if cancel[0] != 0:
            return at
        e = examinees.order[at]
        key = nth_key(examinees.key, np.uint64(examinees.first + e))
        if walk(items, tables, rule, examinees, tallies, scratch, e, key):
            strays += 1
            if strays > patience:
                return at + 1
    return n


@device
def walk(
    items: Items,
    tables: Tables,
    rule: Rule,
    examinees: Examinees,
    tallies: Tallies,
    scratch: Scratch,
    e: int,
    key: Any,
) -> bool:
    """Give one test; True where the walk went past the table."""
    size = len(items.slope)
    theta = examinees.theta[e]
    entries = tables.entries[examinees.bin[e]]
    bounds = tables.bounds[examinees.bin[e]]
    rest = tables.rest[examinees.bin[e]]
    depth = len(entries)
    values, held = scratch.values, scratch.held
    with_information = len(tallies.information) > 0
    with_decile = len(tallies.by_decile) > 0
    open_positions = rule.length
    gained = 0.0
    attainable = 0.0
    ranked = 0
    head = 0
    tail = 0
    nxt = 0
    in_heap = 0
    strayed = False
    while open_positions > 0 and ranked < size:
        item = -1
        if in_heap > 0:
            pop(scratch.heap_values, scratch.heap_members, in_heap)
            in_heap -= 1
            item = np.int64(scratch.heap_members[in_heap])
        elif head == tail:
            head = 0
            tail = 0
            if nxt < depth and entries[nxt] < 0:
                item = ~np.int64(entries[nxt])
                nxt += 1
        if item < 0:
            while nxt < depth and (head == tail or values[head] <= bounds[nxt]):
                entry = np.int64(entries[nxt])
                hold(values, held, head, tail, entry, information(items, entry, theta))
                tail += 1
                nxt += 1
            if head == tail or (nxt == depth and values[head] <= rest):
                in_heap = heap_past(items, theta, scratch, ranked)
                strayed = True
                continue
            item = np.int64(held[head])
            head += 1
        scratch.walk[ranked] = item
        ranked += 1
        accepted = propose(rule, tallies.counts, item, open_positions, key, 1)
        if accepted:
            open_positions -= 1
            if with_decile:
                tallies.by_decile[examinees.decile[e], item] += 1
        if with_information and (accepted or ranked <= rule.length):
            value = information(items, item, theta)
            if accepted:
                gained += value
            if ranked <= rule.length:
                attainable += value
    if open_positions > 0:
        decile = np.int64(examinees.decile[e]) if with_decile else -1
        gained = force(items, theta, decile, rule, tallies, scratch, key, gained, open_positions)
    if with_information:
        tallies.information[e, 0] = gained
        tallies.information[e, 1] = attainable
    return strayed


@device
def hold(
    values: FloatArray, held: AnyArray, head: int, tail: int, item: int, value: float
) -> None:
    """Put an item in its place among the held ones, best first, ties by position."""
    at = tail
    while at > head and (
        values[at - 1] < value or (values[at - 1] == value and held[at - 1] > item)
    ):
        values[at] = values[at - 1]
        held[at] = held[at - 1]
        at -= 1
    values[at] = value
    held[at] = item


@device
def heap_past(items: Items, theta: float, scratch: Scratch, ranked: int) -> int:
    """A heap of all items, less the `ranked` best; returns what is left in it."""
    size = len(items.slope)
    for i in range(size):
        scratch.heap_values[i] = information(items, i, theta)
        scratch.heap_members[i] = i
    make_heap(scratch.heap_values, scratch.heap_members, size)
    for done in range(ranked):
        pop(scratch.heap_values, scratch.heap_members, size - done)
    return size - ranked


@device
def propose(
    rule: Rule, counts: IntArray, item: int, open_positions: int, key: Any, sign: int
) -> bool:
    """Tally all proposals of an item reached with so many positions open.

    `sign` -1 takes back what the same call with 1 has added.
    """
    histogram = counts.shape[1] > 2
    if histogram and sign > 0:
        counts[item, OPEN + open_positions] += 1
    if rule.k[item] >= 1.0:
        counts[item, SEEN] += sign
        counts[item, PROPOSED] += sign
        return True
    u = unit(nth_key(key, np.uint64(item)))
    if not rule.by_position:
        counts[item, PROPOSED] += sign
        if u <= rule.k[item]:
            counts[item, SEEN] += sign
            return True
        return False
    clock = clock_of(rule, item, u)
    if clock <= open_positions:
        counts[item, SEEN] += sign
        counts[item, PROPOSED] += sign * int(clock)
        return True
    counts[item, PROPOSED] += sign * open_positions
    return False


@device
def clock_of(rule: Rule, item: int, u: float) -> float:
    """The proposal at which an item with 0 < k < 1 accepts; inf or NaN: never (k = 0)."""
    return 1.0 + np.floor(math.log(u) / rule.log_reject[item])


@device
def force(
    items: Items,
    theta: float,
    decile: int,
    rule: Rule,
    tallies: Tallies,
    scratch: Scratch,
    key: Any,
    gained: float,
    left: int,
) -> float:
    """Fill the `left` positions that a walk of the whole pool has left open.

    Returns the information gained by the whole test; `decile` is -1 where unwanted.
    """
    if rule.by_position:
        take_back(decile, rule, tallies, scratch, key)
        return replay(items, theta, decile, rule, tallies, scratch, key)
    tallies.forced[0] += left
    for rank in range(len(scratch.walk)):
        item = np.int64(scratch.walk[rank])
        if unit(nth_key(key, np.uint64(item))) > rule.k[item]:
            tallies.counts[item, SEEN] += 1
            if decile >= 0:
                tallies.by_decile[decile, item] += 1
            gained += information(items, item, theta)
            left -= 1
            if left == 0:
                break
    return gained


@device
def take_back(decile: int, rule: Rule, tallies: Tallies, scratch: Scratch, key: Any) -> None:
    """Take a walk's tallies back, all but the histogram of open positions."""
    open_positions = rule.length
    for rank in range(len(scratch.walk)):
        item = np.int64(scratch.walk[rank])
        if propose(rule, tallies.counts, item, open_positions, key, -1):
            open_positions -= 1
            if decile >= 0:
                tallies.by_decile[decile, item] -= 1


@device
def replay(
    items: Items,
    theta: float,
    decile: int,
    rule: Rule,
    tallies: Tallies,
    scratch: Scratch,
    key: Any,
) -> float:
    """Give the test literally, position by position, with the walk's own clocks.

    Fresh draws would be biased: a test comes here because of the draws it had.
    """
    size = len(scratch.walk)
    clocks, proposals = scratch.clocks, scratch.proposals
    for rank in range(size):
        item = np.int64(scratch.walk[rank])
        proposals[rank] = 0
        clocks[rank] = 1.0
        if rule.k[item] < 1.0:
            clocks[rank] = clock_of(rule, item, unit(nth_key(key, np.uint64(item))))
    gained = 0.0
    for _ in range(rule.length):
        chosen = -1
        top = -1
        for rank in range(size):
            if clocks[rank] < 0.0:
                continue
            if top < 0:
                top = rank
            proposals[rank] += 1
            if clocks[rank] <= proposals[rank]:
                chosen = rank
                break
        if chosen < 0:
            chosen = top
            tallies.forced[0] += 1
        clocks[chosen] = -1.0
        item = np.int64(scratch.walk[chosen])
        tallies.counts[item, SEEN] += 1
        if decile >= 0:
            tallies.by_decile[decile, item] += 1
        gained += information(items, item, theta)
    for rank in range(size):
        tallies.counts[np.int64(scratch.walk[rank]), PROPOSED] += proposals[rank]
    return gained
