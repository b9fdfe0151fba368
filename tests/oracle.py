"""Plain Python and NumPy, written from the method and from nothing in shsim.

Every kernel is held against one of these: the literal process, in which each position
walks the unseen items from the most informative down; the same with the kernels' own
clocks; and the closed chain that gives expected exposure without noise.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def logistic(z):
    """s(z) and 1 - s(z), each to its own last digit."""
    e = np.exp(-np.abs(z))
    near, far = 1 / (1 + e), e / (1 + e)
    return np.where(z >= 0, near, far), np.where(z >= 0, far, near)


def probability(theta, a, b, c, scale, d=1.0):
    """4PL probability of a correct response; arrays broadcast."""
    return c + (d - c) * logistic(scale * a * (theta - b))[0]


def information(theta, a, b, c, scale, d=1.0):
    """4PL item information P'^2 / (P (1-P)), P' = D a (d-c) s q; arrays broadcast.

    One s and one q are divided first: s / P is 1/d without guessing, and q / (1-P) is
    1/(1-c) where d is 1, also in the tails, where both fall to nought.
    """
    s, q = logistic(scale * a * (theta - b))
    right, wrong = c + (d - c) * s, (1 - d) + (d - c) * q
    s_over_right = np.where(c == 0, 1 / d, s / np.where(right == 0, 1.0, right))
    q_over_wrong = np.where(d == 1, 1 / (1 - c), q / np.where(wrong == 0, 1.0, wrong))
    return (scale * a * (d - c)) ** 2 * s * q * s_over_right * q_over_wrong


def ranking(theta, a, b, c, scale, d=1.0):
    """Items from the most informative down; ties by position in the pool."""
    return np.argsort(-information(theta, a, b, c, scale, d), kind="stable").tolist()


def splitmix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def nth(key, number):
    return splitmix((key + (number + 1) * GOLDEN) & MASK)


def uniform(key):
    return ((key >> 12) + 0.5) * 2.0**-52


def stream(seed, stream_number, iteration, purpose):
    key = seed
    for part in (stream_number, iteration, purpose):
        key = nth(key, part)
    return key


def clock(u, k):
    """The proposal at which the item accepts."""
    if k >= 1:
        return 1
    if k <= 0:
        return math.inf
    if math.log1p(-k) == 0:
        return math.inf
    ratio = math.log(u) / math.log1p(-k)
    return math.inf if math.isinf(ratio) else 1 + math.floor(ratio)


def literal_test(order, accepts: Callable[[int, int], bool], length, by_position):
    """One test, position by position.

    `accepts(item, times)` says whether the item accepts at its times-th proposal.
    Returns the items seen in order, proposals per item, and the forced positions.
    """
    seen: list[int] = []
    proposed: dict[int, int] = {}
    aside: set[int] = set()
    forced = 0
    for _ in range(length):
        unseen = [item for item in order if item not in seen]
        chosen = None
        for item in unseen:
            if item in aside:
                continue
            proposed[item] = proposed.get(item, 0) + 1
            if accepts(item, proposed[item]):
                chosen = item
                break
            if not by_position:
                aside.add(item)
        if chosen is None:
            chosen = unseen[0]
            forced += 1
        seen.append(chosen)
    return seen, proposed, forced


def test_with_clocks(order, k: Sequence[float], key, length, by_position):
    """A literal test whose items carry the kernels' clocks, from the examinee's key."""

    def accepts(item, times):
        u = uniform(nth(key, item))
        return clock(u, k[item]) <= times if by_position else u <= k[item]

    return literal_test(order, accepts, length, by_position)


test_with_clocks.__test__ = False  # its name is a noun here


def test_with_dice(order, k: Sequence[float], dice: random.Random, length, by_position):
    """A literal test with a fresh draw at each proposal."""
    return literal_test(order, lambda item, _: dice.random() < k[item], length, by_position)


test_with_dice.__test__ = False


def normal_nodes(count, mean=0.0, sd=1.0):
    """Equal-probability midpoints of a normal distribution."""
    dist = NormalDist(mean, sd)
    return np.array([dist.inv_cdf((q + 0.5) / count) for q in range(count)])


def exact_exposure(nodes, a, b, c, k, length, scale, by_position, *, d=1.0):  # noqa: PLR0913
    """Expected exposure and the mean unfilled positions, by the closed chain.

    The distribution of the number of open positions is carried down the ranking of
    each node (rows), one rank at a time for all nodes.
    """
    size = len(a)
    info = information(nodes[:, None], a, b, c, scale, d)
    order = np.argsort(-info, axis=1, kind="stable")
    f = np.zeros((len(nodes), length + 1))
    f[:, length] = 1.0
    m = np.arange(length + 1)
    exposure = np.zeros(size)
    for rank in range(size):
        item = order[:, rank]
        kk = k[item][:, None]
        accept = 1 - (1 - kk) ** m if by_position else np.where(m > 0, kk, 0.0)
        taken = f * accept
        np.add.at(exposure, item, taken.sum(axis=1))
        f = f - taken
        f[:, :-1] += taken[:, 1:]
        if f[:, 1:].sum() < 1e-13 * len(nodes):
            break
    return exposure / len(nodes), float((f * m).sum() / len(nodes))


def pool_c2(size=500):
    """The golden pool C2 (and, with 1,000 items, C4)."""
    rng = np.random.default_rng(1)
    a = np.exp(rng.normal(0, 0.3, size))
    b = rng.normal(0, 1, size)
    c = rng.beta(5, 17, size)
    return a, b, c
