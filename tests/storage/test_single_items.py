"""Items as an operator looks them up, and the k of one, on both databases."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from live_tests import respond
from storage.databases import execute, query, seed

from shsim.errors import DatabaseError, ExamBusyError, NotFoundError
from shsim.storage.base import Store
from shsim.storage.open import open_store
from shsim.workflow.provenance import on_behalf_of
from shsim.workflow.single_item import set_exposure

WEEK = timedelta(days=7)


def rows(store: Store, exam: str | None = None, **window: int) -> list[tuple[object, ...]]:
    page = store.exposure_items(exam, datetime.now(UTC) - WEEK, **{"limit": 100, **window})
    return [(i.question_id, i.version, i.topic_id, i.sh_p, i.recent_attempts) for i in page.items]


def k_of(dsn: str) -> dict[tuple[int, int], float]:
    found = query(dsn, "SELECT question_id, version, sh_p FROM item_exposure_control")
    return {(question, version): sh_p for question, version, sh_p in found}


def test_items_most_attempted_first(filled: Store, dsn: str) -> None:
    old = (datetime.now(UTC) - timedelta(days=8)).strftime("%Y-%m-%d %H:%M:%S")
    respond(dsn, {(13, 1): 5, (12, 2): 2, (12, 1): 50})
    respond(dsn, {(11, 1): 9}, when=old)
    assert rows(filled) == [(13, 1, None, 0.25, 5), (12, 2, 6, 1.0, 2), (11, 1, 5, 0.5, 0)]


def test_equally_attempted_items_by_number_and_page(filled: Store) -> None:
    assert [row[0] for row in rows(filled, "E")] == [11, 12, 13]
    assert [row[0] for row in rows(filled, "E", limit=1, offset=1)] == [12]
    page = filled.exposure_items("E", datetime.now(UTC), limit=1, offset=7)
    assert (list(page.items), page.total) == ([], 3)


def test_an_item_of_two_exams_is_one_item(filled: Store, dsn: str) -> None:
    seed(dsn, "question_publications", [("F", 12, 2), ("F", 11, 7)])
    assert [row[0] for row in rows(filled)] == [11, 12, 13]
    assert [row[0] for row in rows(filled, "F")] == [12]
    assert filled.exposure_items(None, datetime.now(UTC), limit=1).total == 3
    assert filled.publishing_exams(12, 2) == ("E", "F")


def test_an_unknown_exam_is_refused_and_an_empty_one_is_empty(filled: Store, dsn: str) -> None:
    with pytest.raises(NotFoundError, match="exam G is unknown"):
        rows(filled, "G")
    seed(dsn, "question_publications", [("G", 11, 99)])
    assert rows(filled, "G") == []


def test_a_k_that_is_no_number_is_told_as_none(filled: Store, dsn: str) -> None:
    of_text = {"sqlite": ("NULL", "9e999", "'many'"), "postgresql": ("NULL", "'NaN'", "'Infinity'")}
    for value in of_text["sqlite" if dsn.startswith("sqlite:") else "postgresql"]:
        execute(dsn, f"UPDATE item_exposure_control SET sh_p = {value} WHERE question_id = 11")  # noqa: S608
        assert rows(filled)[0][3] is None


@pytest.mark.parametrize(("item", "before"), [((11, 1), 0.5), ((12, 2), None)])
def test_set_writes_one_k_on_record(
    filled: Store, dsn: str, item: tuple[int, int], before: float | None
) -> None:
    kept = k_of(dsn)
    with on_behalf_of("alice (api)"):
        saved = set_exposure(filled, *item, 0.125)
    assert (saved.changed, saved.unchanged) == (1, 0)
    assert k_of(dsn) == {**kept, item: 0.125}
    assert saved.run is not None
    run = filled.ledger.run(saved.run)
    assert run is not None
    assert (run.command, run.exam, run.os_user, run.outcome) == ("set", "E", "alice (api)", "saved")
    assert query(dsn, "SELECT question_id, version, k_before, k_after FROM shsim_run_item") == [
        (*item, before, 0.125)
    ]


def test_set_again_changes_nothing_and_is_on_record(filled: Store) -> None:
    saved = set_exposure(filled, 11, 1, 0.5)
    assert (saved.changed, saved.unchanged, saved.run is None) == (0, 1, False)


def test_an_item_that_no_exam_publishes(filled: Store, dsn: str) -> None:
    seed(dsn, "question_versions", [(99, 1, None, "draft")])
    saved = set_exposure(filled, 99, 1, 0.0)
    assert saved.run is not None
    run = filled.ledger.run(saved.run)
    assert run is not None
    assert run.exam == "-"


@pytest.mark.parametrize("item", [(11, 2), (99, 1), (2**63 - 1, 2**63 - 1), (-1, 0)])
def test_an_item_that_is_not_there(filled: Store, dsn: str, item: tuple[int, int]) -> None:
    with pytest.raises(NotFoundError, match=f"item {item[0]}/{item[1]} is unknown"):
        set_exposure(filled, *item, 0.5)
    assert query(dsn, "SELECT count(*) FROM shsim_run") == [(0,)]


def test_a_run_of_any_exam_that_publishes_it_is_respected(filled: Store, dsn: str) -> None:
    seed(dsn, "question_publications", [("F", 12, 2)])
    with closing(open_store(dsn)) as other, other.exam_lock("F"):
        with pytest.raises(ExamBusyError, match="F is in use"):
            set_exposure(filled, 12, 2, 0.5)
        assert set_exposure(filled, 11, 1, 0.75).changed == 1
    assert set_exposure(filled, 12, 2, 0.5).changed == 1


def test_tables_that_are_there(filled: Store, dsn: str) -> None:
    filled.require_tables()
    execute(dsn, "DROP TABLE item_calibration")
    with pytest.raises(DatabaseError, match="item_calibration"):
        filled.require_tables()
