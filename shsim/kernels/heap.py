"""A binary heap of (value, item): highest value first, then the smaller item.

Gives the ranking one item at a time, so that a walk pays only for the items it reaches.
"""

from __future__ import annotations

from shsim.arrays import AnyArray, FloatArray
from shsim.kernels.jit import device, rare


@device
def before(value: float, item: int, other_value: float, other_item: int) -> bool:
    """Whether (value, item) ranks before the other."""
    return value > other_value or (value == other_value and item < other_item)


@rare
def sift_down(values: FloatArray, members: AnyArray, start: int, size: int) -> None:
    """Let the entry at `start` sink to its place; arrays are modified in place."""
    value, item = values[start], members[start]
    hole = start
    child = 2 * hole + 1
    while child < size:
        right = child + 1
        if right < size and before(values[right], members[right], values[child], members[child]):
            child = right
        if not before(values[child], members[child], value, item):
            break
        values[hole], members[hole] = values[child], members[child]
        hole = child
        child = 2 * hole + 1
    values[hole], members[hole] = value, item


@rare
def make_heap(values: FloatArray, members: AnyArray, size: int) -> None:
    """Order the first `size` entries as a heap, in place."""
    for start in range(size // 2 - 1, -1, -1):
        sift_down(values, members, start, size)


@device
def pop(values: FloatArray, members: AnyArray, size: int) -> None:
    """Move the best of `size` entries to position size - 1, and keep the rest a heap."""
    last = size - 1
    best_value, best_item = values[0], members[0]
    values[0], members[0] = values[last], members[last]
    sift_down(values, members, 0, last)
    values[last], members[last] = best_value, best_item
