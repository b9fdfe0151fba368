"""The contract of a Store, on every Store: loading, saving, locking."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from storage.databases import execute, item_rows, pool_of, query, seed

from shsim.errors import DatabaseError, DataError, UsageError
from shsim.model.item_pool import NO_TOPIC
from shsim.storage.base import SaveOutcome, Store
from shsim.storage.open import open_store


def test_an_imported_pool_is_loaded_as_it_was(filled: Store) -> None:
    loaded, given = filled.load_pool("E"), pool_of("E")
    for name in ("question_id", "version", "topic_id", "a", "b", "c", "k", "k_stored"):
        assert np.array_equal(getattr(loaded, name), getattr(given, name)), name
    assert not loaded.defaulted.any()
    assert loaded.name == "E"


def test_only_live_published_versions_are_loaded(store: Store, dsn: str) -> None:
    seed(dsn, "question_versions", [(1, 1, 5, "retired"), (1, 2, 5, "published")])
    seed(dsn, "question_versions", [(2, 1, 5, "draft"), (3, 1, None, "published")])
    seed(dsn, "question_publications", [("E", 1, 2), ("E", 2, 1), ("E", 9, 1), ("F", 3, 1)])
    pool = store.load_pool("E")
    assert [pool.item(i) for i in range(len(pool))] == ["1/2"]
    assert store.load_pool("F").topic_id.tolist() == [NO_TOPIC]
    assert store.exams() == {"E": 1, "F": 1}


def test_what_is_missing_is_taken_as_given_and_marked(store: Store, dsn: str) -> None:
    seed(dsn, "question_versions", [(1, 1, 5, "published")])
    seed(dsn, "question_publications", [("E", 1, 1)])
    seed(dsn, "item_calibration", [(1, 1, "2pl", 9.0, 9.0, 0.0)])
    pool = store.load_pool("E")
    assert (pool.a[0], pool.b[0], pool.c[0], pool.k[0]) == (1.0, 0.0, 0.2, 1.0)
    assert pool.defaulted[0]
    assert not pool.k_stored[0]


def test_every_bad_value_is_named(filled: Store, dsn: str) -> None:
    execute(dsn, "UPDATE item_calibration SET a = NULL WHERE question_id = 11")
    execute(dsn, "UPDATE item_calibration SET c = 1.2 WHERE question_id = 12")
    execute(dsn, "UPDATE item_exposure_control SET sh_p = -0.5 WHERE question_id = 11")
    with pytest.raises(DataError) as caught:
        filled.load_pool("E")
    assert caught.value.problems == (
        "E: item 11/1: a is missing. Correct the row and run again.",
        "E: item 11/1: sh_p = -0.5 is outside [0, 1]. Correct the row and run again.",
        "E: item 12/2: c = 1.2 is outside [0, 1). Correct the row and run again.",
    )


def test_an_unknown_exam_is_refused_naming_those_there_are(filled: Store) -> None:
    with pytest.raises(DataError, match=r"exam X is unknown in .* The exams there are: E\."):
        filled.load_pool("X")


def test_an_empty_exam_and_an_empty_database_are_told_apart(store: Store, dsn: str) -> None:
    with pytest.raises(DataError, match="holds no exam"):
        store.load_pool("E")
    seed(dsn, "question_publications", [("E", 1, 1)])
    with pytest.raises(DataError, match=r"exam E in .* is empty: none of its live versions"):
        store.load_pool("E")


@pytest.mark.parametrize("exam", ["", "a\0b", "\udcff"])
def test_an_exam_that_no_database_could_hold_is_refused(store: Store, exam: str) -> None:
    now = datetime.now(UTC)
    for ask in (
        lambda: store.load_pool(exam),
        lambda: store.shared_exams(exam),
        lambda: store.plan_import(pool_of(exam)),
        lambda: store.live_counts(exam, now, now),
        lambda: store.ledger.history(exam, 1),
        lambda: store.ledger.in_force(exam),
        lambda: store.ledger.newest_saved(exam),
        lambda: store.ledger.still_live(1, exam),
    ):
        with pytest.raises(UsageError, match=r"Correct --exam\."):
            ask()


def test_an_exam_code_is_never_taken_for_sql(store: Store) -> None:
    name = "'; DROP TABLE question_publications; -- %s %(x)s \\"
    store.import_pool(pool_of(name))
    assert len(store.load_pool(name)) == 3
    assert store.exams() == {name: 3}
    with store.exam_lock(name):
        assert store.save_k(store.load_pool(name), np.array([0.1, 0.2, 0.3])).changed == 3


def test_saving_writes_every_k_and_loading_finds_it(filled: Store, dsn: str) -> None:
    k = np.array([0.1, 1 / 3, 1.0])
    assert filled.save_k(filled.load_pool("E"), k) == SaveOutcome(changed=3, unchanged=0)
    assert filled.load_pool("E").k.tolist() == k.tolist()
    assert query(dsn, "SELECT count(*) FROM item_exposure_control") == [(3,)]


def test_rows_that_stand_so_already_are_left_alone(filled: Store, dsn: str) -> None:
    execute(dsn, "UPDATE item_exposure_control SET updated_at = '2001-01-01 00:00:00'")
    pool = filled.load_pool("E")
    assert filled.save_k(pool, np.array([0.5, 0.25, 0.125])) == SaveOutcome(2, 1)
    stamps = query(dsn, "SELECT updated_at FROM item_exposure_control ORDER BY question_id")
    assert [str(stamp).startswith("2001-01-01") for (stamp,) in stamps] == [True, False, False]


def test_what_the_exam_does_not_publish_is_never_touched(filled: Store, dsn: str) -> None:
    seed(dsn, "item_exposure_control", [(99, 1, 0.9, "2001-01-01 00:00:00+00:00")])
    filled.save_k(filled.load_pool("E"), np.array([0.1, 0.1, 0.1]))
    assert (99, 1, 0.9) in query(
        dsn, "SELECT question_id, version, sh_p FROM item_exposure_control"
    )


def test_items_of_other_exams_are_counted(filled: Store) -> None:
    filled.import_pool(pool_of("F"))
    assert filled.shared_exams("E") == {"F": 3}
    assert filled.shared_exams("X") == {}


def test_tables_are_made_once(store: Store, dsn: str) -> None:
    assert store.create_tables() == ()
    execute(dsn, "DROP TABLE item_calibration")
    assert store.create_tables() == ("item_calibration",)


def test_a_missing_table_is_named_with_the_remedy(filled: Store, dsn: str) -> None:
    execute(dsn, "DROP TABLE item_calibration")
    with pytest.raises(DatabaseError, match=r"lacks a table: .*item_calibration.*shsim db init"):
        filled.load_pool("E")


def test_more_columns_than_ours_do_no_harm(filled: Store, dsn: str) -> None:
    execute(dsn, "ALTER TABLE item_calibration ADD COLUMN se_a REAL")
    execute(dsn, "ALTER TABLE item_exposure_control ADD COLUMN note TEXT DEFAULT 'x'")
    assert filled.save_k(filled.load_pool("E"), np.array([0.1, 0.2, 0.3])).changed == 3
    assert filled.import_pool(pool_of("F")).changed == 3


def test_a_read_only_store_reads_and_never_writes(filled: Store, dsn: str) -> None:
    reader = open_store(dsn, read_only=True)
    pool = reader.load_pool("E")
    before = item_rows(dsn)
    with pytest.raises(DatabaseError, match="read-only"):
        reader.save_k(pool, np.array([0.1, 0.2, 0.3]))
    reader.close()
    assert item_rows(dsn) == before


def test_a_k_outside_its_range_is_never_written(filled: Store, dsn: str) -> None:
    before = item_rows(dsn)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        filled.save_k(filled.load_pool("E"), np.array([0.1, np.nan, 0.3]))
    assert item_rows(dsn) == before


def test_closing_twice_is_safe_and_a_closed_store_opens_again(filled: Store) -> None:
    filled.close()
    filled.close()
    assert filled.exams() == {"E": 3}


def test_the_lock_is_held_taken_again_by_its_holder_and_given_back(filled: Store, dsn: str) -> None:
    other = open_store(dsn, application_name="second")
    pool = other.load_pool("E")
    with filled.exam_lock("E"):
        with pytest.raises(DatabaseError, match=r"E is in use: .* is held by "):
            other.save_k(pool, pool.k)
        with pytest.raises(DatabaseError, match="is held by "), other.exam_lock("E"):
            pass
        with other.exam_lock("F"):
            assert filled.save_k(pool, np.array([0.1, 0.2, 0.3])).changed == 3
    with other.exam_lock("E"):
        pass
    other.close()
