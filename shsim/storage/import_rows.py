"""The rows that an import writes, and what makes a pool impossible to publish."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shsim.errors import DataError
from shsim.model.item_pool import NO_TOPIC, ItemPool

ImportRow = tuple[int, int, int | None, float | None, float | None, float | None, float | None]


def import_rows(pool: ItemPool) -> list[ImportRow]:
    """question_id, version, topic_id, a, b, c, sh_p by item; None where the pool has none.

    Raises
    ------
    DataError
        A question stands in two versions, of which only one can be live.
    """
    ids = pool.question_id
    twice = np.unique(ids[1:][ids[1:] == ids[:-1]]).tolist()
    if twice:
        raise DataError(list(_refusals(pool, twice)))
    return [
        (
            question,
            version,
            None if topic == NO_TOPIC else topic,
            None if defaulted else a,
            None if defaulted else b,
            None if defaulted else c,
            k if stored else None,
        )
        for question, version, topic, a, b, c, k, stored, defaulted in zip(
            *(
                getattr(pool, name).tolist()
                for name in ("question_id", "version", "topic_id", "a", "b", "c", "k")
            ),
            pool.k_stored.tolist(),
            pool.defaulted.tolist(),
            strict=True,
        )
    ]


def _refusals(pool: ItemPool, questions: list[int]) -> Iterator[str]:
    for question in questions:
        versions = pool.version[pool.question_id == question].tolist()
        yield (
            f"{pool.name}: item {question} stands in the versions"
            f" {', '.join(map(str, versions))}, and an exam publishes one."
            " Leave one of them and run again."
        )
