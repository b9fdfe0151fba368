"""The probability of a correct response under the four-parameter logistic model."""

from __future__ import annotations

import math

from shsim.arrays import FloatArray
from shsim.kernels.irt import DIFFICULTY, GUESSING, SLOPE, UPPER
from shsim.kernels.jit import device


@device
def probability(items: FloatArray, i: int, theta: float) -> float:
    """P of a correct response to item i at theta (Barton and Lord 1981), in [c, d].

    c + (d-c)·s(z), z = D·a·(theta-b), written in e = exp(-|z|) so that neither tail
    overflows and c keeps its digits where s is small; d = 1 is the 3PL (Birnbaum 1968).

    Parameters
    ----------
    items
        float64 (N, 6): see `shsim.kernels.irt`.
    i
        The item's position.
    theta
        The examinee's ability, on the scale of b.
    """
    z = items[i, SLOPE] * (theta - items[i, DIFFICULTY])
    e = math.exp(-abs(z))
    lower, upper = items[i, GUESSING], items[i, UPPER]
    if z >= 0.0:
        return float((upper + lower * e) / (1.0 + e))
    return float((lower + upper * e) / (1.0 + e))
