"""Whether live selectors accept items as their k say, from counts of proposals and attempts.

What an item is accepted less k times what it was proposed is a martingale, test by test and
whatever the ranking, so that the binomial with the count of proposals gives its noise.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.model.audit import LiveProposals
from shsim.report.exposure import binomial_tail

#: Chance of a false alarm over all items together.
_CHANCE = 0.05

#: An acceptance within this share of k counts as k: tests are broken off between an item's
#: acceptance and the answer to it, and a selector may lose some of its counts.
TOLERANCE = 0.1

#: So many attempts more than were accepted are taken for forced ones.
_FORCED = 10


def judge_acceptance(
    since: datetime, proposals: IntArray, attempts: IntArray, k: FloatArray
) -> LiveProposals:
    """Hold each item's attempts against its proposals and its k, over the same days.

    Parameters
    ----------
    since
        Where the days begin.
    proposals, attempts, k
        By item.
    """
    acceptance = np.full(len(k), np.nan)
    proposed = proposals > 0
    acceptance[proposed] = attempts[proposed] / proposals[proposed]
    off = np.zeros(len(k), dtype=np.int64)
    alpha = _CHANCE / 2 / max(int(proposed.sum()), 1)
    for i in np.flatnonzero(proposed).tolist():
        off[i] = _off(int(proposals[i]), int(attempts[i]), float(k[i]), alpha)
    return LiveProposals(since, proposals, attempts, acceptance, off)


def _off(proposals: int, attempts: int, k: float, alpha: float) -> int:
    """1 or -1 where a tail of the binomial at the tolerated k is at most `alpha`."""
    most, least = min(k * (1 + TOLERANCE), 1.0), k * (1 - TOLERANCE)
    if attempts > proposals or k == 0:
        # Forced items are attempted without being accepted: only a great excess tells.
        return int(attempts > proposals * most * (1 + TOLERANCE) + _FORCED)
    if attempts > proposals * most:
        return int(binomial_tail(proposals, most, attempts) <= alpha)
    if attempts < proposals * least:
        return -int(binomial_tail(proposals, 1 - least, proposals - attempts) <= alpha)
    return 0
