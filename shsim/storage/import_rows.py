"""The rows that an import writes, and what makes a pool impossible to publish."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shsim.errors import DataError
from shsim.model.ability import number
from shsim.model.item_pool import NO_TOPIC, ItemPool

#: Items named in a line about many.
_NAMED = 3

ImportRow = tuple[int, int, int | None, float | None, float | None, float | None, float | None]


def import_rows(pool: ItemPool) -> list[ImportRow]:
    """question_id, version, topic_id, a, b, c, sh_p by item; None where the pool has none.

    Raises
    ------
    DataError
        As :func:`require_importable`.
    """
    require_importable(pool)
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


def require_importable(pool: ItemPool) -> None:
    """Refuse a pool that the QBank tables cannot hold; asks no database.

    Raises
    ------
    DataError
        Every question in two versions, of which only one can be live, and every item
        with an upper asymptote below 1, for which there is no column.
    """
    problems = [*_two_versions(pool), *_upper_asymptotes(pool)]
    if problems:
        raise DataError(problems)


def _two_versions(pool: ItemPool) -> Iterator[str]:
    ids = pool.question_id
    for question in np.unique(ids[1:][ids[1:] == ids[:-1]]).tolist():
        versions = pool.version[pool.question_id == question].tolist()
        yield (
            f"{pool.name}: item {question} stands in the versions"
            f" {', '.join(map(str, versions))}, and an exam publishes one."
            " Leave one of them and run again."
        )


def _upper_asymptotes(pool: ItemPool) -> Iterator[str]:
    """One line, since one remedy is for all of them."""
    below = np.flatnonzero(pool.d < 1).tolist()
    if below:
        first = ", ".join(
            f"{pool.item(i)} (d = {number(float(pool.d[i]))})" for i in below[:_NAMED]
        )
        yield (
            f"{pool.name}: {len(below):,} of {len(pool):,} items have d below 1, and the database"
            f" has no column for it: {first}{', ...' if len(below) > _NAMED else ''}."
            " Leave the pool in its file and run with --pool FILE."
        )
