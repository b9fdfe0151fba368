"""Where one thread gives adaptive tests: its room, what it counts, what it writes down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.workspace import DECILES, HEAP

#: Columns of `Desk.state`: proposals until the item accepts (0: none has been made yet),
#: and its clock, the proposal at which it does.
WAIT, CLOCK = range(2)

#: In the place of a wait, of an item that cannot be proposed: seen, set aside for the rest
#: of the test, and kept from this examinee. The clock then says how often it was proposed.
SEEN_NOW, SET_ASIDE, BARRED = -1, -2, -3

#: Entries of `Desk.cursor`: items proposed in this test, whether a walk has gone past
#: its table, positions filled by force, proposals on the trail.
TOUCHED, WENT_PAST, FORCED, ON_TRAIL = range(4)

#: Rows of `Desk.content`: items of each topic given, and whether it is closed now.
TAKEN, CLOSED = range(2)

#: Columns of `Sums.outcome`.
THETA_HAT, STANDARD_ERROR, GIVEN, INFORMATION = range(4)

#: Columns of `Sums.counts` after SEEN and PROPOSED, each L wide: examinees to whom the
#: item was proposed m = 1 … L times, of whom it was accepted (or forced) at the last of
#: them; and who rejected it every time.
HISTOGRAM = 2


#: In the place of an item in a journal, after the end of a test.
NO_ITEM = -(2**31)


class Desk(NamedTuple):
    """Room for one thread; `state` is zero between tests.

    int32 (N, 2), (3, N), float64 (N,) twice, int64 (4,), float64 (3, G), int32 (L,), uint8
    (L,), int64 (2, T). `trail`, int32, receives the items proposed, one after another,
    as far as it reaches.
    """

    state: AnyArray
    members: AnyArray
    held: FloatArray
    heap: FloatArray
    cursor: IntArray
    belief: FloatArray
    items: AnyArray
    answers: AnyArray
    content: IntArray
    trail: AnyArray


class Sums(NamedTuple):
    """Sums over examinees, added to in place.

    int64 (N, 2) or (N, 2 + 2L) `counts`, (10, N) or empty `by_decile`, (1,) `forced`,
    (L + 1,) `lengths`, and `outcome`, float64 (examinees, 4) or empty, written for each
    examinee: the last estimate, its standard error, items given, and the information of
    the items at the true theta.
    """

    counts: IntArray
    by_decile: IntArray
    forced: IntArray
    lengths: IntArray
    outcome: FloatArray


class Journal(NamedTuple):
    """What happened at each position, of the first examinees of a call; or nothing.

    int32 (rows, L) item given, ~item where it was forced, `NO_ITEM` after the end; int8 answer
    (1 right, 0 wrong, -1 none); float64 ability that ranked the items, the item's information
    there, the estimate after the answer and its standard error; int32 (rows,
    room) the desk's trail, and (rows, L) how far it goes by each position's end.
    """

    item: AnyArray
    answer: AnyArray
    ranked_at: FloatArray
    information: FloatArray
    theta_hat: FloatArray
    standard_error: FloatArray
    proposed: AnyArray
    upto: AnyArray


def make_desk(size: int, length: int, nodes: int, topics: int, trail: int = 0) -> Desk:
    """Room for one thread: N items, tests of at most L, G nodes, T topics."""
    return Desk(
        state=np.zeros((size, 2), np.int32),
        members=np.empty((HEAP + 1, size), np.int32),
        held=np.empty(size),
        heap=np.empty(size),
        cursor=np.zeros(ON_TRAIL + 1, np.int64),
        belief=np.empty((3, nodes)),
        items=np.empty(length, np.int32),
        answers=np.empty(length, np.uint8),
        content=np.zeros((2, topics), np.int64),
        trail=np.empty(trail, np.int32),
    )


def make_sums(size: int, length: int, *, histogram: bool, by_decile: bool) -> Sums:
    """Empty sums for N items and tests of at most L."""
    return Sums(
        counts=np.zeros((size, HISTOGRAM + (2 * length if histogram else 0)), np.int64),
        by_decile=np.zeros((DECILES if by_decile else 0, size), np.int64),
        forced=np.zeros(1, np.int64),
        lengths=np.zeros(length + 1, np.int64),
        outcome=np.empty((0, INFORMATION + 1)),
    )


def make_journal(rows: int, length: int, room: int) -> Journal:
    """A journal of so many examinees, with room for so many proposals of each."""
    return Journal(
        item=np.full((rows, length), NO_ITEM, np.int32),
        answer=np.full((rows, length), -1, np.int8),
        ranked_at=np.full((rows, length), np.nan),
        information=np.full((rows, length), np.nan),
        theta_hat=np.full((rows, length), np.nan),
        standard_error=np.full((rows, length), np.nan),
        proposed=np.full((rows, room), -1, np.int32),
        upto=np.zeros((rows, length), np.int32),
    )
