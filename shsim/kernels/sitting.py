"""Who takes the tests of one kernel call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.ranking import Tables

#: For tests at the true theta, where nothing is answered.
NO_ANSWERS = np.uint64(0)


class Examinees(NamedTuple):
    """Examinees first, first + 1, … of a stream, in the order in which to test them.

    `order` has their indices sorted by `bin`, so that a bin's table is read while it is
    in the cache; `decile` (uint8) is 0 to 9. `key` is of the draws that control exposure
    (acceptance, or another control's own), `answers` of those that answer items, where
    they are answered.
    """

    theta: FloatArray
    bin: AnyArray
    order: IntArray
    decile: AnyArray
    first: int
    key: np.uint64
    answers: np.uint64


def make_examinees(
    tables: Tables,
    theta: FloatArray,
    decile: AnyArray,
    first: int,
    key: np.uint64,
    answers: np.uint64 = NO_ANSWERS,
) -> Examinees:
    """Find each examinee's bin, and an order that visits bins one after another."""
    last = tables.entries.shape[0] - 1
    place = np.clip((theta - tables.low) * tables.per_bin + 1.0, 0.0, last)
    bins = place.astype(np.int16)
    order = np.argsort(bins, kind="stable")
    return Examinees(np.ascontiguousarray(theta), bins, order, decile, int(first), key, answers)
