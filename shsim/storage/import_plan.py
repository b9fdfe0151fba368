"""What an import would change: a pool beside what its exam publishes now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from shsim.arrays import AnyArray, BoolArray
from shsim.model.item_pool import NO_TOPIC, ItemPool
from shsim.storage.base import ImportPlan

#: Other exams that publish any of some items (question and version), with how many of them.
Publishers = Callable[[list[tuple[int, int]]], Mapping[str, int]]


def import_plan(
    pool: ItemPool, current: Mapping[str, AnyArray], publishers: Publishers
) -> ImportPlan:
    """What an import would do.

    Parameters
    ----------
    pool
        To be published; its name is the exam's.
    current
        The columns of the exam now, in any order, as for :meth:`ItemPool.build`.
    publishers
        Asks the database which other exams publish items.
    """
    kept = ~np.isin(current["question_id"], pool.question_id)
    beside = zip(
        current["question_id"][kept].tolist(), current["version"][kept].tolist(), strict=True
    )
    same = count_unchanged(pool, current)
    return ImportPlan(
        changed=len(pool) - same,
        unchanged=same,
        published=len(kept),
        kept=int(kept.sum()),
        shared=publishers([*pool.keys, *beside]),
    )


def count_unchanged(pool: ItemPool, current: Mapping[str, AnyArray]) -> int:
    """How many items stand already as the pool has them; what it doesn't give is left aside."""
    # A question has one live version, and one row in each: questions are what to go by.
    places = np.searchsorted(pool.question_id, current["question_id"])
    places[places == len(pool)] = 0
    found = pool.question_id[places] == current["question_id"]
    mine, now = places[found], {name: array[found] for name, array in current.items()}
    same: BoolArray = pool.version[mine] == now["version"]
    topic = pool.topic_id[mine]
    same &= (topic == NO_TOPIC) | (topic == now["topic_id"])
    given = ~pool.defaulted[mine]
    calibrated = ~now["defaulted"].astype(np.bool_)
    for name in "abc":
        same &= ~given | (calibrated & (getattr(pool, name)[mine] == now[name]))
    stored_now = now["k_stored"].astype(np.bool_)
    same &= ~pool.k_stored[mine] | (stored_now & (pool.k[mine] == now["k"]))
    return int(same.sum())
