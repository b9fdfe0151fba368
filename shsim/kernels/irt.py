"""Item information of the three-parameter logistic model."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.jit import device


class Items(NamedTuple):
    """The parameters of N items as kernels want them; contiguous float64.

    `slope` is D·a, `difficulty` b, `guessing` c, `amplitude` D²a²(1-c) and `peak` the
    theta at which the item's information has its one maximum.
    """

    slope: FloatArray
    difficulty: FloatArray
    guessing: FloatArray
    amplitude: FloatArray
    peak: FloatArray


def prepare_items(a: FloatArray, b: FloatArray, c: FloatArray, scale: float) -> Items:
    """Items from 3PL parameters; `scale` is D."""
    slope = scale * np.array(a, dtype=np.float64)
    difficulty = np.array(b, dtype=np.float64)
    guessing = np.array(c, dtype=np.float64)
    with np.errstate(over="ignore"):
        shift = np.log((1.0 + np.sqrt(1.0 + 8.0 * guessing)) / 2.0) / slope
    return Items(
        slope, difficulty, guessing, slope * slope * (1.0 - guessing), difficulty + shift
    )


@device
def information(items: Items, i: int, theta: float) -> float:
    """The information of item i at theta (Lord 1980, eq. 5-9; Birnbaum 1968).

    D²a²(1-c)·q·s·s/(c+(1-c)s) with s and q the logistic of z and -z, written in
    e = exp(-|z|) so that it neither cancels nor overflows and divides once.
    """
    z = items.slope[i] * (theta - items.difficulty[i])
    e = math.exp(-abs(z))
    c = items.guessing[i]
    square = (1.0 + e) * (1.0 + e)
    if z >= 0.0:
        return items.amplitude[i] * e / (square * (1.0 + c * e))
    if c == 0.0:
        return items.amplitude[i] * e / square
    return items.amplitude[i] * e * e / (square * (c + e))
