"""Tests given position by position: ranked at an estimate of theta, or under a blueprint.

The literal process: each position walks the items that are left from the most
informative down, at the estimate of the moment; each has the same clock throughout the
test as in `shsim.kernels.administer`. What follows is in `shsim.kernels.course`.
"""

from __future__ import annotations

from shsim.arrays import AnyArray
from shsim.kernels.choose import choose
from shsim.kernels.course import Sitter, first_belief, is_over, sit_down, stand_up, take
from shsim.kernels.desk import WENT_PAST, Desk, Journal, Sums
from shsim.kernels.estimate import Belief
from shsim.kernels.jit import device, kernel
from shsim.kernels.plan import Test
from shsim.kernels.sitting import Examinees


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
        sitter = sit_down(examinees, desk, at)
        count, belief = sit(test, desk, journal, sitter)
        stand_up(test, sums, desk, sitter, belief, count)
        strays += desk.cursor[WENT_PAST]
        if strays > patience:
            return at + 1
    return len(examinees.order)


@device
def sit(test: Test, desk: Desk, journal: Journal, sitter: Sitter) -> tuple[int, Belief]:
    """Give one test: the number of its items, and the last belief (theta itself, if true)."""
    belief = first_belief(test, desk, sitter.theta)
    count = 0
    while not is_over(test, desk, belief, count):
        chosen = choose(test, desk, belief.theta_hat, sitter.key)
        belief = take(test, desk, journal, sitter, belief, count, chosen)
        count += 1
    return count, belief
