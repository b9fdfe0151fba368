"""Exams of plausible items, a few dozen under any numbers or many thousands."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np
from storage.databases import pool_of

from shsim.model.item_pool import ItemPool
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


def drawn(exam: str, size: int, *, k_stored: bool) -> ItemPool:
    """A pool of so many items, numbered from 1, each with the k 1."""
    rng = np.random.default_rng(1)
    columns = {
        "question_id": np.arange(size) + 1,
        "version": np.ones(size, dtype=np.int64),
        "topic_id": np.ones(size, dtype=np.int64),
        "a": rng.lognormal(0, 0.3, size),
        "b": rng.normal(0, 1, size),
        "c": rng.uniform(0.1, 0.3, size),
        "k": np.ones(size),
        "k_stored": np.full(size, k_stored),
    }
    return pool_of(exam, columns)
