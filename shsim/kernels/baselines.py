"""Tests under the exposure control of other programmes, to hold Sympson-Hetter against.

Randomesque (Kingsbury and Zara 1989), progressive and restricted (Revuelta and Ponsoda
1998), and item eligibility (van der Linden and Veldkamp 2004, 2007). All but the choice
of the item is as in `shsim.kernels.adaptive`; nothing is proposed that is not given.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shsim.arrays import AnyArray, IntArray
from shsim.kernels.choose import force_best, heap_of_rest, is_open, keep, row_of
from shsim.kernels.course import Sitter, first_belief, is_over, sit_down, stand_up, take
from shsim.kernels.desk import (
    BARRED,
    CLOCK,
    SEEN_NOW,
    TOUCHED,
    WAIT,
    WENT_PAST,
    Desk,
    Journal,
    Sums,
)
from shsim.kernels.estimate import Belief
from shsim.kernels.heap import pop
from shsim.kernels.irt import information
from shsim.kernels.jit import device, kernel, rare
from shsim.kernels.plan import Test
from shsim.kernels.rng import nth_key, unit
from shsim.kernels.sitting import Examinees
from shsim.kernels.workspace import HEAP, HELD, WALK

#: How the next item is chosen; the last two go by what earlier examinees saw.
RANDOMESQUE, PROGRESSIVE, RESTRICTED, ELIGIBILITY = range(4)


class Past(NamedTuple):
    """What earlier examinees saw, added to in place.

    int64 (N,) examinees who saw the item, and for whom it was eligible; (1,) all of them.
    """

    seen: IntArray
    eligible: IntArray
    tested: IntArray


class Programme(NamedTuple):
    """A test and another programme's control: one of RANDOMESQUE … ELIGIBILITY.

    `size` is how many items randomesque chooses among, `tau` the cap of the last two, which
    alone read and write `past`.
    """

    test: Test
    kind: int
    size: int
    tau: float
    past: Past


class Lot(NamedTuple):
    """What the items' weights at one position are made of."""

    key: Any
    share: float
    top: float


class Weighed(NamedTuple):
    """An item and its weight."""

    item: int
    weight: float


def make_past(size: int) -> Past:
    """Nobody has been tested."""
    return Past(np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(1, np.int64))


@kernel
def administer_baseline(
    programme: Programme,
    examinees: Examinees,
    sums: Sums,
    desk: Desk,
    journal: Journal,
    start: int,
    patience: int,
    cancel: AnyArray,
) -> int:
    """Test the examinees from `start` on in their order, adding to the sums and the past.

    Parameters and result are those of :func:`shsim.kernels.adaptive.administer_adaptively`.
    Under RESTRICTED and ELIGIBILITY the order of the examinees counts.
    """
    strays = 0
    for at in range(start, len(examinees.order)):
        if cancel[0] != 0:
            return at
        sitter = sit_down(examinees, desk, at)
        if programme.kind >= RESTRICTED:
            bar(programme, desk, sitter.key)
        count, belief = sit_under(programme, desk, journal, sitter)
        if programme.kind >= RESTRICTED:
            remember(programme.past, desk, count)
        stand_up(programme.test, sums, desk, sitter, belief, count)
        strays += desk.cursor[WENT_PAST]
        if strays > patience:
            return at + 1
    return len(examinees.order)


@device
def sit_under(
    programme: Programme, desk: Desk, journal: Journal, sitter: Sitter
) -> tuple[int, Belief]:
    """Give one test, as :func:`shsim.kernels.adaptive.sit`."""
    test = programme.test
    belief = first_belief(test, desk, sitter.theta)
    count = 0
    while not is_over(test, desk, belief, count):
        chosen = select(programme, desk, belief.theta_hat, sitter.key, count)
        belief = take(test, desk, journal, sitter, belief, count, chosen)
        count += 1
    return count, belief


@device
def bar(programme: Programme, desk: Desk, key: Any) -> None:
    """Bar items from the next examinee; the state of every item is written anew.

    RESTRICTED bars an item that a share of tau has seen. Under ELIGIBILITY it is eligible
    with probability tau · eligible / seen, at most 1 (van der Linden and Veldkamp 2004): tau
    over the share of those who saw it among those who might have. No examinee is forgotten
    (their fading factor of 2007 is 1), so that under a tight cap rates come to rest slowly.
    """
    seen, eligible, tested = programme.past
    tau = programme.tau
    for i in range(len(seen)):
        barred = False
        if programme.kind == RESTRICTED:
            barred = tau < 1.0 and tested[0] > 0 and seen[i] >= tau * tested[0]
        else:
            if seen[i] > 0:
                chance = tau * eligible[i] / seen[i]
                barred = chance < 1.0 and unit(nth_key(key, np.uint64(i))) >= chance
            eligible[i] += 0 if barred else 1
        desk.state[i, WAIT] = BARRED if barred else 0


@device
def remember(past: Past, desk: Desk, count: int) -> None:
    """Add a test to what later examinees are barred by."""
    for j in range(count):
        past.seen[desk.items[j]] += 1
    past.tested[0] += 1


@device
def select(programme: Programme, desk: Desk, theta: float, key: Any, count: int) -> int:
    """The item after `count` others, ~item where all were barred and one had to be forced."""
    test = programme.test
    forced = False
    if programme.kind == PROGRESSIVE:
        share = count / test.plan.longest
        item = heaviest(test, desk, theta, nth_key(key, np.uint64(count)), share)
    else:
        found = list_best(test, desk, theta, programme.size)
        forced = found == 0
        if forced:
            item = force_best(test, desk, theta)
        else:
            rank = 0
            if found > 1:
                u = unit(nth_key(key, np.uint64(count)))
                rank = int(min(u * found, found - 1.0))
            item = int(desk.members[WALK, desk.cursor[TOUCHED] + rank])
    desk.members[WALK, desk.cursor[TOUCHED]] = item
    desk.cursor[TOUCHED] += 1
    desk.state[item, WAIT] = SEEN_NOW
    desk.state[item, CLOCK] = 1  # proposals: it was given at the first
    return ~item if forced else item


@device
def list_best(test: Test, desk: Desk, theta: float, wanted: int) -> int:
    """List the `wanted` most informative items left, best first; how many there are.

    They stand in `desk.members[WALK]`, after those given. The walk is that of
    :func:`shsim.kernels.choose.choose`, in which nothing is offered.
    """
    items, entries, bounds, _, _ = test.tables
    members, held = desk.members, desk.held
    row = row_of(test.tables, theta)
    first = desk.cursor[TOUCHED]
    head = 0
    tail = 0
    following = 0
    found = 0
    while found < wanted:
        if head < tail and held[head] > bounds[row, following]:
            members[WALK, first + found] = members[HELD, head]
            head += 1
            found += 1
        elif following < entries.shape[1]:
            entry = int(entries[row, following])
            item = ~entry if entry < 0 else entry
            following += 1
            if desk.state[item, WAIT] < 0 or not is_open(test.content, desk, item):
                continue
            if entry < 0:  # its place needs no value; nothing is held before it
                members[WALK, first + found] = item
                found += 1
                continue
            if head == tail:
                head = 0
                tail = 0
            keep(members, held, head, tail, item, information(items, item, theta))
            tail += 1
        else:
            return list_past(test, desk, theta, wanted)
    return found


@rare
def list_past(test: Test, desk: Desk, theta: float, wanted: int) -> int:
    """As :func:`list_best`, from a heap of all items, where the table ends too early."""
    first = desk.cursor[TOUCHED]
    size = heap_of_rest(test, desk, theta)
    found = min(size, wanted)
    for rank in range(found):
        pop(desk.heap, desk.members[HEAP], size - rank)
        desk.members[WALK, first + rank] = desk.members[HEAP, size - rank - 1]
    return found


@device
def heaviest(test: Test, desk: Desk, theta: float, key: Any, share: float) -> int:
    """The item with the highest (1-s)·R + s·I (Revuelta and Ponsoda 1998), s the `share` given.

    R is drawn for each item and position, uniform up to the largest information of the
    items left. Items come by the upper bound of their information, and none is computed
    that could not win; as rounding is monotone, that changes nothing.
    """
    items, entries, bounds, _, _ = test.tables
    depth = entries.shape[1]
    row = row_of(test.tables, theta)
    list_best(test, desk, theta, 1)
    top = information(items, int(desk.members[WALK, desk.cursor[TOUCHED]]), theta)
    lot = Lot(key, share, top)
    best = Weighed(-1, -1.0)
    for rank in range(depth):
        if (1.0 - share) * top + share * bounds[row, rank] < best.weight:
            return best.item
        entry = int(entries[row, rank])
        item = ~entry if entry < 0 else entry
        best = weigh(test, desk, theta, lot, best, item, bounds[row, rank])
    rest = bounds[row, depth]
    if depth < len(items) and (1.0 - share) * top + share * rest >= best.weight:
        for item in range(len(items)):
            best = weigh(test, desk, theta, lot, best, item, rest)
    return best.item


@device
def weigh(
    test: Test, desk: Desk, theta: float, lot: Lot, best: Weighed, item: int, bound: float
) -> Weighed:
    """The heavier of the best so far and an item, whose information is at most `bound`."""
    if desk.state[item, WAIT] < 0 or not is_open(test.content, desk, item):
        return best
    luck = (1.0 - lot.share) * (lot.top * unit(nth_key(lot.key, np.uint64(item))))
    if luck + lot.share * bound < best.weight:
        return best
    weight = luck + lot.share * information(test.tables.items, item, theta)
    if weight > best.weight or (weight == best.weight and item < best.item):
        return Weighed(item, weight)
    return best
