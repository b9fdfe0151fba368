"""Whose k an exam has in force, whatever exam they were made for, on both databases."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from storage.databases import POOL, connect, execute, pool_of
from storage.records import record

from shsim.storage.base import Store
from shsim.storage.ledger_makers import makers_of
from shsim.storage.ledger_statements import ledger_statements
from shsim.storage.open import open_store
from shsim.workflow.past_runs import rollback


def save(store: Store, exam: str, *k: float) -> int:
    saved = store.save_k(store.load_pool(exam), np.array(k), record=record(exam=exam))
    assert saved.run is not None
    return saved.run


def shares(store: Store, exam: str = "E") -> list[tuple[str, int, int]]:
    """Exam and number of each run, and how many k it made."""
    return [(run.exam, run.run, count) for run, count in store.ledger.makers(exam).shares]


def first(store: Store, exam: str = "E") -> int | None:
    found = store.ledger.in_force(exam)
    return None if found is None else found.run


@pytest.fixture
def both(filled: Store) -> Store:
    """E and F publish the same three items."""
    filled.import_pool(pool_of("F"))
    return filled


def test_another_exams_run_made_them(both: Store) -> None:
    save(both, "E", 0.1, 0.2, 0.3)
    save(both, "F", 0.4, 0.5, 0.6)
    assert shares(both) == shares(both, "F") == [("F", 2, 3)]
    assert first(both) == 2


def test_an_exam_that_publishes_them_no_more_made_them(both: Store, dsn: str) -> None:
    save(both, "F", 0.4, 0.5, 0.6)
    execute(dsn, "DELETE FROM question_publications WHERE exam_code = 'F'")
    assert shares(both) == [("F", 1, 3)]


def test_several_runs_made_some_each(both: Store, dsn: str) -> None:
    save(both, "E", 0.1, 0.2, 0.3)
    execute(dsn, "DELETE FROM question_publications WHERE exam_code = 'F' AND question_id > 11")
    save(both, "F", 0.4)
    assert shares(both) == [("E", 1, 2), ("F", 2, 1)]
    assert shares(both, "F") == [("F", 2, 1)]
    assert first(both) == 1


def test_a_k_is_the_newest_runs_that_left_it_so(both: Store) -> None:
    save(both, "E", 0.1, 0.2, 0.3)
    save(both, "F", 0.1, 0.2, 0.6)
    save(both, "E", 0.1, 0.2, 0.3)
    assert shares(both) == [("E", 3, 3)]


def test_a_run_that_was_rolled_back_made_none(both: Store) -> None:
    """Items that it left as they were are the earlier run's, and so they stay."""
    save(both, "E", 0.1, 0.2, 0.3)
    save(both, "F", 0.1, 0.2, 0.6)
    back = rollback(both, 2)
    assert shares(both) == shares(both, "F") == [("E", 1, 3)]
    assert back.run is not None
    rollback(both, back.run)
    assert shares(both) == [("F", 2, 3)]


def test_runs_rolled_back_one_after_the_other_hide_none(both: Store) -> None:
    save(both, "E", 0.1, 0.2, 0.3)
    for _ in range(21):
        rollback(both, save(both, "E", 0.1, 0.2, 0.6))
    assert shares(both) == [("E", 1, 3)]


def test_k_of_1_tell_nothing_unless_all_are(both: Store) -> None:
    save(both, "E", 1, 1, 0.3)
    save(both, "F", 1, 1, 0.6)
    save(both, "E", 1, 1, 0.3)
    assert (shares(both), both.ledger.makers("E").of) == ([("E", 3, 1)], 1)
    save(both, "F", 1, 1, 1)
    assert (shares(both), both.ledger.makers("E").of) == ([("F", 4, 3)], 3)


def test_runs_that_made_half_of_them_are_none_to_go_by(filled: Store, dsn: str) -> None:
    save(filled, "E", 0.1, 0.2, 1)
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.9 WHERE question_id = 12")
    assert (shares(filled), first(filled)) == ([("E", 1, 1)], None)


def test_exams_of_other_items_have_no_part_in_it(filled: Store) -> None:
    filled.import_pool(pool_of("G", {**POOL, "question_id": np.array([21, 22, 23])}))
    save(filled, "G", 0.5, 0.5, 0.25)
    assert shares(filled) == []
    save(filled, "E", 0.5, 0.5, 0.25)
    assert shares(filled) == [("E", 2, 3)]


def test_an_exam_calibrated_every_night_hides_no_other(both: Store, dsn: str) -> None:
    save(both, "F", 0.4, 0.5, 0.6)
    one = {name: value[:1] for name, value in POOL.items()}
    both.import_pool(pool_of("G", one))
    for night in range(30):
        save(both, "G", 0.3 + night / 100)
    assert shares(both) == [("F", 1, 2), ("G", 31, 1)]
    execute(dsn, "UPDATE question_versions SET state = 'retired' WHERE question_id = 12")
    assert shares(both) == [("G", 31, 1), ("F", 1, 1)]


def test_other_exams_cost_no_more_for_their_size(tmp_path: Path) -> None:
    """As for the size of this one: of the two, the smaller is looked through."""
    dsn = f"sqlite:///{tmp_path / 'bank.sqlite'}"
    small = {**POOL, "question_id": np.array([9001, 9002, 9003])}
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("SMALL", small))
        store.import_pool(pool_of("LARGE", _many(8000)))
        save(store, "SMALL", 0.1, 0.2, 0.3)
        small_alone = _steps(dsn, "SMALL")
        save(store, "LARGE", *np.full(8000, 0.5))
        small_beside, large_beside = _steps(dsn, "SMALL"), _steps(dsn, "LARGE")
        assert shares(store, "SMALL") == [("SMALL", 1, 3)]
        assert shares(store, "LARGE") == [("LARGE", 2, 8000)]
    execute(dsn, "DELETE FROM shsim_run WHERE exam = 'SMALL'")
    large_alone = _steps(dsn, "LARGE")
    assert small_beside < small_alone + 800
    assert large_beside < large_alone + 800


def _many(items: int) -> dict[str, Any]:
    return {
        name: np.resize(np.arange(1, items + 1) if name == "question_id" else value, items)
        for name, value in POOL.items()
    }


def _steps(dsn: str, exam: str) -> int:
    """How many tens of SQLite's own steps it takes to tell an exam's makers."""
    taken: list[None] = []
    with closing(connect(dsn)) as db:
        db.set_progress_handler(lambda: taken.append(None), 10)
        makers_of(db.cursor(), ledger_statements("sqlite"), exam)
    return len(taken)
