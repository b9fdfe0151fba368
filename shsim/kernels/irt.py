"""Item information of the three-parameter logistic model."""

from __future__ import annotations

import math

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.jit import device

#: Columns of the items' array: D·a, b, c, D²a²(1-c), and the theta at which the item's
#: information has its one maximum.
SLOPE, DIFFICULTY, GUESSING, AMPLITUDE, PEAK = range(5)


def prepare_items(a: FloatArray, b: FloatArray, c: FloatArray, scale: float) -> FloatArray:
    """Items as kernels want them, (N, 5), from 3PL parameters; `scale` is D."""
    items = np.empty((len(a), 5))
    slope = scale * a
    items[:, SLOPE] = slope
    items[:, DIFFICULTY] = b
    items[:, GUESSING] = c
    items[:, AMPLITUDE] = slope * slope * (1.0 - c)
    with np.errstate(over="ignore"):
        items[:, PEAK] = b + np.log((1.0 + np.sqrt(1.0 + 8.0 * c)) / 2.0) / slope
    return items


@device
def information(items: FloatArray, i: int, theta: float) -> float:
    """The information of item i at theta (Lord 1980, eq. 5-9; Birnbaum 1968).

    D²a²(1-c)·q·s·s/(c+(1-c)s) with s and q the logistic of z and -z, written in
    e = exp(-|z|) so that it neither cancels nor overflows.
    """
    z = items[i, SLOPE] * (theta - items[i, DIFFICULTY])
    e = math.exp(-abs(z))
    c = items[i, GUESSING]
    share = e / ((1.0 + e) * (1.0 + e))
    if z >= 0.0:
        share /= 1.0 + c * e
    elif c > 0.0:
        share *= e / (c + e)
    return float(items[i, AMPLITUDE] * share)
