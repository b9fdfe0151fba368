"""Tests that a walk of the whole pool has not filled: their forced positions.

`Scratch.members[WALK]` holds the whole pool in rank order by then. Rare, and therefore
free to pass named tuples.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.acceptance import Rule, accepts_once, clock_of, propose
from shsim.kernels.irt import information
from shsim.kernels.jit import rare
from shsim.kernels.workspace import CLOCKS, PROPOSALS, PROPOSED, SEEN, WALK, Scratch, Tallies


@rare
def force(
    items: FloatArray,
    rule: Rule,
    tallies: Tallies,
    scratch: Scratch,
    theta: float,
    decile: int,
    key: Any,
    left: int,
) -> float:
    """Fill the `left` positions still open; the information that the whole test gains more."""
    if rule.by_position:
        lost = take_back(items, rule, tallies, scratch, theta, decile, key)
        return replay(items, rule, tallies, scratch, theta, decile, key) - lost
    gained = 0.0
    tallies.forced[0] += left
    for rank in range(len(items)):
        item = int(scratch.members[WALK, rank])
        if left > 0 and not accepts_once(rule.table, item, key):
            gained += see(items, tallies, theta, decile, item)
            left -= 1
    return gained


@rare
def see(items: FloatArray, tallies: Tallies, theta: float, decile: int, item: int) -> float:
    """Count an item as seen; its information. `decile` is -1 where it is not wanted."""
    tallies.counts[item, SEEN] += 1
    if decile >= 0:
        tallies.by_decile[decile, item] += 1
    return information(items, item, theta)


@rare
def take_back(
    items: FloatArray,
    rule: Rule,
    tallies: Tallies,
    scratch: Scratch,
    theta: float,
    decile: int,
    key: Any,
) -> float:
    """Take the walk's tallies back, but for the histogram; the information it had gained."""
    left = rule.length
    lost = 0.0
    for rank in range(len(items)):
        item = int(scratch.members[WALK, rank])
        if propose(rule.table, rule.by_position, tallies.counts, item, left, key, -1):
            left -= 1
            if decile >= 0:
                tallies.by_decile[decile, item] -= 1
            lost += information(items, item, theta)
    return lost


@rare
def replay(
    items: FloatArray,
    rule: Rule,
    tallies: Tallies,
    scratch: Scratch,
    theta: float,
    decile: int,
    key: Any,
) -> float:
    """Under `position`, give the test literally with the walk's own clocks.

    Fresh draws would be biased: a test comes here because of the draws it had. A
    forced item meets no later position, so that one which it held later reopens.
    """
    size = len(items)
    walk = scratch.members[WALK]
    clocks, proposals = scratch.values[CLOCKS], scratch.values[PROPOSALS]
    for rank in range(size):
        clocks[rank] = clock_of(rule.table, int(walk[rank]), key)
        proposals[rank] = 0.0
    gained = 0.0
    for _ in range(rule.length):
        chosen = -1
        top = -1
        for rank in range(size):
            if clocks[rank] == -np.inf:
                continue
            if top < 0:
                top = rank
            proposals[rank] += 1.0
            if clocks[rank] <= proposals[rank]:
                chosen = rank
                break
        if chosen < 0:
            chosen = top
            tallies.forced[0] += 1
        clocks[chosen] = -np.inf
        gained += see(items, tallies, theta, decile, int(walk[chosen]))
    for rank in range(size):
        tallies.counts[int(walk[rank]), PROPOSED] += int(proposals[rank])
    return gained
