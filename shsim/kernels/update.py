"""Update rules: from the tallies of one iteration to the next k."""

from __future__ import annotations

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray

#: Newton's method ends when no root moves by more than this, relatively.
_SETTLED = 1e-13
_MOST_STEPS = 100


def wanted_by_position(reached: AnyArray, n: int, aim: float) -> FloatArray:
    """The k that would have met the cap under `position`, had nothing else changed.

    Parameters
    ----------
    reached
        (N, L): column m-1 counts the examinees to whom the item would have come up m times,
        had it been rejected each time; where the ranking is fixed within a test, those who
        reached it with m positions open.
    n
        Simulated examinees.
    aim
        The exposure rate to meet, in (0, 1].
    """
    return roots_by_position(reached / n, aim)


def potential_proposals(accepted: IntArray, rejected: IntArray) -> FloatArray:
    """How often an item would have come up in a test, had it been rejected every time.

    Acceptance cuts the count short, as a death from another cause does in a life table:
    the product-limit estimator (Kaplan & Meier 1958) puts the examinees who accepted at
    the m-th proposal among those still to be seen after it. Where all who were left
    accepted, nobody is taken to have had more proposals.

    Parameters
    ----------
    accepted, rejected
        int64 (N, L): column m-1 counts the examinees to whom the item was proposed m times
        and who got it at the last; who never got it.

    Returns
    -------
    FloatArray
        (N, L), column m-1: examinees to whom it would have come up m times. Rows add up to
        the examinees to whom it came up at all.
    """
    ended = accepted + rejected
    at_risk = ended[:, ::-1].cumsum(axis=1)[:, ::-1]
    followed = at_risk - accepted
    with np.errstate(invalid="ignore", divide="ignore"):
        last = np.where(followed > 0, rejected / followed, 1.0)
    beyond = np.ones_like(last)
    beyond[:, 1:] = np.cumprod(1.0 - last[:, :-1], axis=1)
    return at_risk[:, :1] * beyond * last


def roots_by_position(reached: FloatArray, aim: float) -> FloatArray:
    """Per item the root of Σ_m H[m]·(1 - (1-k)^m) = aim; 1 where k = 1 stays under it.

    H, the shares of examinees who reach the item with m positions open, are the
    columns of `reached`, float64 (N, L).
    """
    wanted = np.ones(len(reached))
    restrained = np.flatnonzero(reached.sum(axis=1) > aim)
    if len(restrained):
        wanted[restrained] = _roots(reached[restrained].T, aim)
    return wanted


def roots_by_examinee(reached: FloatArray, aim: float) -> FloatArray:
    """Sympson & Hetter's own rule on the same shares: 1 where P(S) <= aim, else aim/P(S)."""
    share = reached.sum(axis=1)
    return np.where(share <= aim, 1.0, aim / np.maximum(share, aim))


def _roots(share: FloatArray, aim: float) -> FloatArray:
    """Newton from k = 0, which rises to the root without passing it: the sum is concave.

    `share` is (L, items), so that Horner's scheme runs along contiguous rows.
    """
    total = share.sum(axis=0)
    k = np.zeros(share.shape[1])
    for _ in range(_MOST_STEPS):
        q = 1.0 - k
        value = np.zeros_like(k)
        slope = np.zeros_like(k)
        for row in share[::-1]:
            slope = slope * q + value
            value = value * q + row
        slope = slope * q + value
        value = value * q
        moved = (aim - (total - value)) / slope
        k = np.minimum(k + np.maximum(moved, 0.0), 1.0)
        if bool(np.all(moved <= _SETTLED * k)):
            break
    return k


def wanted_by_examinee(proposed: IntArray, n: int, aim: float) -> FloatArray:
    """Sympson & Hetter's own rule (1985; Barrada, Olea & Ponsoda 2007, eq. 3).

    1 where P(S) <= aim, else aim/P(S), with P(S) the share of examinees to whom the
    item was proposed (int64 (N,) counts); shape (N,).
    """
    return roots_by_examinee((proposed / n)[:, None], aim)


def wanted_by_rate(k: FloatArray, seen: IntArray, n: int, aim: float) -> FloatArray:
    """The first script's rule: k·aim/r; 1.1 k where nobody saw the item. May exceed 1."""
    rate = seen / n
    return np.where(seen > 0, k * aim / np.maximum(rate, 1.0 / n), 1.1 * k)


def move(
    k: FloatArray, wanted: FloatArray, gamma: FloatArray | float, floor: float, ceil: float
) -> FloatArray:
    """Move in the log of k: clamp(k·(wanted/k)^gamma).

    A k of 0 counts as the floor; where the floor is 0 too, it stays 0.
    """
    base = np.maximum(k, floor)
    safe = np.where(base > 0, base, 1.0)
    moved = np.where(base > 0, base * (wanted / safe) ** gamma, 0.0)
    return np.clip(moved, floor, ceil)
