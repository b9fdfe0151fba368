"""What an import would change: a pool beside what its exam publishes now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from shsim.arrays import AnyArray
from shsim.model.item_pool import ItemPool
from shsim.storage.base import ImportPlan

#: Other exams that publish any of some items (question and version), with how many of them.
Publishers = Callable[[list[tuple[int, int]]], Mapping[str, int]]


def import_plan(
    pool: ItemPool, unchanged: int, current: Mapping[str, AnyArray], publishers: Publishers
) -> ImportPlan:
    """What an import would do.

    Parameters
    ----------
    pool
        To be published; its name is the exam's.
    unchanged
        How many of its items stand so already, by what the tables make of them.
    current
        The columns of the exam now, in any order, as for :meth:`ItemPool.build`.
    publishers
        Asks the database which other exams publish items.
    """
    kept = ~np.isin(current["question_id"], pool.question_id)
    beside = zip(
        current["question_id"][kept].tolist(), current["version"][kept].tolist(), strict=True
    )
    return ImportPlan(
        changed=len(pool) - unchanged,
        unchanged=unchanged,
        published=len(kept),
        kept=int(kept.sum()),
        shared=publishers([*pool.keys, *beside]),
    )
