"""Tests given position by position: ranked at an estimate of theta, or under a blueprint.

The literal process: each position walks the items that are left from the most
informative down, at the estimate of the moment; each has the same clock throughout the
test as in `shsim.kernels.administer`. The answer is drawn at the true theta, one uniform
an item, and the estimate is made anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shsim.arrays import AnyArray
from shsim.kernels.choose import choose
from shsim.kernels.content import open_topics
from shsim.kernels.desk import (
    CLOCK,
    FORCED,
    GIVEN,
    HISTOGRAM,
    INFORMATION,
    ON_TRAIL,
    SEEN_NOW,
    STANDARD_ERROR,
    TAKEN,
    THETA_HAT,
    TOUCHED,
    WAIT,
    WENT_PAST,
    Desk,
    Journal,
    Sums,
)
from shsim.kernels.estimate import Belief, begin, revise, standard_error
from shsim.kernels.irt import information
from shsim.kernels.jit import device, kernel
from shsim.kernels.plan import EAP, TRUE, Test
from shsim.kernels.response import probability
from shsim.kernels.rng import nth_key, unit
from shsim.kernels.sitting import Examinees
from shsim.kernels.workspace import PROPOSED, SEEN, WALK


@kernel
def administer_adaptively(
    test: Test,
    examinees: Examinees,
    sums: Sums,
    desk: Desk,
    journal: Journal,
    start: int,
    patience: int,
    cancel: AnyArray,
) -> int:
    """Test the examinees from `start` on in their order, adding to the sums.

    Walks may go past the tables, as in :func:`shsim.kernels.administer.administer`.

    Returns
    -------
    int
        The place in the order to go on from: the end, unless patience ran out (deepen
        the tables then) or `cancel[0]` was set.
    """
    strays = 0
    for at in range(start, len(examinees.order)):
        if cancel[0] != 0:
            return at
        e = examinees.order[at]
        theta = examinees.theta[e]
        number = np.uint64(examinees.first + e)
        desk.cursor[:] = 0
        desk.content[:] = 0
        count, theta_hat, error = sit(
            test,
            desk,
            journal,
            e,
            theta,
            nth_key(examinees.key, number),
            nth_key(examinees.answers, number),
        )
        if e < len(sums.outcome):
            if test.plan.estimator > EAP:
                error = standard_error(test, desk, count, theta_hat)
            write_outcome(test, sums, desk, e, theta, count, theta_hat, error)
        sums.lengths[count] += 1
        sums.forced[0] += desk.cursor[FORCED]
        tally(sums, desk, count, int(examinees.decile[e]))
        strays += desk.cursor[WENT_PAST]
        if strays > patience:
            return at + 1
    return len(examinees.order)


@device
def sit(
    test: Test, desk: Desk, journal: Journal, e: int, theta: float, key: Any, answer_key: Any
) -> tuple[int, float, float]:
    """Give one test: its items, the last estimate and its standard error (0 at a true theta)."""
    _, start, shortest, longest, se_stop = test.plan
    estimator = test.plan.estimator
    writes = e < len(journal.item)
    belief = Belief(start, np.inf, 1.0)
    if estimator == TRUE:
        belief = Belief(theta, 0.0, 1.0)
    else:
        begin(test, desk)
    count = 0
    needed = 0
    while count < longest:
        if len(test.content.topic) > 0:
            needed = open_topics(test.content, desk, longest - count)
        if se_stop > 0.0 and count >= shortest and needed == 0 and belief.error <= se_stop:
            break
        chosen = choose(test, desk, belief.theta_hat, key)
        item = ~chosen if chosen < 0 else chosen
        desk.items[count] = item
        if len(test.content.topic) > 0:
            desk.content[TAKEN, test.content.topic[item]] += 1
        answer = -1
        if estimator != TRUE:
            u = unit(nth_key(answer_key, np.uint64(item)))
            answer = 1 if u < probability(test.tables.items, item, theta) else 0
            desk.answers[count] = answer
            belief = revise(test, desk, belief, count + 1, se_stop > 0.0 or writes)
        if writes:
            write_step(journal, desk, e, count, chosen, answer, belief)
        count += 1
    return count, belief.theta_hat, belief.error


@device
def write_step(
    journal: Journal, desk: Desk, e: int, count: int, chosen: int, answer: int, belief: Belief
) -> None:
    """Note one position in the journal."""
    journal.item[e, count] = chosen
    journal.answer[e, count] = answer
    journal.theta_hat[e, count] = belief.theta_hat
    journal.standard_error[e, count] = belief.error
    before = journal.upto[e, count - 1] if count > 0 else 0
    journal.upto[e, count] = desk.cursor[ON_TRAIL]
    for j in range(before, desk.cursor[ON_TRAIL]):
        journal.proposed[e, j] = desk.trail[j]


@device
def write_outcome(
    test: Test,
    sums: Sums,
    desk: Desk,
    e: int,
    theta: float,
    count: int,
    theta_hat: float,
    error: float,
) -> None:
    """What came of one test: estimate, standard error, length, information at the true theta."""
    gained = 0.0
    for j in range(count):
        gained += information(test.tables.items, int(desk.items[j]), theta)
    sums.outcome[e, THETA_HAT] = theta_hat
    sums.outcome[e, STANDARD_ERROR] = error
    sums.outcome[e, GIVEN] = float(count)
    sums.outcome[e, INFORMATION] = gained


@device
def tally(sums: Sums, desk: Desk, count: int, decile: int) -> None:
    """Count what became of each item that was proposed, and clear the desk for the next test."""
    counts, state = sums.counts, desk.state
    longest = (counts.shape[1] - HISTOGRAM) // 2
    for j in range(count):
        item = int(desk.items[j])
        counts[item, SEEN] += 1
        if len(sums.by_decile) > 0:
            sums.by_decile[decile, item] += 1
    for j in range(desk.cursor[TOUCHED]):
        item = int(desk.members[WALK, j])
        wait = state[item, WAIT]
        times = state[item, CLOCK] - max(wait, 0)
        counts[item, PROPOSED] += times
        if longest > 0:
            ended = 0 if wait == SEEN_NOW else longest
            counts[item, HISTOGRAM + ended + times - 1] += 1
        state[item, WAIT] = 0
