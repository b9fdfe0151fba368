"""The grid of abilities on which responses are weighed, and every item's curves on it."""

from __future__ import annotations

import numpy as np

from shsim.arrays import BoolArray, FloatArray
from shsim.kernels.irt import DIFFICULTY, GUESSING, SLOPE, UPPER
from shsim.kernels.plan import EAP, LEAST, TRUE, WLE, Curves

#: Items whose curves are computed at a time: what is computed on the way takes several times
#: the room of what comes out.
_BLOCK = 8192


def make_curves(
    items: FloatArray,
    nodes: FloatArray,
    prior: FloatArray,
    estimator: int,
    normal: tuple[float, float] | None = None,
) -> Curves:
    """The curves of a pool for one estimator.

    Parameters
    ----------
    items
        The pool, see `shsim.kernels.irt`.
    nodes
        (G,): abilities, equally spaced, ascending.
    prior
        (G,): weights that add up to 1; may be 0.
    estimator
        TRUE … WLE.
    normal
        Mean and standard deviation of a normal prior, for MAP.
    """
    mean, precision = (normal[0], normal[1] ** -2.0) if normal is not None else (0.0, 0.0)
    nodes = np.ascontiguousarray(nodes, dtype=np.float64)
    table = np.empty(
        (0 if estimator == TRUE else len(items), 4 if estimator == WLE else 2, len(nodes))
    )
    for begin in range(0, len(table), _BLOCK):
        block = items[begin : begin + _BLOCK]
        table[begin : begin + _BLOCK] = np.stack(_rows(block, nodes, estimator), axis=1)
    if estimator not in {TRUE, EAP}:
        prior = -0.5 * precision * (nodes - mean) ** 2
    return Curves(nodes, np.array(prior, dtype=np.float64), table, mean, precision)


def least_error(items: FloatArray, nodes: FloatArray, length: int) -> float:
    """The smallest standard error that `length` items can leave anywhere on the grid."""
    fisher = np.empty((len(items), len(nodes)))
    for begin in range(0, len(items), _BLOCK):
        block = items[begin : begin + _BLOCK]
        fisher[begin : begin + _BLOCK] = _warm(block, nodes, *_chances(block, nodes))[1]
    best = np.partition(fisher, max(len(items) - length, 0), axis=0)[-length:].sum(axis=0)
    return float(1.0 / np.sqrt(max(float(best.max()), 1e-300)))


def _rows(items: FloatArray, nodes: FloatArray, estimator: int) -> list[FloatArray]:
    """What the estimator looks up of each item, (N, G) each."""
    chances = _chances(items, nodes)
    if estimator == EAP:
        return [np.maximum(chance, LEAST) for chance in chances]
    rows = [np.log(np.maximum(chance, LEAST)) for chance in chances]
    return rows + (_warm(items, nodes, *chances) if estimator == WLE else [])


def _chances(items: FloatArray, nodes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The probabilities of a right and of a wrong answer, (N, G) each, neither cancelling."""
    e, above = _decay(items, nodes)
    c, d = items[:, GUESSING, None], items[:, UPPER, None]
    right = np.where(above, d + c * e, c + d * e) / (1 + e)
    wrong = np.where(above, (1 - d) + (1 - c) * e, (1 - c) + (1 - d) * e) / (1 + e)
    return right, wrong


def _warm(
    items: FloatArray, nodes: FloatArray, right: FloatArray, wrong: FloatArray
) -> list[FloatArray]:
    """Each item's J = P'P''/(P(1-P)) and information, (N, G)."""
    e, above = _decay(items, nodes)
    slope = items[:, SLOPE, None]
    first = (items[:, UPPER, None] - items[:, GUESSING, None]) * slope * e / (1 + e) ** 2
    fisher = first**2 / np.maximum(right * wrong, LEAST)
    bend = slope * (1 - e) / (1 + e) * np.where(above, -1.0, 1.0)
    return [fisher * bend, fisher]


def _decay(items: FloatArray, nodes: FloatArray) -> tuple[FloatArray, BoolArray]:
    """exp(-|z|), and whether z >= 0."""
    z = items[:, SLOPE, None] * (nodes - items[:, DIFFICULTY, None])
    return np.exp(-np.abs(z)), z >= 0
