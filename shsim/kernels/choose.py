"""One position of an adaptive test: walk down from the most informative item left.

The ranking is that of `shsim.kernels.cursor`, at the current estimate. Items that
cannot be proposed (seen, set aside, or of a closed topic) are passed over before their
information is computed; that leaves the order of the others as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shsim.arrays import AnyArray, FloatArray
from shsim.kernels.acceptance import Rule, accepts_once, clock_of
from shsim.kernels.desk import (
    CLOCK,
    CLOSED,
    FORCED,
    ON_TRAIL,
    SEEN_NOW,
    SET_ASIDE,
    TOUCHED,
    WAIT,
    WENT_PAST,
    Desk,
)
from shsim.kernels.heap import make_heap, pop
from shsim.kernels.irt import information
from shsim.kernels.jit import device, rare
from shsim.kernels.plan import Content, Test
from shsim.kernels.ranking import Tables
from shsim.kernels.workspace import HEAP, HELD, WALK


@device
def choose(test: Test, desk: Desk, theta: float, key: Any) -> int:
    """The item that the next position gets, ~item where it had to be forced.

    `theta` is what ranks the items; `key` is the examinee's, of acceptance draws.
    """
    items, entries, bounds, _, _ = test.tables
    topic = test.content.topic
    state, members, held, closed = desk.state, desk.members, desk.held, desk.content[CLOSED]
    depth = entries.shape[1]
    with_content = len(topic) > 0
    traced = len(desk.trail) > 0
    row = row_of(test.tables, theta)
    head = 0
    tail = 0
    following = 0
    came = 0
    while True:
        if head == tail and not with_content and not traced:
            following, came = pass_over(entries, row, state, following, came)
        item = -1
        if head < tail and held[head] > bounds[row, following]:
            item = int(members[HELD, head])
            head += 1
        elif following < depth:
            entry = int(entries[row, following])
            candidate = ~entry if entry < 0 else entry
            following += 1
            if state[candidate, WAIT] < 0:
                continue
            if with_content and closed[topic[candidate]] != 0:
                continue
            if entry >= 0:
                if head == tail:
                    head = 0
                    tail = 0
                keep(members, held, head, tail, candidate, information(items, candidate, theta))
                tail += 1
                continue
            item = candidate  # its place needs no value; nothing is held before it
        else:
            return choose_past(test, desk, theta, key, came)
        came += 1
        wait = state[item, WAIT]
        if wait > 1 and not traced:  # rejected once more: by far the most frequent case
            state[item, WAIT] = wait - 1
        elif offer(test.rule, desk, key, item):
            return item


@device
def row_of(tables: Tables, theta: float) -> int:
    """The bin that theta lies in."""
    last = float(tables.entries.shape[0] - 1)
    return int(min(max((theta - tables.low) * tables.per_bin + 1.0, 0.0), last))


@device
def pass_over(
    entries: AnyArray, row: int, state: AnyArray, following: int, came: int
) -> tuple[int, int]:
    """Go past items of certain place that are seen or rejected once more, as most are.

    Without a branch between the two, which no processor could predict.
    """
    while following < entries.shape[1]:
        entry = int(entries[row, following])
        if entry >= 0:
            break
        wait = state[~entry, WAIT]
        if 0 <= wait <= 1:
            break
        rejected = int(wait > 1)
        state[~entry, WAIT] = wait - rejected
        came += rejected
        following += 1
    return following, came


@device
def keep(
    members: AnyArray, held: FloatArray, head: int, tail: int, item: int, value: float
) -> None:
    """Put an item in its place among the held ones, best first, ties by position."""
    at = tail
    while at > head and (
        held[at - 1] < value or (held[at - 1] == value and members[HELD, at - 1] > item)
    ):
        held[at] = held[at - 1]
        members[HELD, at] = members[HELD, at - 1]
        at -= 1
    held[at] = value
    members[HELD, at] = item


@device
def offer(rule: Rule, desk: Desk, key: Any, item: int) -> bool:
    """Propose an item once; whether it is accepted. Its clock is drawn at the first time."""
    state, cursor = desk.state, desk.cursor
    if len(desk.trail) > 0 and cursor[ON_TRAIL] < len(desk.trail):
        desk.trail[cursor[ON_TRAIL]] = item
        cursor[ON_TRAIL] += 1
    wait = state[item, WAIT]
    if wait == 0:
        desk.members[WALK, cursor[TOUCHED]] = item
        cursor[TOUCHED] += 1
        if rule.by_position:
            wait = int(min(clock_of(rule.table, item, key), float(rule.length + 1)))
            state[item, CLOCK] = wait
        else:
            state[item, CLOCK] = 1
            wait = 1 if accepts_once(rule.table, item, key) else SET_ASIDE + 1
    wait -= 1
    state[item, WAIT] = wait if wait != 0 else SEEN_NOW
    return bool(wait == 0)


@rare
def choose_past(test: Test, desk: Desk, theta: float, key: Any, came: int) -> int:
    """Go on where the table ends, with a heap of every item that can be proposed.

    Of these, `came` have been proposed at this position already, the best ones (those
    set aside for it are not among them). Where none accepts, the top-ranked unseen item
    of an open topic is forced.
    """
    heap, members = desk.heap, desk.members[HEAP]
    size = heap_of_rest(test, desk, theta)
    skipped = came if test.rule.by_position else 0
    for rank in range(size):
        pop(heap, members, size - rank)
        item = int(members[size - rank - 1])
        if rank >= skipped and offer(test.rule, desk, key, item):
            return item
    return ~force_best(test, desk, theta)


@rare
def heap_of_rest(test: Test, desk: Desk, theta: float) -> int:
    """Heap every item that can be proposed, since the table has ended; their number."""
    items = test.tables.items
    heap, members = desk.heap, desk.members[HEAP]
    desk.cursor[WENT_PAST] = 1
    size = 0
    for i in range(len(items)):
        if desk.state[i, WAIT] >= 0 and is_open(test.content, desk, i):
            heap[size] = information(items, i, theta)
            members[size] = i
            size += 1
    make_heap(heap, members, size)
    return size


@rare
def force_best(test: Test, desk: Desk, theta: float) -> int:
    """See the top-ranked unseen item of an open topic, rejected or not."""
    best = -1
    most = -np.inf
    for i in range(len(test.tables.items)):
        if desk.state[i, WAIT] != SEEN_NOW and is_open(test.content, desk, i):
            value = information(test.tables.items, i, theta)
            if value > most:
                best = i
                most = value
    if desk.state[best, WAIT] > 0:
        desk.state[best, CLOCK] -= desk.state[best, WAIT]
    desk.state[best, WAIT] = SEEN_NOW
    desk.cursor[FORCED] += 1
    return best


@device
def is_open(content: Content, desk: Desk, item: int) -> bool:
    """Whether the blueprint lets the next position have the item."""
    return len(content.topic) == 0 or desk.content[CLOSED, content.topic[item]] == 0
