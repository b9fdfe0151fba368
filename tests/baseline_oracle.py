"""Other programmes' exposure control in plain Python, written from its definitions.

Every position ranks all items anew; `Past` is what restricted and eligibility go by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import oracle


@dataclass(frozen=True)
class Design:
    """A test; with `topic` there is a blueprint, with `nodes` ability is estimated by EAP."""

    length: int
    start: float = 0.0
    nodes: Sequence[float] | None = None
    weights: Sequence[float] = ()
    se_stop: float = 0.0
    topic: Sequence[int] | None = None
    least: Sequence[int] = ()
    most: Sequence[int] = ()

    def open_items(self, given: Sequence[int], size: int):
        """Items that the blueprint lets the next position have."""
        if self.topic is None:
            return set(range(size))
        taken = [sum(self.topic[i] == t for i in given) for t in range(len(self.least))]
        lacking = [max(0, least - n) for least, n in zip(self.least, taken, strict=True)]
        tight = sum(lacking) == self.length - len(given)
        room = lacking if tight else [m - n for m, n in zip(self.most, taken, strict=True)]
        return {i for i in range(size) if room[self.topic[i]] > 0}

    def lacks(self, given: Sequence[int]) -> bool:
        if self.topic is None:
            return False
        return any(
            sum(self.topic[i] == t for i in given) < least for t, least in enumerate(self.least)
        )


@dataclass
class Past:
    """What happened to earlier examinees."""

    size: int
    tested: int = 0
    seen: list[int] = field(default_factory=list)
    eligible: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.seen, self.eligible = [0] * self.size, [0] * self.size


def barred_items(kind, tau, past, key):
    """Who is barred from the next examinee; eligibility is counted."""
    if kind == "restricted":
        if past.tested == 0 or tau == 1:
            return set()
        return {i for i in range(past.size) if past.seen[i] >= tau * past.tested}
    if kind == "eligibility":
        barred = set()
        for i in range(past.size):
            chance = tau * past.eligible[i] / past.seen[i] if past.seen[i] else 1.0
            if oracle.uniform(oracle.nth(key, i)) < min(chance, 1.0):
                past.eligible[i] += 1
            else:
                barred.add(i)
        return barred
    return set()


def pick(kind, size, left, information, key, share):
    """One of the items left, which are ranked from the most informative down."""
    if kind == "randomesque" and min(size, len(left)) > 1:
        among = left[:size]
        return among[int(oracle.uniform(key) * len(among))]
    if kind == "progressive":
        top = max(information[i] for i in left)
        weight = {
            i: (1 - share) * (top * oracle.uniform(oracle.nth(key, i))) + share * information[i]
            for i in left
        }
        return max(sorted(left), key=lambda i: weight[i])
    return left[0]


def eap(design, parameters, given, right):
    """Mean and standard deviation of the posterior on the grid."""
    nodes = np.asarray(design.nodes)
    weight = np.array(design.weights, dtype=float)
    for i, correct in zip(given, right, strict=True):
        a, b, c, scale, d = (p if np.isscalar(p) else p[i] for p in parameters)
        chance = oracle.probability(nodes, a, b, c, scale, d)
        weight *= chance if correct else 1 - chance
    weight /= weight.sum()
    mean = float((weight * nodes).sum())
    return mean, math.sqrt(float((weight * (nodes - mean) ** 2).sum()))


def take_test(design, control, parameters, theta, keys, past):
    """The items of one test in order, and which positions were forced.

    `control` is (kind, size, tau), `keys` the examinee's: of control and of answers.
    """
    kind, size, tau = control
    key, answer_key = keys
    number = len(parameters[0])
    barred = barred_items(kind, tau, past, key)
    chance = oracle.probability(theta, *parameters)
    given, forced, right = [], [], []
    theta_hat, error = (theta, 0.0) if design.nodes is None else (design.start, math.inf)
    for position in range(design.length):
        if given and error <= design.se_stop and design.se_stop and not design.lacks(given):
            break
        information = oracle.information(theta_hat, *parameters)
        unseen = [i for i in oracle.ranking(theta_hat, *parameters) if i not in given]
        unseen = [i for i in unseen if i in design.open_items(given, number)]
        left = [i for i in unseen if i not in barred]
        forced.append(not left)
        share = position / design.length
        item = (
            pick(kind, size, left, information, oracle.nth(key, position), share)
            if left
            else unseen[0]
        )
        given.append(item)
        if design.nodes is not None:
            right.append(oracle.uniform(oracle.nth(answer_key, item)) < chance[item])
            theta_hat, error = eap(design, parameters, given, right)
    for item in given:
        past.seen[item] += 1
    past.tested += 1
    return given, forced
