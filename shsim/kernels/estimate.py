"""Ability from responses: EAP on a grid, and the roots that MAP, MLE and WLE are.

EAP (Bock & Mislevy 1982) is the mean of the posterior on the grid. The others maximise
a likelihood, with a prior (MAP; Samejima 1969), within bounds (MLE) or weighted (WLE;
Warm 1989, eq. 15): the best node of the grid is kept from response to response, and
Newton's method, held between its neighbours, finds the root of the score there.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.desk import Desk
from shsim.kernels.irt import DIFFICULTY, GUESSING, SLOPE, UPPER
from shsim.kernels.jit import device, rare
from shsim.kernels.plan import EAP, FISHER, MLE, RIGHT, WARM, WLE, WRONG, Test

#: Newton ends when theta moves by less than this.
_SETTLED = 1e-10
_MOST_STEPS = 100

#: Or, since its steps shrink quadratically, after a whole step of less than this.
_ALMOST = 1e-5


class Ratio(NamedTuple):
    """A ratio before it is divided."""

    over: float
    under: float


class Belief(NamedTuple):
    """The estimate, its standard error, and what makes `Desk.belief[0]` add up to 1 (EAP)."""

    theta_hat: float
    error: float
    scale: float


@device
def begin(test: Test, desk: Desk) -> None:
    """Before the first response."""
    for g in range(len(test.curves.prior)):
        desk.belief[0, g] = test.curves.prior[g]
        desk.belief[1, g] = 0.0
        desk.belief[2, g] = 0.0


@device
def revise(
    test: Test,
    desk: Desk,
    belief: Belief,
    count: int,
    with_error: bool,  # noqa: FBT001 - a kernel takes no keywords
) -> Belief:
    """The estimate after the last of `count` answers; EAP knows its error in any case."""
    item, answer = int(desk.items[count - 1]), desk.answers[count - 1]
    rows = test.curves.table[item]
    way = RIGHT if answer == 1 else WRONG
    if test.plan.estimator == EAP:
        return posterior(test.curves.nodes, desk.belief[0], rows[way], belief.scale)
    for g in range(rows.shape[1]):
        desk.belief[0, g] += rows[way, g]
    if test.plan.estimator == WLE:
        for g in range(rows.shape[1]):
            desk.belief[1, g] += rows[WARM, g]
            desk.belief[2, g] += rows[FISHER, g]
    theta_hat = root(test, desk, count, belief.theta_hat)
    error = standard_error(test, desk, count, theta_hat) if with_error else np.inf
    return Belief(theta_hat, error, 1.0)


@device
def posterior(
    nodes: FloatArray, weights: FloatArray, likelihood: FloatArray, scale: float
) -> Belief:
    """Mean and standard deviation of the posterior after one more answer.

    `weights` times `scale` add up to 1, and are multiplied by `likelihood`, (G,).
    """
    total = 0.0
    first = 0.0
    second = 0.0
    for g in range(len(nodes)):
        weight = weights[g] * scale * likelihood[g]
        weights[g] = weight
        total += weight
        first += weight * nodes[g]
        second += weight * nodes[g] * nodes[g]
    inverse = 1.0 / total
    mean = first * inverse
    return Belief(mean, math.sqrt(max(second * inverse - mean * mean, 0.0)), inverse)


@rare
def root(test: Test, desk: Desk, count: int, theta_hat: float) -> float:
    """The estimate after `count` answers; `theta_hat` is the one before.

    Answers all right or all wrong have no finite MLE: it then goes halfway to the bound
    (Dodd 1990's variable step).
    """
    nodes = test.curves.nodes
    last = len(nodes) - 1
    if test.plan.estimator == MLE:
        right = 0
        for j in range(count):
            right += int(desk.answers[j])
        if right == count:
            return float(0.5 * (theta_hat + nodes[last]))
        if right == 0:
            return float(0.5 * (theta_hat + nodes[0]))
    best = best_node(test.plan.estimator, nodes, desk.belief)
    low, high = nodes[max(best - 1, 0)], nodes[min(best + 1, last)]
    theta = nodes[best] + beside(test, desk.belief[0], best)
    step = high - low
    for _ in range(_MOST_STEPS):
        score, slope = score_at(test, desk, count, theta)
        if score == 0.0:
            break
        if score > 0.0:
            low = theta
        else:
            high = theta
        moved = theta - score / slope if slope < 0.0 else np.inf
        enough = _ALMOST
        if not (low <= moved <= high and abs(moved - theta) <= 0.5 * step):
            moved = 0.5 * (low + high)
            enough = _SETTLED
        step = abs(moved - theta)
        theta = moved
        if step < enough:
            break
    return float(theta)


@device
def beside(test: Test, likelihood: FloatArray, best: int) -> float:
    """How far from the best node a parabola through it and its neighbours is highest.

    With Warm's weight, which is not in `likelihood`, and at the grid's ends: 0.
    """
    if test.plan.estimator == WLE or best == 0 or best == len(likelihood) - 1:
        return 0.0
    left, right = likelihood[best - 1], likelihood[best + 1]
    bend = left - 2.0 * likelihood[best] + right
    if not bend < 0.0:
        return 0.0
    share = max(min(0.5 * (left - right) / bend, 0.5), -0.5)
    return float(share * (test.curves.nodes[best] - test.curves.nodes[best - 1]))


@device
def best_node(estimator: int, nodes: FloatArray, belief: FloatArray) -> int:
    """The node with the highest (weighted) likelihood, the first of equals.

    Warm's weight is the exponential of the integral of J/(2I), here by trapezoids.
    """
    best = 0
    most = -np.inf
    weight = 0.0
    before = 0.0
    for g in range(len(nodes)):
        if estimator == WLE:
            pull = warm_term(belief[1, g], belief[2, g])
            if g > 0:
                weight += 0.5 * (before + pull) * (nodes[g] - nodes[g - 1])
            before = pull
        if belief[0, g] + weight > most:
            most = belief[0, g] + weight
            best = g
    return best


@device
def warm_term(warm: float, fisher: float) -> float:
    """J/(2I), 0 where there is no information."""
    return warm / (2.0 * fisher) if fisher > 1e-280 else 0.0


@rare
def score_at(test: Test, desk: Desk, count: int, theta: float) -> tuple[float, float]:
    """The score that is 0 at the estimate, and its slope.

    Warm's J/(2I) is summed with its slope: (ln I)' = 2P''/P' - P'/P + P'/(1-P) for an item,
    and (P''/P')' = ((P''/P')² - D²a²)/2.
    """
    mean, precision = test.curves.mean, test.curves.precision
    score = -precision * (theta - mean)
    slope = -precision
    warm = 0.0
    warm_slope = 0.0
    fisher = 0.0
    fisher_slope = 0.0
    for j in range(count):
        item = int(desk.items[j])
        if test.plan.estimator != WLE:
            own, bend = slope_of(test.tables.items, item, theta, desk.answers[j] == 1)
            score += own
            slope += own * (bend - own)
            continue
        gain, loss, bend = log_slopes(test.tables.items, item, theta)
        own = gain if desk.answers[j] == 1 else -loss
        score += own
        slope += own * (bend - own)
        information = gain * loss
        growth = 2.0 * bend - gain + loss  # (ln I)'
        steepest = test.tables.items[item, SLOPE]
        warm += information * bend
        warm_slope += information * (bend * growth + 0.5 * (bend * bend - steepest * steepest))
        fisher += information
        fisher_slope += information * growth
    if test.plan.estimator == WLE:
        pull = warm_term(warm, fisher)
        score += pull
        slope += warm_term(warm_slope - 2.0 * pull * fisher_slope, fisher)
    return score, slope


@device
def log_slopes(items: FloatArray, i: int, theta: float) -> tuple[float, float, float]:
    """P'/P, P'/(1-P) and P''/P' of item i."""
    share, bend, gain, loss = slope_parts(items, i, theta)
    return share * gain.over / gain.under, share * loss.over / loss.under, bend


@device
def slope_of(items: FloatArray, i: int, theta: float, right: bool) -> tuple[float, float]:  # noqa: FBT001
    """The slope of the log probability of the answer to item i, and P''/P'."""
    share, bend, gain, loss = slope_parts(items, i, theta)
    # A ratio is one division: the other answer's is not computed.
    return (share * gain.over / gain.under if right else -share * loss.over / loss.under), bend


@device
def slope_parts(items: FloatArray, i: int, theta: float) -> tuple[float, float, Ratio, Ratio]:
    """P' over (1+e) times the ratios that P'/P and P'/(1-P) are, and P''/P'.

    Written in e = exp(-|z|) so that none overflows, nor is 0/0 where c = 0 or d = 1.
    """
    slope, c, d = items[i, SLOPE], items[i, GUESSING], items[i, UPPER]
    z = slope * (theta - items[i, DIFFICULTY])
    e = math.exp(-abs(z))
    inverse = 1.0 / (1.0 + e)
    share = (d - c) * slope * inverse
    bend = slope * (1.0 - e) * inverse
    if z >= 0.0:
        loss = Ratio(1.0, 1.0 - c) if d >= 1.0 else Ratio(e, (1.0 - d) + (1.0 - c) * e)
        return share, -bend, Ratio(e, d + c * e), loss
    gain = Ratio(1.0, d) if c <= 0.0 else Ratio(e, c + d * e)
    return share, bend, gain, Ratio(e, (1.0 - c) + (1.0 - d) * e)


@rare
def standard_error(test: Test, desk: Desk, count: int, theta_hat: float) -> float:
    """1/√(I + prior precision) of the items given, at the estimate; inf without information."""
    total = test.curves.precision
    for j in range(count):
        gain, loss, _ = log_slopes(test.tables.items, int(desk.items[j]), theta_hat)
        total += gain * loss
    return 1.0 / math.sqrt(total) if total > 0.0 else float(np.inf)
