"""What an import into PostgreSQL would do, found out by reading alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shsim.model.item_pool import ItemPool
from shsim.storage.base import ImportPlan
from shsim.storage.import_plan import import_plan
from shsim.storage.import_rows import import_rows
from shsim.storage.postgres_rows import read_pool
from shsim.storage.statements import statements

_SQL = statements("postgres")

#: The columns of `shsim_pool`, in the order of `import_rows`.
_COLUMNS = ("question_id", "version", "topic_id", "a", "b", "c", "sh_p")


def read_import_plan(cursor: Any, pool: ItemPool) -> ImportPlan:
    """What an import of the pool would do."""

    def publishers(items: list[tuple[int, int]]) -> Mapping[str, int]:
        questions, versions = (list(each) for each in zip(*items, strict=True))
        asked = {"exam": pool.name, "questions": questions, "versions": versions}
        cursor.execute(_SQL["other_publishers"], asked)
        return dict(cursor.fetchall())

    unchanged = _count_unchanged(cursor, pool)
    return import_plan(pool, unchanged, read_pool(cursor, pool.name), publishers)


def _count_unchanged(cursor: Any, pool: ItemPool) -> int:
    """Ask as an import does: a replica takes no temporary table, so that a query stands for it."""
    cursor.execute(_SQL["stored_types"])
    types = [kind.replace("%", "%%") for (kind,) in cursor.fetchall()]  # as the server quotes them
    # As text, which is what COPY gives the tables to read.
    texts = (
        [None if value is None else repr(value) for value in column]
        for column in zip(*import_rows(pool), strict=True)
    )
    given = ", ".join(f"%({name})s::text[]" for name in _COLUMNS)
    casts = ", ".join(
        f"{name}::{kind} AS {name}" for name, kind in zip(_COLUMNS, types, strict=True)
    )
    cursor.execute(
        f"WITH shsim_pool AS (SELECT {casts} FROM unnest({given}) p({', '.join(_COLUMNS)}))"  # noqa: S608
        f"\n{_SQL['count_imported']}",
        {"exam": pool.name, **dict(zip(_COLUMNS, texts, strict=True))},
    )
    return int(cursor.fetchone()[0])
