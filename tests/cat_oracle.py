"""An adaptive test in plain Python, NumPy and SciPy, written from nothing in shsim.

Each position ranks every item anew, walks down those not seen, asks the blueprint which
topics are open, draws the answer at the true theta and estimates ability from all answers.
Sums over the grid are taken from the start each time, and extremes are looked for on a
grid finer than the kernels', so that neither shares the kernels' short cuts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import oracle
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import brentq, minimize_scalar

#: On the grid of EAP no answer is less likely than this.
LEAST = 1e-30

#: Steps of the fine grid between two nodes.
FINER = 16


def grid(mean=0.0, sd=1.0):
    """64 equally spaced abilities within 4 standard deviations of the prior mean."""
    return np.linspace(mean - 4 * sd, mean + 4 * sd, 64)


@dataclass(frozen=True)
class Design:
    """A test as one would describe it; `topic` of each item where there is a blueprint."""

    estimator: str
    length: int
    by_position: bool
    start: float = 0.0
    mean: float = 0.0
    sd: float = 1.0
    se_stop: float = 0.0
    min_len: int = 1
    topic: Sequence[int] | None = None
    least: Sequence[int] = ()
    most: Sequence[int] = ()

    @property
    def nodes(self):
        return grid(self.mean, self.sd)


@dataclass
class Record:
    """What happened in one test, position by position."""

    items: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)
    proposed: list[list[int]] = field(default_factory=list)
    theta_hat: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    tight: list[bool] = field(default_factory=list)


@dataclass(frozen=True)
class Answered:
    """Items that were answered, and how: what an estimate is made from."""

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    d: np.ndarray
    scale: float
    right: np.ndarray

    def _shares(self, theta):
        theta = np.asarray(theta, dtype=float)[..., None]
        s, q = oracle.logistic(self.scale * self.a * (theta - self.b))
        return s, q, self.c + (self.d - self.c) * s, (1 - self.d) + (self.d - self.c) * q

    def log_likelihood(self, theta, least=0.0):
        _, _, p, q = self._shares(theta)
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(np.where(self.right, p, q), least)).sum(axis=-1)

    def slope(self, theta):
        """The derivative of the log-likelihood: the sum of P'(x - P)/(P(1-P))."""
        s, q, right, wrong = self._shares(theta)
        first = self.scale * self.a * (self.d - self.c) * s * q
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.right, first / right, -first / wrong).sum(axis=-1)

    def fisher(self, theta):
        theta = np.asarray(theta, dtype=float)[..., None]
        return oracle.information(theta, self.a, self.b, self.c, self.scale, self.d).sum(axis=-1)

    def warm(self, theta):
        """J/(2I), J the sum of P'P''/(P(1-P)); 0 where nothing is known."""
        s, q, _, _ = self._shares(theta)
        at = np.asarray(theta, dtype=float)[..., None]
        information = oracle.information(at, self.a, self.b, self.c, self.scale, self.d)
        bend = self.scale * self.a * (q - s)  # P''/P'
        total = information.sum(axis=-1)
        j = (information * bend).sum(axis=-1)
        return np.where(total > 0, j / np.where(total > 0, 2 * total, 1.0), 0.0)


def eap(answered, mean, sd):
    """Mean and standard deviation of the posterior on the grid."""
    nodes = grid(mean, sd)
    log_weight = -0.5 * ((nodes - mean) / sd) ** 2 + answered.log_likelihood(nodes, LEAST)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    centre = float((weight * nodes).sum())
    return centre, math.sqrt(float((weight * (nodes - centre) ** 2).sum()))


def fine(nodes):
    return np.linspace(nodes[0], nodes[-1], FINER * (len(nodes) - 1) + 1)


def highest(value, slope, nodes):
    """Where `value` is greatest within the nodes: a fine grid, Brent, and the root there."""
    points = fine(nodes)
    best = int(np.argmax(value(points)))
    low, high = points[max(best - 1, 0)], points[min(best + 1, len(points) - 1)]
    found = minimize_scalar(
        lambda t: -value(t), bounds=(low, high), method="bounded", options={"xatol": 1e-9}
    ).x
    near = max(low, found - 1e-5), min(high, found + 1e-5)
    if slope(near[0]) > 0 > slope(near[1]):
        return brentq(slope, *near, xtol=1e-13)
    ends = [t for t in (low, high) if t in (nodes[0], nodes[-1])]
    return max([float(found), *ends], key=value)


def mle(answered, nodes, previous):
    if answered.right.all():
        return 0.5 * (previous + nodes[-1])
    if not answered.right.any():
        return 0.5 * (previous + nodes[0])
    return highest(answered.log_likelihood, answered.slope, nodes)


def posterior_mode(answered, nodes, mean, sd):
    def value(theta):
        return answered.log_likelihood(theta) - 0.5 * ((theta - mean) / sd) ** 2

    def slope(theta):
        return answered.slope(theta) - (theta - mean) / sd**2

    return highest(value, slope, nodes)


def wle(answered, nodes):
    """Warm's root beside the node where the weighted likelihood is greatest, or the bound."""

    def score(theta):
        return answered.slope(theta) + answered.warm(theta)

    points = fine(nodes)
    weight = cumulative_trapezoid(answered.warm(points), x=points, initial=0)
    value = answered.log_likelihood(points, LEAST) + weight
    best = int(np.argmax(value[::FINER])) * FINER
    around = range(max(best - FINER, 0), min(best + FINER, len(points) - 1))
    values = score(points)
    roots = [
        (value[j], brentq(score, points[j], points[j + 1], xtol=1e-13))
        for j in around
        if values[j] > 0 >= values[j + 1]
    ]
    if best == 0 and values[0] <= 0:
        roots.append((value[0], points[0]))
    if best == len(points) - 1 and values[-1] >= 0:
        roots.append((value[-1], points[-1]))
    return max(roots)[1]


def estimate(design, answered, previous):
    """The estimate and its standard error."""
    if design.estimator == "eap":
        return eap(answered, design.mean, design.sd)
    if design.estimator == "mle":
        theta = mle(answered, design.nodes, previous)
    elif design.estimator == "map":
        theta = posterior_mode(answered, design.nodes, design.mean, design.sd)
    else:
        theta = wle(answered, design.nodes)
    total = float(answered.fisher(theta))
    total += design.sd**-2.0 if design.estimator == "map" else 0.0
    return theta, 1 / math.sqrt(total) if total > 0 else math.inf


def needs(design, taken):
    """Items that topics still must have."""
    return sum(max(0, least - t) for least, t in zip(design.least, taken, strict=True))


def may_have(design, taken, left):
    """The topics open at a position, and whether only those that lack items are."""
    topics = range(len(taken))
    if needs(design, taken) == left:
        return [t for t in topics if taken[t] < design.least[t]], True
    return [t for t in topics if taken[t] < design.most[t]], False


def take_test(design, parameters, k, theta, key, answer_key):
    """One test of an examinee of true ability `theta`; `parameters` as in :mod:`oracle`."""
    a, b, c, scale, d = parameters
    u = [oracle.uniform(oracle.nth(key, i)) for i in range(len(a))]
    draws = [oracle.uniform(oracle.nth(answer_key, i)) for i in range(len(a))]
    chance = oracle.probability(theta, *parameters)
    happened, taken = Record(), [0] * len(design.least)
    times: dict[int, int] = {}
    aside: set[int] = set()
    estimated = design.estimator != "true"
    theta_hat, error = (design.start, math.inf) if estimated else (theta, 0.0)
    for position in range(design.length):
        left = design.length - position
        precise = design.se_stop > 0 and error <= design.se_stop
        if precise and position >= design.min_len:
            left = needs(design, taken)  # the test goes on for its content alone
            if left == 0:
                break
        unseen = [i for i in oracle.ranking(theta_hat, *parameters) if i not in happened.items]
        if design.topic is not None:
            open_now, tight = may_have(design, taken, left)
            unseen = [i for i in unseen if design.topic[i] in open_now]
            happened.tight.append(tight)
        proposed = []
        chosen = None
        for i in unseen:
            if i in aside:
                continue
            proposed.append(i)
            times[i] = times.get(i, 0) + 1
            accepts = oracle.clock(u[i], k[i]) == times[i] if design.by_position else u[i] <= k[i]
            if accepts:
                chosen = i
                break
            if not design.by_position:
                aside.add(i)
        happened.forced.append(chosen is None)
        item = unseen[0] if chosen is None else chosen
        happened.items.append(item)
        happened.proposed.append(proposed)
        if design.topic is not None:
            taken[design.topic[item]] += 1
        if estimated:
            happened.answers.append(int(draws[item] < chance[item]))
            given = happened.items
            answered = Answered(
                a[given], b[given], c[given], d[given], scale, np.array(happened.answers) == 1
            )
            theta_hat, error = estimate(design, answered, theta_hat)
        happened.theta_hat.append(theta_hat)
        happened.error.append(error)
    return happened
