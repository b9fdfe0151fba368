"""The grid of abilities on which responses are weighed, and every item's curves on it."""

from __future__ import annotations

import numpy as np

from shsim.arrays import BoolArray, FloatArray
from shsim.kernels.irt import DIFFICULTY, GUESSING, SLOPE, UPPER
from shsim.kernels.plan import EAP, LEAST, TRUE, WLE, Curves


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
    if estimator == TRUE:
        table = np.empty((0, 2, len(nodes)))
    elif estimator == EAP:
        table = np.maximum(np.stack(_chances(items, nodes), axis=1), LEAST)
    else:
        prior = -0.5 * precision * (nodes - mean) ** 2
        chances = _chances(items, nodes)
        rows = [np.log(np.maximum(chance, LEAST)) for chance in chances]
        table = np.stack(rows + (_warm(items, nodes, *chances) if estimator == WLE else []), axis=1)
    return Curves(
        nodes, np.array(prior, dtype=np.float64), np.ascontiguousarray(table), mean, precision
    )


def least_error(items: FloatArray, nodes: FloatArray, length: int) -> float:
    """The smallest standard error that `length` items can leave anywhere on the grid."""
    fisher = _warm(items, nodes, *_chances(items, nodes))[1]
    best = np.partition(fisher, max(len(items) - length, 0), axis=0)[-length:].sum(axis=0)
    return float(1.0 / np.sqrt(max(float(best.max()), 1e-300)))


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
