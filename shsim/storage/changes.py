"""Comparing the pool that a run was computed from with the pool as it stands now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from shsim.arrays import AnyArray
from shsim.errors import PROBLEMS_SHOWN, PoolChangedError
from shsim.model.ability import number
from shsim.model.item_pool import ItemPool


def refuse_changes(pool: ItemPool, current: Mapping[str, AnyArray]) -> None:
    """Raise where a published version, a, b, c or an sh_p is not what was loaded.

    So is a d below 1, which no database holds.

    Parameters
    ----------
    pool
        As loaded.
    current
        The columns of the exam now, in any order, as for :meth:`ItemPool.build`.

    Raises
    ------
    PoolChangedError
        Names the items (the first 20, then a count) and the remedy.
    """
    sentences = list(_changes(pool, current))
    if not sentences:
        return
    shown = sentences[:PROBLEMS_SHOWN]
    if len(sentences) > len(shown):
        shown.append(f"... and {len(sentences) - len(shown):,} more items.")
    raise PoolChangedError(
        f"{pool.name} changed in the database during the run, so nothing was saved."
        " Run again, or give --force to save all the same.\n" + "\n".join(shown)
    )


def _changes(pool: ItemPool, current: Mapping[str, AnyArray]) -> Iterator[str]:
    order = np.lexsort((current["version"], current["question_id"]))
    now = {name: array[order] for name, array in current.items()} | {"d": np.ones(len(order))}
    same_items = np.array_equal(pool.question_id, now["question_id"]) and np.array_equal(
        pool.version, now["version"]
    )
    if not same_items:
        yield from _items_changed(pool, now)
        kept = _positions(pool, now)
    else:
        kept = (np.arange(len(pool)), np.arange(len(pool)))
    yield from _values_changed(pool, now, *kept)


def _items_changed(pool: ItemPool, now: Mapping[str, AnyArray]) -> Iterator[str]:
    """Items published in another version, no longer, or since."""
    before = dict(pool.keys)
    after = dict(zip(now["question_id"].tolist(), now["version"].tolist(), strict=True))
    for question in sorted(before.keys() | after.keys()):
        was, is_now = before.get(question), after.get(question)
        if was is None:
            yield f"item {question}/{is_now}: it has been published since."
        elif is_now is None:
            yield f"item {question}/{was}: it is no longer published."
        elif was != is_now:
            yield f"item {question}: version {was} was published and version {is_now} is now."


def _positions(pool: ItemPool, now: Mapping[str, AnyArray]) -> tuple[AnyArray, AnyArray]:
    """Where the items that both have stand in each."""
    places = {
        item: place
        for place, item in enumerate(
            zip(now["question_id"].tolist(), now["version"].tolist(), strict=True)
        )
    }
    pairs = [(i, places[item]) for i, item in enumerate(pool.keys) if item in places]
    return tuple(np.array(pairs, dtype=np.int64).reshape(-1, 2).T)  # type: ignore[return-value]


def _values_changed(
    pool: ItemPool, now: Mapping[str, AnyArray], mine: AnyArray, theirs: AnyArray
) -> Iterator[str]:
    """Items with another a, b, c or sh_p, whose absence counts as a value."""
    stored, stored_now = pool.k_stored[mine], now["k_stored"][theirs]
    changed = {name: getattr(pool, name)[mine] != now[name][theirs] for name in "abcd"}
    # An item without sh_p has k = 1 on either side, and is told apart by `k_stored`.
    changed["k"] = (pool.k[mine] != now["k"][theirs]) | (stored != stored_now)
    for row in np.flatnonzero(np.logical_or.reduce(list(changed.values()))).tolist():
        i, j = int(mine[row]), int(theirs[row])
        words = [
            f"{name} was {number(float(getattr(pool, name)[i]))}"
            f" and is {number(float(now[name][j]))}"
            for name in "abcd"
            if changed[name][row]
        ]
        if changed["k"][row]:
            was = number(float(pool.k[i])) if stored[row] else "absent"
            is_now = number(float(now["k"][j])) if stored_now[row] else "absent"
            words.append(f"sh_p was {was} and is {is_now}")
        yield f"item {pool.item(i)}: {', '.join(words)}."
