"""One position of a live test, of which nothing is known but what came before it.

The walk is that of a simulated test (`shsim.kernels.choose`), on a desk that is cleared
again. Acceptance is drawn anew for each proposal: an item's clock counts on from one
position to the next, and a geometric clock that has not rung is as good as new.
"""

from __future__ import annotations

from typing import Any, Final

from shsim.arrays import AnyArray
from shsim.kernels.choose import choose, is_open
from shsim.kernels.content import open_topics
from shsim.kernels.desk import SEEN_NOW, SET_ASIDE, TOUCHED, WAIT, Desk
from shsim.kernels.jit import device, kernel
from shsim.kernels.plan import Test
from shsim.kernels.workspace import WALK

#: Instead of an item: every one is seen, or of a closed topic.
EXHAUSTED: Final = -(2**31)


@kernel
def select_item(
    test: Test,
    desk: Desk,
    seen: AnyArray,
    aside: AnyArray,
    left: int,
    theta: float,
    key: Any,
) -> int:
    """The item that the next of `left` positions gets, ~item where it had to be forced.

    Parameters
    ----------
    test
        Only its tables, rule and content are used.
    desk
        Row TAKEN of its content says how many items of each topic were given; the trail
        receives the items proposed, `desk.cursor[ON_TRAIL]` of them. The rest is left as it was.
    seen, aside
        int32: items that cannot be given, and items set aside (`examinee`), which can only be
        forced. An item may be in both.
    left
        Positions that are not filled yet; 0: only what topics still lack is given.
    theta
        What ranks the items.
    key
        uint64: of the acceptance draws of this position.
    """
    state = desk.state
    desk.cursor[:] = 0
    for item in aside:
        state[item, WAIT] = SET_ASIDE
    for item in seen:
        state[item, WAIT] = SEEN_NOW
    if len(test.content.topic) > 0:
        needed = open_topics(test.content, desk, max(left, 1))
        if left == 0:
            open_topics(test.content, desk, needed)
    chosen = choose(test, desk, theta, key) if any_left(test, desk) else EXHAUSTED
    for j in range(desk.cursor[TOUCHED]):
        state[desk.members[WALK, j], WAIT] = 0
    for item in aside:
        state[item, WAIT] = 0
    for item in seen:
        state[item, WAIT] = 0
    return chosen


@device
def any_left(test: Test, desk: Desk) -> bool:
    """Whether an item is unseen and of an open topic."""
    for i in range(len(test.tables.items)):
        if desk.state[i, WAIT] != SEEN_NOW and is_open(test.content, desk, i):
            return True
    return False
