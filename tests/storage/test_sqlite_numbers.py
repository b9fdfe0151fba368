"""SQLite keeps text in a column of numbers: an item of such a name is no other item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from storage.databases import execute, item_rows, pool_of, query

from shsim.errors import DataError
from shsim.storage.base import Store
from shsim.storage.open import open_store

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def dsn(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'numbers.sqlite'}"


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
        yield store


def publish(dsn: str, item: str, version: str = "1", topic: str = "5") -> None:
    """Under the exam F, in SQL's own words."""
    row = f"{item}, {version}, {topic}, 'published'"
    execute(dsn, f"INSERT INTO question_versions VALUES ({row})")  # noqa: S608
    execute(dsn, f"INSERT INTO question_publications VALUES ('F', {item}, {version})")  # noqa: S608


@pytest.mark.parametrize(
    ("item", "version", "topic", "said"),
    [
        ("'11x'", "1", "5", "F: item '11x'/1: question_id = '11x' is no whole number."),
        ("'abc'", "1", "5", "F: item 'abc'/1: question_id = 'abc' is no whole number."),
        ("x'3131'", "1", "5", "F: item X'3131'/1: question_id = X'3131' is no whole number."),
        ("11.5", "1", "5", "F: item 11.5/1: question_id = 11.5 is no whole number."),
        ("9.3e18", "1", "5", "question_id = 9.3"),
        ("11", "'1x'", "5", "F: item 11/'1x': live_version = '1x' is no whole number."),
        ("21", "1", "'algebra'", "F: item 21/1: topic_id = 'algebra' is no whole number."),
    ],
)
def test_an_item_of_no_number_is_refused_by_name(
    store: Store, dsn: str, item: str, version: str, topic: str, said: str
) -> None:
    publish(dsn, "31")
    publish(dsn, item, version, topic)
    with pytest.raises(DataError) as caught:
        store.load_pool("F")
    (problem,) = caught.value.problems
    assert said in problem
    assert "Correct it in question_" in problem
    assert [f.sentence for f in store.check() if f.blocking] == [problem]
    assert len(store.load_pool("E")) == 3


def test_text_that_is_a_number_and_no_topic_are_as_they_were(store: Store, dsn: str) -> None:
    publish(dsn, "'21'", "1.0", "NULL")
    assert store.load_pool("F").keys == [(21, 1)]


TEXT = ("'21'", "'1'")


@pytest.mark.parametrize(
    ("own", "saved", "item", "said"),
    [
        ("", "", TEXT, ["question_id = '21'", "live_version = '1'"]),
        ("", "", ("'21'", "1"), ["question_id = '21'"]),
        ("", "", ("21.0", "1"), None),
        ("", "TEXT", ("21", "1"), ["question_id = 21", "live_version = 1"]),
        ("", "INTEGER", TEXT, None),
        ("TEXT", "TEXT", ("21.0", "1"), ["question_id = '21.0'"]),
        ("TEXT", "TEXT", TEXT, None),
        ("TEXT", "VARCHAR(9)", ("'021'", "1"), ["question_id = '021'"]),
        ("TEXT", "INTEGER", ("'021'", "1"), None),
        ("REAL", "REAL", TEXT, None),
        ("REAL", "TEXT", TEXT, None),
    ],
)
def test_k_are_saved_where_the_joins_look_or_the_item_is_refused(
    dsn: str, own: str, saved: str, item: tuple[str, str], said: Sequence[str] | None
) -> None:
    """Whatever types the tables of others declare for the ids (`own`), and for those of k."""
    tables = {
        "question_publications": f"exam_code TEXT, question_id {own}, live_version {own}",
        "question_versions": f"question_id {own}, version {own}, topic_id, state",
        "item_calibration": f"question_id {own}, version {own}, model, a, b, c",
        "item_exposure_control": f"question_id {saved}, version {saved}, sh_p, updated_at,"
        " UNIQUE (question_id, version)",
    }
    for table, columns in tables.items():
        execute(dsn, f"CREATE TABLE {table} ({columns})")
    publish(dsn, *item)
    with closing(open_store(dsn)) as store:
        if said is None:
            store.save_k(store.load_pool("F"), np.array([0.5]))
            assert store.load_pool("F").k.tolist() == [0.5]
            return
        with pytest.raises(DataError) as caught:
            store.load_pool("F")
        problems = [f"{words} is not stored as item_exposure_control" for words in said]
        assert [any(p in q for q in caught.value.problems) for p in problems] == [True] * len(said)
        found = [finding.sentence for finding in store.check() if finding.blocking]
        assert found[: len(said)] == list(caught.value.problems)


def test_a_k_that_is_stored_under_text_is_named(dsn: str) -> None:
    """The save would put another beside it, and every item with two k is two items."""
    with closing(open_store(dsn)) as store:
        store.create_tables()
        execute(dsn, "DROP TABLE item_exposure_control")
        columns = "question_id, version, sh_p, updated_at, UNIQUE (question_id, version)"
        execute(dsn, f"CREATE TABLE item_exposure_control ({columns})")
        publish(dsn, "21")
        execute(dsn, "INSERT INTO item_exposure_control VALUES ('21', 1, 0.9, '')")
        with pytest.raises(DataError) as caught:
            store.load_pool("F")
    (problem,) = caught.value.problems
    assert "F: item 21/1: question_id = '21' is not stored as item_exposure_control" in problem
    assert "Correct it in item_exposure_control, in columns declared INTEGER, and run" in problem


def test_a_save_is_refused_where_such_an_item_came_meanwhile(store: Store, dsn: str) -> None:
    publish(dsn, "31")
    pool = store.load_pool("F")
    publish(dsn, "'11x'")
    before = item_rows(dsn)
    with pytest.raises(DataError, match="item '11x'/1"):
        store.save_k(pool, pool.k * 0.5)
    assert item_rows(dsn) == before


def test_attempts_and_lists_are_of_no_other_item_either(store: Store, dsn: str) -> None:
    publish(dsn, "'11x'")
    execute(dsn, "INSERT INTO user_responses VALUES ('11x', 1, '2026-01-31 06:00:00')")
    execute(dsn, "INSERT INTO user_responses VALUES (11, 1, '2026-01-31 06:00:00')")
    live = store.live_counts("E", LONG_AGO, datetime(2027, 1, 1, tzinfo=UTC))
    assert live.attempts == {(11, 1): 1}
    assert not live.elsewhere
    page = store.exposure_items(None, LONG_AGO, limit=10)
    assert [(item.question_id, item.version) for item in page.items] == [(11, 1), (12, 2), (13, 1)]
    assert page.total == 3


def test_an_import_beside_such_an_item_is_planned_as_it_is_done(store: Store, dsn: str) -> None:
    publish(dsn, "'11x'")
    pool = pool_of("F")
    assert store.plan_import(pool).changed == 3
    assert store.import_pool(pool).changed == 3
    assert query(dsn, "SELECT count(*) FROM question_publications WHERE exam_code = 'F'") == [(4,)]
