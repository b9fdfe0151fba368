"""An import into PostgreSQL in one transaction; what one would do, found out by reading alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shsim.model.item_pool import ItemPool
from shsim.storage.base import ImportPlan, SaveOutcome
from shsim.storage.import_plan import import_plan
from shsim.storage.import_rows import ImportRow, import_rows
from shsim.storage.postgres_rows import copy_text, read_pool
from shsim.storage.postgres_save import begin_saving
from shsim.storage.postgres_session import Session
from shsim.storage.saved_k import count_imported, refuse_unimported
from shsim.storage.statements import statements

_SQL = statements("postgres")

#: The columns of `shsim_pool`, in the order of `import_rows`.
_COLUMNS = ("question_id", "version", "topic_id", "a", "b", "c", "sh_p")


@dataclass(slots=True)
class Import:
    """The import as one transaction, which may be begun anew; `rows` are those of the pool.

    `outcome` is set once everything but the COMMIT is done, as in a save.
    """

    session: Session
    pool: ItemPool
    rows: list[ImportRow]
    outcome: SaveOutcome | None = None

    def __call__(self, cursor: Any) -> SaveOutcome:
        """Write and read back; the caller commits."""
        pool, label = self.pool, self.session.dsn.label
        self.session.require_lock(cursor, pool.name)
        begin_saving(cursor)
        cursor.execute(_SQL["stage_pool"])
        cursor.copy_expert(_SQL["copy_pool"], copy_text(self.rows))
        unchanged = count_imported(cursor, _SQL, pool)
        if self.outcome is not None and unchanged == len(pool):
            return self.outcome  # the answer to the COMMIT was lost, and it stands
        for step in ("versions", "publications", "calibrations", "k"):
            cursor.execute(_SQL[f"import_{step}"], {"exam": pool.name})
        cursor.execute(_SQL["end_deferring"])
        refuse_unimported(cursor, _SQL, pool, label)
        self.outcome = SaveOutcome(changed=len(pool) - unchanged, unchanged=unchanged)
        return self.outcome


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
