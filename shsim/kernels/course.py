"""The course of a test, however its items are chosen: answers, estimates, what is kept.

The answer is drawn at the true theta, one uniform an item, and the estimate is made
anew; so the same examinee answers the same item alike, whatever control is tried.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

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
    Desk,
    Journal,
    Sums,
)
from shsim.kernels.estimate import Belief, begin, revise, standard_error
from shsim.kernels.irt import information
from shsim.kernels.jit import device
from shsim.kernels.plan import EAP, TRUE, Test
from shsim.kernels.response import probability
from shsim.kernels.rng import nth_key, unit
from shsim.kernels.sitting import Examinees
from shsim.kernels.workspace import PROPOSED, SEEN, WALK


class Sitter(NamedTuple):
    """One examinee: the place in the call, theta and its decile, the keys of the draws.

    `key` (uint64) is of the draws that control exposure, `answers` of the answers.
    """

    e: int
    theta: float
    decile: int
    key: Any
    answers: Any


@device
def sit_down(examinees: Examinees, desk: Desk, at: int) -> Sitter:
    """Clear the desk for the examinee whose turn is the at-th."""
    e = examinees.order[at]
    number = np.uint64(examinees.first + e)
    desk.cursor[:] = 0
    desk.content[:] = 0
    return Sitter(
        e,
        examinees.theta[e],
        int(examinees.decile[e]),
        nth_key(examinees.key, number),
        nth_key(examinees.answers, number),
    )


@device
def first_belief(test: Test, desk: Desk, theta: float) -> Belief:
    """The estimate before the first response; where nothing is estimated, theta itself."""
    if test.plan.estimator == TRUE:
        return Belief(theta, 0.0, 1.0)
    begin(test, desk)
    return Belief(test.plan.start, np.inf, 1.0)


@device
def is_over(test: Test, desk: Desk, belief: Belief, count: int) -> bool:
    """Whether the test ends after `count` items; if not, topics are opened for the next.

    Once the estimate is good enough, a test goes on for its blueprint's sake alone.
    """
    plan = test.plan
    if count >= plan.longest:
        return True
    precise = plan.se_stop > 0.0 and belief.error <= plan.se_stop and count >= plan.shortest
    if len(test.content.topic) == 0:
        return bool(precise)
    needed = open_topics(test.content, desk, plan.longest - count)
    if precise and needed > 0:
        open_topics(test.content, desk, needed)
    return bool(precise and needed == 0)


@device
def take(
    test: Test,
    desk: Desk,
    journal: Journal,
    sitter: Sitter,
    belief: Belief,
    count: int,
    chosen: int,
) -> Belief:
    """Take the item `chosen` (~item where it was forced) after `count` others."""
    item = ~chosen if chosen < 0 else chosen
    writes = sitter.e < len(journal.item)
    desk.items[count] = item
    if len(test.content.topic) > 0:
        desk.content[TAKEN, test.content.topic[item]] += 1
    answer = -1
    if writes:
        journal.ranked_at[sitter.e, count] = belief.theta_hat
        journal.information[sitter.e, count] = information(
            test.tables.items, item, belief.theta_hat
        )
    if test.plan.estimator != TRUE:
        u = unit(nth_key(sitter.answers, np.uint64(item)))
        answer = 1 if u < probability(test.tables.items, item, sitter.theta) else 0
        desk.answers[count] = answer
        belief = revise(test, desk, belief, count + 1, test.plan.se_stop > 0.0 or writes)
    if writes:
        write_step(journal, desk, sitter.e, count, chosen, answer, belief)
    return belief


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
def stand_up(
    test: Test, sums: Sums, desk: Desk, sitter: Sitter, belief: Belief, count: int
) -> None:
    """Add a test of `count` items to the sums, and clear the desk's state."""
    if sitter.e < len(sums.outcome):
        error = belief.error
        if test.plan.estimator > EAP:
            error = standard_error(test, desk, count, belief.theta_hat)
        write_outcome(test, sums, desk, sitter, count, belief.theta_hat, error)
    sums.lengths[count] += 1
    sums.forced[0] += desk.cursor[FORCED]
    tally(sums, desk, count, sitter.decile)


@device
def write_outcome(
    test: Test,
    sums: Sums,
    desk: Desk,
    sitter: Sitter,
    count: int,
    theta_hat: float,
    error: float,
) -> None:
    """What came of one test: estimate, standard error, length, information at the true theta."""
    gained = 0.0
    for j in range(count):
        gained += information(test.tables.items, int(desk.items[j]), sitter.theta)
    sums.outcome[sitter.e, THETA_HAT] = theta_hat
    sums.outcome[sitter.e, STANDARD_ERROR] = error
    sums.outcome[sitter.e, GIVEN] = float(count)
    sums.outcome[sitter.e, INFORMATION] = gained


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
