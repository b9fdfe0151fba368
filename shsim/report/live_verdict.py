"""What live exposure amounts to, in a sentence."""

from __future__ import annotations

import numpy as np

from shsim.arrays import BoolArray
from shsim.model.ability import number
from shsim.model.audit import LiveExposure, LiveTests
from shsim.model.item_pool import ItemPool
from shsim.report.exposure import cap_held


def live_verdict(
    pool: ItemPool,
    live: LiveExposure,
    judged: BoolArray,
    tests: LiveTests,
    limit: tuple[float, float],
) -> tuple[bool | None, str]:
    """Whether the cap is held live (None: nothing tells), and the sentence that says so.

    `limit` is tau, and the relative excess over it that counts as none.
    """
    tau, tol = limit
    cap = f"cap of {number(tau)}"
    if not judged.any():
        return None, (
            f"Whether the {cap} is held can't be told: other exams share every item, and"
            " attempts don't say which exam they were for."
        )
    if tests.n == 0 or tests.attempts == 0:
        return None, f"Whether the {cap} is held can't be told: there are no attempts to judge."
    worst = int(np.nanargmax(live.rate))
    largest = f"the largest live exposure is {live.rate[worst]:.4f} (item {pool.item(worst)})"
    over = int(live.over.sum())
    if over:
        items = "1 item is" if over == 1 else f"{over:,} items are"
        return False, f"The {cap} is not held live: {items} over it beyond noise; {largest}."
    if tau * (1 + tol) >= 1:
        return True, f"The {cap} is held live, as any would be; {largest}."
    if cap_held(0, limit, live.visible_excess) is None:
        few = "1 test is" if tests.n == 1 else f"{tests.n:,} tests are"
        return None, f"Whether the {cap} is held can't be told: {few} too few to show an excess."
    return True, (
        f"The {cap} is held live: no item is over it beyond noise in {tests.n:,} tests, and an"
        f" excess of {live.visible_excess:.1%} would have shown; {largest}."
    )
