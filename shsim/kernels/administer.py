"""Simulated tests whose items are ranked at the true theta: one walk an examinee.

The ranking is fixed within a test, so that the items are walked once, in rank order,
carrying only the number of positions still open. That gives, draw for draw, the
literal process, in which every position walks the unseen items from the top.
"""

from __future__ import annotations

import numpy as np

from shsim.arrays import AnyArray
from shsim.kernels.acceptance import Rule, propose
from shsim.kernels.cursor import next_item
from shsim.kernels.forcing import force
from shsim.kernels.irt import information
from shsim.kernels.jit import kernel
from shsim.kernels.ranking import Tables
from shsim.kernels.rng import nth_key
from shsim.kernels.sitting import Examinees
from shsim.kernels.workspace import RANKED, STRAYED, Scratch, Tallies


@kernel
def administer(
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
    items, entries, bounds, _, _ = tables
    table, length, by_position = rule
    thetas, bins, order, deciles, first, stream, _ = examinees
    counts, by_decile, _, informations = tallies
    cursor, members, values = scratch
    size = len(items)
    with_decile = len(by_decile) > 0
    with_information = len(informations) > 0
    strays = 0
    for at in range(start, len(order)):
        if cancel[0] != 0:
            return at
        e = order[at]
        theta = thetas[e]
        row = int(bins[e])
        decile = int(deciles[e]) if with_decile else -1
        key = nth_key(stream, np.uint64(first + e))
        left = length
        gained = 0.0
        attainable = 0.0
        cursor[:] = 0
        while left > 0 and cursor[RANKED] < size:
            item = next_item(items, entries, bounds, row, theta, cursor, members, values)
            seen = propose(table, by_position, counts, item, left, key, 1)
            left -= int(seen)
            if with_decile:
                by_decile[decile, item] += int(seen)
            among_best = cursor[RANKED] <= length
            if with_information and (seen or among_best):
                value = information(items, item, theta)
                gained += value if seen else 0.0
                attainable += value if among_best else 0.0
        if left > 0:
            gained += force(items, rule, tallies, scratch, theta, decile, key, left)
        if with_information:
            informations[e, 0] = gained
            informations[e, 1] = attainable
        strays += cursor[STRAYED]
        if strays > patience:
            return at + 1
    return len(order)
