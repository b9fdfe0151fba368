"""Items one after another, from the most informative down, for one theta.

The state lives in a `cursor`: HEAD and TAIL bound the sorted buffer, NEXT is the table's
next entry, RANKED how many items have come up, IN_HEAP what is left of the heap that
takes over where the table ends, and STRAYED is set once it has. `members` and `values`
are `Scratch`'s.
"""

from __future__ import annotations

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.kernels.heap import make_heap, pop
from shsim.kernels.irt import information
from shsim.kernels.jit import device, rare
from shsim.kernels.workspace import HEAD, HEAP, HELD, IN_HEAP, NEXT, RANKED, STRAYED, TAIL, WALK


@device
def next_item(
    items: FloatArray,
    entries: AnyArray,
    bounds: FloatArray,
    row: int,
    theta: float,
    cursor: IntArray,
    members: AnyArray,
    values: FloatArray,
) -> int:
    """The next item for theta, which lies in bin `row`; ask for at most N of them."""
    item = -1
    if cursor[IN_HEAP] == 0:
        item = next_of_table(items, entries, bounds, row, theta, cursor, members, values)
        if item < 0:
            heap_past(items, theta, cursor, members[HEAP], values[HEAP])
    if item < 0:
        cursor[IN_HEAP] -= 1
        pop(values[HEAP], members[HEAP], cursor[IN_HEAP] + 1)
        item = int(members[HEAP, cursor[IN_HEAP]])
    members[WALK, cursor[RANKED]] = item
    cursor[RANKED] += 1
    return item


@device
def next_of_table(
    items: FloatArray,
    entries: AnyArray,
    bounds: FloatArray,
    row: int,
    theta: float,
    cursor: IntArray,
    members: AnyArray,
    values: FloatArray,
) -> int:
    """The next item by the bin's table, or -1 where the table cannot tell."""
    depth = entries.shape[1]
    head, tail, following = cursor[HEAD], cursor[TAIL], cursor[NEXT]
    if head == tail:
        head = 0
        tail = 0
        if following < depth and entries[row, following] < 0:
            cursor[NEXT] = following + 1
            return ~int(entries[row, following])
    while following < depth and (head == tail or values[HELD, head] <= bounds[row, following]):
        entry = int(entries[row, following])
        hold(members, values, head, tail, entry, information(items, entry, theta))
        tail += 1
        following += 1
    item = -1
    if head < tail and values[HELD, head] > bounds[row, following]:
        item = int(members[HELD, head])
        head += 1
    cursor[HEAD] = head
    cursor[TAIL] = tail
    cursor[NEXT] = following
    return item


@device
def hold(
    members: AnyArray, values: FloatArray, head: int, tail: int, item: int, value: float
) -> None:
    """Put an item in its place among the held ones, best first, ties by position."""
    at = tail
    while at > head and (
        values[HELD, at - 1] < value
        or (values[HELD, at - 1] == value and members[HELD, at - 1] > item)
    ):
        values[HELD, at] = values[HELD, at - 1]
        members[HELD, at] = members[HELD, at - 1]
        at -= 1
    values[HELD, at] = value
    members[HELD, at] = item


@rare
def heap_past(
    items: FloatArray, theta: float, cursor: IntArray, members: AnyArray, values: FloatArray
) -> None:
    """Make a heap of all items, less those that have come up already (its best)."""
    size = len(items)
    for i in range(size):
        values[i] = information(items, i, theta)
        members[i] = i
    make_heap(values, members, size)
    for done in range(cursor[RANKED]):
        pop(values, members, size - done)
    cursor[IN_HEAP] = size - cursor[RANKED]
    cursor[STRAYED] = 1
