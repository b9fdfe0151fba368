"""Exams of a few dozen plausible items, under any numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np
from storage.databases import pool_of

from shsim.storage.open import open_store


def published(dsn: str, exam: str, numbers: Sequence[int]) -> None:
    """Publish an exam of items so numbered, in this order, all with the k 0.9.

    Items have the same parameters in every exam.
    """
    size = len(numbers)
    every = np.asarray(numbers)
    columns = {
        "question_id": every,
        "version": np.ones(size, dtype=np.int64),
        "topic_id": np.ones(size, dtype=np.int64),
        "a": np.sin(every) * 0.3 + 1.0,
        "b": np.cos(every * 1.7),
        "c": np.full(size, 0.2),
        "k": np.full(size, 0.9),
        "k_stored": np.ones(size, dtype=np.bool_),
    }
    with closing(open_store(dsn)) as store:
        store.import_pool(pool_of(exam, columns))
