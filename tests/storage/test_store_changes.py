"""The contract of a Store: what changed between load and save is never overwritten."""

from __future__ import annotations

import numpy as np
import pytest
from storage.databases import execute, item_rows, query, seed

from shsim.errors import DatabaseError
from shsim.storage.base import Store

EDITS = {
    "a": ("UPDATE item_calibration SET a = 1.5 WHERE question_id = 11", "item 11/1: a was 1.2"),
    "b": ("UPDATE item_calibration SET b = NULL WHERE question_id = 11", "item 11/1: b was -0.5"),
    "c": ("UPDATE item_calibration SET c = 0.3 WHERE question_id = 12", "item 12/2: c was 0.2"),
    "k": (
        "UPDATE item_exposure_control SET sh_p = 0.7 WHERE question_id = 11",
        "item 11/1: sh_p was 0.5 and is 0.7.",
    ),
    "k gone": (
        "DELETE FROM item_exposure_control WHERE question_id = 11",
        "item 11/1: sh_p was 0.5 and is absent.",
    ),
    "k come": (
        "INSERT INTO item_exposure_control (question_id, version, sh_p) VALUES (12, 2, 1.0)",
        "item 12/2: sh_p was absent and is 1.",
    ),
    "withdrawn": (
        "DELETE FROM question_publications WHERE question_id = 13",
        "item 13/1: it is no longer published.",
    ),
    "unpublished": (
        "UPDATE question_versions SET state = 'draft' WHERE question_id = 13",
        "item 13/1: it is no longer published.",
    ),
    "calibration gone": (
        "DELETE FROM item_calibration WHERE question_id = 13",
        "item 13/1: a was 0.9 and is 1, b was 1.5 and is 0",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_between_load_and_save_is_named_and_nothing_is_written(
    filled: Store, dsn: str, edit: str
) -> None:
    statement, sentence = EDITS[edit]
    pool = filled.load_pool("E")
    execute(dsn, statement)
    before = item_rows(dsn)
    with pytest.raises(DatabaseError) as caught:
        filled.save_k(pool, np.array([0.1, 0.2, 0.3]))
    assert sentence in str(caught.value)
    assert "give --force to save all the same" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2
    assert item_rows(dsn) == before
    filled.save_k(pool, np.array([0.1, 0.2, 0.3]), force=True)
    assert query(
        dsn, "SELECT sh_p FROM item_exposure_control WHERE question_id < 50 ORDER BY question_id"
    ) == [(0.1,), (0.2,), (0.3,)]


def test_a_newly_published_version_or_item_is_named(filled: Store, dsn: str) -> None:
    pool = filled.load_pool("E")
    seed(dsn, "question_versions", [(11, 2, 5, "published"), (14, 1, 5, "published")])
    seed(dsn, "question_publications", [("E", 14, 1)])
    execute(dsn, "UPDATE question_publications SET live_version = 2 WHERE question_id = 11")
    with pytest.raises(DatabaseError) as caught:
        filled.save_k(pool, pool.k)
    assert str(caught.value).splitlines()[1:] == [
        "item 11: version 1 was published and version 2 is now.",
        "item 14/1: it has been published since.",
    ]


def test_twenty_changed_items_are_named_and_the_rest_counted(store: Store, dsn: str) -> None:
    rows = range(1, 31)
    seed(dsn, "question_versions", [(i, 1, 1, "published") for i in rows])
    seed(dsn, "question_publications", [("E", i, 1) for i in rows])
    pool = store.load_pool("E")
    seed(dsn, "item_calibration", [(i, 1, "3pl", 1.1, 0.0, 0.2) for i in rows])
    with pytest.raises(DatabaseError) as caught:
        store.save_k(pool, pool.k)
    lines = str(caught.value).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "... and 10 more items."
