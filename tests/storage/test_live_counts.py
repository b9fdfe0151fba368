"""Counting live attempts within a window, on both databases."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from live_tests import respond
from psycopg2.extensions import parse_dsn
from storage.databases import execute, pool_of, query, seed

from shsim.errors import DatabaseError
from shsim.storage.base import Store
from shsim.storage.open import open_store
from shsim.storage.statements import statements

SINCE = datetime(2026, 1, 31, 6, tzinfo=UTC)
UNTIL = datetime(2026, 2, 1, tzinfo=UTC)


def test_attempts_within_the_window_are_counted_by_item(filled: Store, dsn: str) -> None:
    respond(dsn, {(11, 1): 3, (12, 2): 2, (99, 7): 1}, "2026-01-31 06:00:00")
    respond(dsn, {(11, 1): 4}, "2026-01-31 23:59:59")
    respond(dsn, {(11, 1): 50, (13, 1): 9}, "2026-01-31 05:59:59")
    respond(dsn, {(13, 1): 8}, "2026-02-01 00:00:00")
    counts = filled.live_counts("E", SINCE, UNTIL)
    assert counts.attempts == {(11, 1): 7, (12, 2): 2, (99, 7): 1}
    assert counts.later == 8


def test_nothing_counted_is_nothing(filled: Store) -> None:
    counts = filled.live_counts("E", SINCE, UNTIL)
    assert (counts.attempts, counts.elsewhere, counts.later) == ({}, frozenset(), 0)


def test_what_other_exams_publish_is_told(filled: Store, dsn: str) -> None:
    seed(dsn, "question_publications", [("F", 11, 1), ("G", 11, 1), ("F", 77, 1), ("F", 78, 1)])
    seed(dsn, "question_versions", [(77, 1, None, "published"), (78, 1, None, "draft")])
    respond(dsn, {(77, 1): 1, (78, 1): 1, (12, 2): 1, (99, 1): 1}, "2026-01-31 06:00:00")
    assert filled.live_counts("E", SINCE, UNTIL).elsewhere == {(11, 1), (77, 1)}
    assert filled.live_counts("F", SINCE, UNTIL).elsewhere == {(11, 1), (12, 2)}


def test_what_neither_the_exam_nor_an_attempt_names_is_not_fetched(filled: Store, dsn: str) -> None:
    seed(dsn, "question_publications", [("F", i, 1) for i in range(100, 200)])
    seed(dsn, "question_versions", [(i, 1, None, "published") for i in range(100, 200)])
    assert filled.live_counts("E", SINCE, UNTIL).elsewhere == frozenset()


@pytest.mark.parametrize(
    ("spelling", "counted"),
    [
        ("2026-01-31T06:00:00Z", 1),
        ("2026-01-31T06:30:00.250+01:00", 0),
        ("2026-01-31 00:30:00-06:00", 1),
        ("2026-02-01T05:00:00+06:00", 1),
        ("2026-01-31 23:30:00-02:00", 0),
    ],
)
def test_a_moment_counts_however_it_is_spelled(
    filled: Store, dsn: str, spelling: str, counted: int
) -> None:
    seed(dsn, "user_responses", [(11, 1, spelling)])
    found = filled.live_counts("E", SINCE, UNTIL)
    assert found.attempts == ({(11, 1): 1} if counted else {})


def test_the_first_and_the_last_day_there_are(filled: Store, dsn: str) -> None:
    respond(dsn, {(11, 1): 2}, "2026-01-31 06:00:00")
    first = datetime(1, 1, 1, tzinfo=UTC)
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert filled.live_counts("E", first, last).attempts == {(11, 1): 2}
    assert filled.live_counts("E", first, first).later == 2


def test_a_time_without_a_zone_is_in_utc(filled_postgres: Store, filled_dsn: str) -> None:
    execute(filled_dsn, "ALTER TABLE user_responses ALTER created_at TYPE timestamp")
    name = query(filled_dsn, "SELECT current_database()")[0][0]
    execute(filled_dsn, f"ALTER DATABASE {name} SET timezone = 'Pacific/Auckland'")
    seed(filled_dsn, "user_responses", [(11, 1, "2026-01-31 06:00:00")])
    assert filled_postgres.live_counts("E", SINCE, UNTIL).attempts == {(11, 1): 1}
    later = SINCE + timedelta(seconds=1)
    assert filled_postgres.live_counts("E", later, UNTIL).attempts == {}


UNDATED = (
    "NULL", "1769839200", "1769839200.5", "'1769839200'", "'soon'", "'2026-13-31'", "x'32'", "''",
)  # fmt: skip


def untyped_responses(dsn: str) -> None:
    """A `user_responses` that somebody else made: whatever may stand in it."""
    kind = "" if dsn.startswith("sqlite:") else "timestamptz"
    execute(dsn, "DROP TABLE user_responses")
    execute(
        dsn,
        f"CREATE TABLE user_responses (question_id integer, version integer, created_at {kind})",
    )


def test_what_no_window_can_find_is_counted_and_told(tmp_path: Path) -> None:
    dsn = f"sqlite:///{tmp_path / 'qbank.sqlite'}"
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
    untyped_responses(dsn)
    respond(dsn, {(11, 1): 3}, "2026-01-31 06:00:00")
    for spelling in UNDATED:
        execute(dsn, f"INSERT INTO user_responses VALUES (11, 1, {spelling})")  # noqa: S608
    with closing(open_store(dsn)) as store:
        counts = store.live_counts("E", SINCE, UNTIL)
        assert (counts.attempts, counts.undated) == ({(11, 1): 3}, len(UNDATED))
        (finding,) = store.check()
    assert not finding.blocking
    assert finding.sentence.startswith("Table user_responses: 8 rows have a created_at that is no")


def test_an_attempt_without_a_moment_is_counted_and_told(filled: Store, dsn: str) -> None:
    untyped_responses(dsn)
    seed(dsn, "user_responses", [(11, 1, None)])
    assert filled.live_counts("E", SINCE, UNTIL).undated == 1
    assert [finding.blocking for finding in filled.check()] == [False]


def test_a_missing_table_is_named(filled: Store, dsn: str) -> None:
    execute(dsn, "DROP TABLE user_responses")
    with pytest.raises(DatabaseError, match="user_responses"):
        filled.live_counts("E", SINCE, UNTIL)


def test_the_index_on_time_serves(tmp_path: Path) -> None:
    """SQLite says so of an empty table too; what PostgreSQL plans depends on the table's size."""
    dsn = f"sqlite:///{tmp_path / 'qbank.sqlite'}"
    with closing(open_store(dsn)) as store:
        store.create_tables()
    select = statements("sqlite")["count_responses"]
    for name in ("first_day", "last_day", "since", "until"):
        select = select.replace(f":{name}", "'2026-01-31'")
    plan = " ".join(str(row[-1]) for row in query(dsn, f"EXPLAIN QUERY PLAN {select}"))
    assert "USING INDEX user_responses_created_at" in plan


def test_select_is_all_a_role_needs(filled_dsn: str, role: str) -> None:
    name = parse_dsn(role)["user"]
    respond(filled_dsn, {(11, 1): 3}, "2026-01-31 06:00:00")
    with closing(open_store(role, read_only=True)) as store:
        for table in ("question_publications", "question_versions"):
            execute(filled_dsn, f"GRANT SELECT ON {table} TO {name}")
        with pytest.raises(DatabaseError, match="permission denied for table user_responses"):
            store.live_counts("E", SINCE, UNTIL)
        execute(filled_dsn, f"GRANT SELECT ON user_responses TO {name}")
        assert store.live_counts("E", SINCE, UNTIL).attempts == {(11, 1): 3}
