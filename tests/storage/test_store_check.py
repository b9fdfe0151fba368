"""The contract of a Store: what `db check` finds."""

from __future__ import annotations

from storage.databases import execute, pool_of, seed

from shsim.storage.base import Store


def test_check_of_a_sound_database_finds_nothing(filled: Store) -> None:
    assert filled.check() == []


def test_check_finds_what_is_missing_or_odd(filled: Store, dsn: str) -> None:
    filled.import_pool(pool_of("F"))
    seed(dsn, "question_versions", [(21, 1, 5, "draft"), (22, 1, 5, "published")])
    seed(dsn, "question_publications", [("E", 20, 1), ("E", 21, 1), ("F", 22, 1)])
    execute(dsn, "UPDATE item_calibration SET a = -1 WHERE question_id = 12")
    execute(dsn, "DELETE FROM item_calibration WHERE question_id = 11")
    execute(dsn, "DROP TABLE user_responses")
    found = [(finding.blocking, finding.sentence) for finding in filled.check()]
    bad = "item 12/2: a = -1 is outside (0, 10000]. Correct the row and run again."
    assert found == [
        (False, "Table user_responses is missing. Make it with `shsim db init`."),
        (
            False,
            (
                "E: 1 publications have no version row (item 20 is the first)."
                " They are left out; publish an existing version."
            ),
        ),
        (
            False,
            (
                "E: 1 live versions are not in the state 'published' (item 21 is the first)."
                " They are left out."
            ),
        ),
        (False, "E and F share 3 items: their sh_p serves both exams."),
        (True, f"E: {bad}"),
        (True, f"F: {bad}"),
    ]


def test_check_counts_items_without_calibration(filled: Store, dsn: str) -> None:
    execute(dsn, "DELETE FROM item_calibration WHERE question_id = 11")
    (finding,) = filled.check()
    assert not finding.blocking
    assert finding.sentence.startswith("E: 1 items have no 3pl calibration")


def test_check_of_missing_tables_and_columns_blocks(filled: Store, dsn: str) -> None:
    execute(dsn, "DROP TABLE item_calibration")
    execute(dsn, "ALTER TABLE item_exposure_control DROP COLUMN updated_at")
    assert [(finding.blocking, finding.sentence) for finding in filled.check()] == [
        (True, "Table item_calibration is missing. Make it with `shsim db init`."),
        (True, "Table item_exposure_control lacks updated_at. Add what is missing."),
    ]


def test_check_of_a_database_without_exams(store: Store) -> None:
    (finding,) = store.check()
    assert finding.blocking
    assert "no exam" in finding.sentence
