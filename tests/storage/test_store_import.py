"""The contract of a Store: importing pools."""

from __future__ import annotations

import numpy as np
import pytest
from storage.databases import POOL, execute, item_rows, pool_of

from shsim.errors import DatabaseError, DataError
from shsim.model.item_pool import NO_TOPIC
from shsim.storage.base import ImportPlan, SaveOutcome, Store


def test_importing_twice_changes_nothing(filled: Store, dsn: str) -> None:
    before = item_rows(dsn)
    assert filled.plan_import(pool_of("E")) == ImportPlan(changed=0, unchanged=3, published=3)
    assert filled.import_pool(pool_of("E")) == SaveOutcome(changed=0, unchanged=3)
    assert item_rows(dsn) == before


def test_an_import_keeps_what_the_pool_does_not_give(filled: Store) -> None:
    columns = {**POOL, "topic_id": np.full(3, NO_TOPIC), "k_stored": np.zeros(3)}
    columns["a"] = np.array([1.2, 0.8, 0.95])
    planned = filled.plan_import(pool_of("E", columns))
    assert (planned.changed, planned.unchanged) == (1, 2)
    assert filled.import_pool(pool_of("E", columns)) == SaveOutcome(changed=1, unchanged=2)
    pool = filled.load_pool("E")
    assert pool.topic_id.tolist() == [5, 6, NO_TOPIC]
    assert pool.k.tolist() == [0.5, 1.0, 0.25]
    assert pool.a.tolist() == [1.2, 0.8, 0.95]


def test_an_import_publishes_another_version_and_leaves_other_items(filled: Store) -> None:
    newer = {name: values[:1] for name, values in POOL.items()} | {"version": np.array([3])}
    planned = filled.plan_import(pool_of("E", newer))
    assert planned == ImportPlan(changed=1, unchanged=0, published=3, kept=2)
    filled.import_pool(pool_of("E", newer))
    pool = filled.load_pool("E")
    assert [pool.item(i) for i in range(3)] == ["11/3", "12/2", "13/1"]


@pytest.mark.parametrize(
    ("column", "value", "changed"),
    [
        ("topic_id", 7, 1), ("topic_id", NO_TOPIC, 0), ("a", 1.3, 1), ("b", 0.1, 1), ("c", 0.3, 1),
        ("k", 0.75, 1), ("version", 9, 1), ("question_id", 10, 1), ("defaulted", True, 0),
    ],
)  # fmt: skip
def test_a_plan_counts_what_an_import_writes(
    filled: Store, dsn: str, column: str, value: float, changed: int
) -> None:
    """Of one item at a time; item 13 has no topic, and 12 no k, which one given is new to."""
    extra = {"defaulted": np.zeros(3, dtype=np.bool_), "k_stored": np.array([True, False, True])}
    columns = {name: values.copy() for name, values in (POOL | extra).items()}
    columns[column][0] = value
    pool = pool_of("E", columns)
    planned, before = filled.plan_import(pool), item_rows(dsn)
    assert (planned.changed, planned.unchanged) == (changed, 3 - changed)
    assert item_rows(dsn) == before
    assert filled.import_pool(pool) == SaveOutcome(planned.changed, planned.unchanged)
    assert planned.kept == len(filled.load_pool("E")) - len(pool)


def test_a_plan_names_exams_that_will_share_items(filled: Store) -> None:
    """Of the items that stay too: F publishes 12 and 13 beside the one that is to come."""
    one = {name: values[:1] for name, values in POOL.items()}
    rest = {name: values[1:] for name, values in POOL.items()}
    filled.import_pool(pool_of("F", rest))
    planned = filled.plan_import(pool_of("F", one))
    assert (planned.changed, planned.published, planned.kept) == (1, 2, 2)
    filled.import_pool(pool_of("F", one))
    assert filled.shared_exams("F") == planned.shared == {"E": 3}


@pytest.mark.parametrize("kind", ["real", "numeric(6,4)"])
def test_a_plan_counts_by_what_a_column_that_rounds_keeps(
    filled_postgres: Store, filled_dsn: str, kind: str
) -> None:
    pool = pool_of("E", {**POOL, "a": np.array([1.23456789, 0.8, 2 / 3]), "k": np.full(3, 1 / 3)})
    execute(filled_dsn, f"ALTER TABLE item_calibration ALTER a TYPE {kind}")
    execute(filled_dsn, f"ALTER TABLE item_exposure_control ALTER sh_p TYPE {kind}")
    assert filled_postgres.plan_import(pool).changed == 2  # 12 has no k in the pool
    filled_postgres.import_pool(pool)
    assert filled_postgres.plan_import(pool).changed == 0
    assert filled_postgres.import_pool(pool) == SaveOutcome(0, 3)


def test_two_versions_of_a_question_cannot_both_be_published(store: Store) -> None:
    columns = {**POOL, "question_id": np.array([11, 11, 13])}
    with pytest.raises(DataError, match="item 11 stands in the versions 1, 2"):
        store.import_pool(pool_of("E", columns))
    assert store.exams() == {}


def test_upper_asymptotes_have_no_column_and_are_refused(filled: Store, dsn: str) -> None:
    before = item_rows(dsn)
    pool = pool_of("E", {**POOL, "d": np.array([1.0, 0.9, 0.95])})
    with pytest.raises(DataError) as caught:
        filled.import_pool(pool)
    remedy = "Leave the pool in its file and run with --pool FILE."
    assert caught.value.problems == (
        (
            "E: 2 of 3 items have d below 1, and the database has no column for it:"
            f" 12/2 (d = 0.9), 13/1 (d = 0.95). {remedy}"
        ),
    )
    with pytest.raises(DatabaseError, match=r"item 12/2: d was 0\.9 and is 1\."):
        filled.save_k(pool, np.full(3, 0.5))
    assert item_rows(dsn) == before
