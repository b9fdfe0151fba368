"""Item information of the four-parameter logistic model, and of the three-parameter one in it.

P(theta) = c + (d-c)·s(z), z = D·a·(theta-b), s the logistic function; the 3PL is d = 1.
"""

from __future__ import annotations

import math

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.jit import device, rare

#: Columns of the items' array: D·a, b, c, D²a²(d-c), the theta at which the item's
#: information has its one maximum, and d.
SLOPE, DIFFICULTY, GUESSING, AMPLITUDE, PEAK, UPPER = range(6)

#: Halvings of an interval of length 1/3 that exhaust the digits of a double.
_HALVINGS = 53


def prepare_items(
    a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray, scale: float
) -> FloatArray:
    """Items as kernels want them, (N, 6), from 4PL parameters.

    Parameters
    ----------
    a, b, c, d
        Discrimination (> 0), difficulty, lower (in [0, 1)) and upper asymptote
        (in (c, 1]; 1 throughout for the 3PL), each (N,).
    scale
        The constant D, 1.7 or 1.
    """
    items = np.empty((len(a), 6))
    slope = scale * a
    items[:, SLOPE] = slope
    items[:, DIFFICULTY] = b
    items[:, GUESSING] = c
    items[:, AMPLITUDE] = slope * slope * (d - c)
    items[:, UPPER] = d
    with np.errstate(over="ignore"):
        items[:, PEAK] = b + np.log((1.0 + np.sqrt(1.0 + 8.0 * c)) / 2.0) / slope
        below = d < 1.0
        if below.any():  # the 3PL keeps its closed form, and its last digit
            items[below, PEAK] = b[below] + _peak(c[below], d[below]) / slope[below]
    return items


def _peak(c: FloatArray, d: FloatArray) -> FloatArray:
    """The z at which 4PL information is greatest.

    With x = s(z), u = c/(d-c) and v = (1-d)/(d-c) the slope of ln I by z is

        2(1-2x) - x(1-x)/(u+x) + x(1-x)/(v+1-x),

    the stationarity condition of Magis (2013). Each fraction's derivative by x is at
    most 1 in size where it counts against the -4, so the slope falls throughout: the
    maximum is the only one. As the fractions are at most 1-x and x, the slope lies
    between 1-3x and 2-3x: the root is in [1/3, 2/3], and |d ln I / dz| <= 2.
    """
    u, v = c / (d - c), (1.0 - d) / (d - c)
    low, high = np.full(len(c), 1.0 / 3.0), np.full(len(c), 2.0 / 3.0)
    for _ in range(_HALVINGS):
        x = 0.5 * (low + high)
        spread = x * (1.0 - x)
        rising = 2.0 * (1.0 - 2.0 * x) - spread / (u + x) + spread / (v + 1.0 - x) > 0.0
        low, high = np.where(rising, x, low), np.where(rising, high, x)
    x = 0.5 * (low + high)
    peak: FloatArray = np.log(x / (1.0 - x))
    return peak


@device
def information(items: FloatArray, i: int, theta: float) -> float:
    """The information of item i at theta (Lord 1980, eq. 5-9; Birnbaum 1968).

    For d = 1, D²a²(1-c)·q·s·s/(c+(1-c)s) with s and q the logistic of z and -z, written
    in e = exp(-|z|) so that it neither cancels nor overflows.
    """
    z = items[i, SLOPE] * (theta - items[i, DIFFICULTY])
    e = math.exp(-abs(z))
    c = items[i, GUESSING]
    if items[i, UPPER] < 1.0:
        return float(items[i, AMPLITUDE] * _share_below_one(c, items[i, UPPER], z, e))
    share = e / ((1.0 + e) * (1.0 + e))
    if z >= 0.0:
        share /= 1.0 + c * e
    elif c > 0.0:
        share *= e / (c + e)
    return float(items[i, AMPLITUDE] * share)


@rare
def _share_below_one(c: float, d: float, z: float, e: float) -> float:
    """4PL information over D²a²(d-c) for d < 1; e = exp(-|z|).

    P'²/(P(1-P)) (Barton and Lord 1981; Magis 2013, eq. 5) with P = (d+c·e)/(1+e) for
    z >= 0 and (c+d·e)/(1+e) below. The factors are put together so that each is at
    most 1 or divided by what is not nought, whatever underflows.
    """
    if z >= 0.0:
        share = (d - c) / (d + c * e) * (e / ((1.0 - d) + (1.0 - c) * e)) * e
    else:
        share = e / ((1.0 - c) + (1.0 - d) * e)
        if c > 0.0:  # without guessing this factor is 1, also where d·e is nought
            share *= (d - c) * e / (c + d * e)
    return share / ((1.0 + e) * (1.0 + e))
