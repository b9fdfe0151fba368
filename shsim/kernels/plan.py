"""The adaptive test that kernels give: ability, length, content; arrays and numbers only."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.acceptance import Rule
from shsim.kernels.ranking import Tables

#: What ranks the items: the true theta, or its estimate after each response.
TRUE, EAP, MAP, MLE, WLE = range(5)

#: Rows of `Curves.table` for each item: of a right and of a wrong answer, and for WLE
#: Warm's J and the information.
RIGHT, WRONG, WARM, FISHER = range(4)

#: A probability on the grid is not taken for smaller than this: no single answer rules
#: an ability out, and products never vanish.
LEAST: Final = 1e-30


class Plan(NamedTuple):
    """How a test runs.

    `estimator` is one of TRUE … WLE, `start` the estimate before the first response; the
    test ends after `longest` items, or after `shortest` once the standard error is at
    most `se_stop` (0: never).
    """

    estimator: int
    start: float
    shortest: int
    longest: int
    se_stop: float


class Curves(NamedTuple):
    """What each answer says about ability, on a grid.

    Attributes
    ----------
    nodes
        float64 (G,), equally spaced, ascending.
    prior
        float64 (G,): weights that add up to 1 (EAP), or log densities.
    table
        float64 (N, 2, G): the probability of a right and of a wrong answer (EAP), or
        its logarithm; for WLE (N, 4, G), with J and the information; (0, 2, G) where
        nothing is estimated.
    mean, precision
        Of the normal prior of MAP; the precision is 0 where there is none.
    """

    nodes: FloatArray
    prior: FloatArray
    table: FloatArray
    mean: float
    precision: float


class Content(NamedTuple):
    """What a blueprint asks: int32 (N,) topic of each item, int64 (T,) least and most.

    Without a blueprint all are empty.
    """

    topic: AnyArray
    least: IntArray
    most: IntArray


class Test(NamedTuple):
    """All that the tests of one kernel call have in common."""

    tables: Tables
    curves: Curves
    rule: Rule
    plan: Plan
    content: Content


def no_content() -> Content:
    """No blueprint."""
    return Content(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64))
