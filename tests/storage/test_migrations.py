"""The ledger's schema: made by migrations, brought forward, and never taken back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from storage.databases import execute, pool_of, query
from storage.records import record

from shsim.errors import DatabaseError
from shsim.storage import ledger as module
from shsim.storage.base import Store
from shsim.storage.ledger_statements import ledger_statements
from shsim.storage.open import open_store
from shsim.storage.tables import LEDGER_TABLES

NEXT = "ALTER TABLE shsim_run ADD COLUMN note text; CREATE INDEX shsim_note ON shsim_run (note)"


def schema(dsn: str) -> list[tuple[object, ...]]:
    """Every column and index of the ledger, with type, default and position."""
    if dsn.startswith("sqlite:"):
        return query(
            dsn,
            'SELECT m.name, i.name, i.type, i."notnull", i.dflt_value, i.pk, m.type'
            " FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) i"
            " WHERE m.tbl_name LIKE 'shsim_%' ORDER BY 1, 2",
        )
    return query(
        dsn,
        "SELECT table_name, column_name, data_type, is_nullable, column_default,"
        " identity_generation"
        " FROM information_schema.columns WHERE table_name LIKE 'shsim_%'"
        " UNION ALL SELECT tablename, indexname, indexdef, '', '', ''"
        " FROM pg_indexes WHERE tablename LIKE 'shsim_%' ORDER BY 1, 2",
    )


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make this program one that knows a second schema."""

    def know() -> None:
        monkeypatch.setattr(
            module,
            "ledger_statements",
            lambda database: {**ledger_statements(database), "migration_2": NEXT},
        )

    return know


def drop(dsn: str) -> None:
    for table in LEDGER_TABLES:
        execute(dsn, f"DROP TABLE {table}")


def test_a_fresh_schema_is_the_sum_of_the_migrations(
    store: Store, dsn: str, next_version: Callable[[], None]
) -> None:
    assert store.ledger.state().version == store.ledger.latest
    first = schema(dsn)
    store.import_pool(pool_of("E"))
    run = store.save_k(store.load_pool("E"), np.array([0.1, 0.2, 0.3]), record=record()).run
    assert run is not None
    rows = query(dsn, "SELECT * FROM shsim_run")
    next_version()
    assert store.create_tables() == ("schema 2 of the ledger",)
    migrated = schema(dsn)
    assert migrated != first
    assert [row[:-1] for row in query(dsn, "SELECT * FROM shsim_run")] == rows
    assert len(store.ledger.items(run)) == 3
    assert query(dsn, "SELECT version FROM shsim_schema ORDER BY 1") == [(1,), (2,)]
    drop(dsn)
    assert store.create_tables() == LEDGER_TABLES
    assert schema(dsn) == migrated
    assert store.create_tables() == ()


def test_an_older_schema_is_left_alone_until_db_init(
    store: Store, next_version: Callable[[], None]
) -> None:
    next_version()
    state = store.ledger.state()
    assert (state.version, state.readable) == (1, False)
    assert state.obstacle is not None
    assert "`shsim db init` brings it up to date" in state.obstacle
    with pytest.raises(DatabaseError, match="db init"):
        store.ledger.history(None, 1)


def test_a_newer_schema_is_refused(store: Store, dsn: str) -> None:
    execute(dsn, "INSERT INTO shsim_schema (version) VALUES (9)")
    for ask in (
        store.ledger.state,
        store.create_tables,
        lambda: store.ledger.in_force("E"),
        lambda: store.ledger.history(None, 1),
    ):
        with pytest.raises(DatabaseError, match="has schema 9, and this shsim knows 1"):
            ask()


def test_a_database_without_a_ledger_says_so(store: Store, dsn: str) -> None:
    drop(dsn)
    obstacle = store.ledger.state().obstacle
    assert obstacle == "it keeps no ledger of runs; `shsim db init` makes one"
    assert store.ledger.in_force("E") is None
    with pytest.raises(DatabaseError, match="keeps no ledger of runs"):
        store.ledger.run(1)


@pytest.mark.parametrize(
    ("damage", "lack", "made"),
    [
        ("DROP TABLE shsim_schema", "lacks the table shsim_schema;", "shsim_schema"),
        ("DROP TABLE shsim_run", "lacks the table shsim_run;", "shsim_run"),
        ("DROP TABLE shsim_run_item", "lacks the table shsim_run_item;", "shsim_run_item"),
        ("DELETE FROM shsim_schema", "shsim_schema is empty;", "the version in shsim_schema"),
    ],
)
def test_what_is_missing_of_a_ledger_is_named_and_made_anew(
    store: Store, dsn: str, damage: str, lack: str, made: str
) -> None:
    whole = schema(dsn)
    store.import_pool(pool_of("E"))
    k = np.array([0.1, 0.2, 0.3])
    for _ in range(2):
        store.save_k(store.load_pool("E"), k, record=record())
    execute(dsn, damage)
    state = store.ledger.state()
    assert (state.kept, state.readable) == (True, False)
    assert state.lack is not None
    assert lack in state.lack
    assert store.ledger.in_force("E") is None
    with pytest.raises(DatabaseError, match=lack):
        store.ledger.history(None, 1)
    assert store.create_tables() == (made,)
    assert schema(dsn) == whole
    # Numbers go on where they were, though the runs themselves may be gone.
    assert store.save_k(store.load_pool("E"), k, record=record()).run == 3
    assert store.create_tables() == ()


@pytest.mark.parametrize("emptied", [True, False])
def test_a_table_of_a_ledgers_name_with_other_columns_is_left_alone(
    store: Store, dsn: str, *, emptied: bool
) -> None:
    if emptied:
        execute(dsn, "DELETE FROM shsim_schema")
    execute(dsn, "ALTER TABLE shsim_run RENAME COLUMN tau TO cap")
    execute(dsn, "ALTER TABLE shsim_schema RENAME COLUMN version TO v")
    state = store.ledger.state()
    assert (state.kept, state.readable) == (True, False)
    assert state.lack is not None
    assert "none that shsim has made: shsim_schema lacks version, shsim_run lacks tau" in state.lack
    assert store.ledger.in_force("E") is None
    before = schema(dsn)
    for ask in (store.create_tables, lambda: store.ledger.history(None, 1)):
        with pytest.raises(DatabaseError, match="its ledger is none that shsim has made"):
            ask()
    assert schema(dsn) == before
    assert query(dsn, "SELECT count(*) FROM shsim_schema") == [(0 if emptied else 1,)]


@pytest.mark.parametrize("version", [-3, 0])
def test_a_schema_that_none_has_made_is_refused(store: Store, dsn: str, version: int) -> None:
    execute(dsn, f"UPDATE shsim_schema SET version = {version}")  # noqa: S608
    for ask in (store.ledger.state, store.create_tables):
        with pytest.raises(DatabaseError, match=f"has schema {version}, which no shsim has made"):
            ask()


@pytest.mark.parametrize("version", ["'abc'", "'1x'", "1.5", "'NaN'"])
def test_a_schema_that_is_no_number_is_refused_too(store: Store, dsn: str, version: str) -> None:
    execute(dsn, "DROP TABLE shsim_schema")
    kind = "numeric" if version in ("1.5", "'NaN'") else "text"
    execute(dsn, f"CREATE TABLE shsim_schema (version {kind}, applied_at text)")
    execute(dsn, f"INSERT INTO shsim_schema VALUES ({version}, 'x')")  # noqa: S608
    said = f"has schema {version.strip(chr(39))}, which no shsim has made.*Correct shsim_schema"
    for ask in (store.create_tables, store.check, lambda: store.ledger.history(None, 1)):
        with pytest.raises(DatabaseError, match=said):
            ask()


def test_a_schema_that_is_bytes_is_refused_too(tmp_path: Path) -> None:
    dsn = f"sqlite:///{tmp_path / 'bytes.sqlite'}"
    with closing(open_store(dsn)) as store:
        store.create_tables()
        execute(dsn, "DROP TABLE shsim_schema")
        execute(dsn, "CREATE TABLE shsim_schema (version, applied_at)")
        execute(dsn, "INSERT INTO shsim_schema VALUES (x'ff', 'x')")
        with pytest.raises(DatabaseError, match="which no shsim has made"):
            store.ledger.history(None, 1)


def test_a_view_in_a_tables_place_is_named_with_what_to_do(store: Store, dsn: str) -> None:
    execute(dsn, "DROP TABLE shsim_run")
    execute(dsn, "CREATE VIEW shsim_run AS SELECT question_id FROM question_versions")
    said = "shsim_run is a view, or another program's; rename that and let `shsim db init` make"
    for ask in (store.create_tables, lambda: store.ledger.history(None, 1)):
        with pytest.raises(DatabaseError, match=said):
            ask()
    assert [said in finding.sentence for finding in store.check()].count(True) == 1
    execute(dsn, "DROP VIEW shsim_run")
    assert store.create_tables() == ("shsim_run",)


def test_a_replica_is_read_and_not_recorded_in(postgres_dsn: str) -> None:
    with closing(open_store(postgres_dsn, read_only=True)) as store:
        state = store.ledger.state()
        assert (state.readable, state.obstacle) == (True, "the database is read-only")
        assert store.ledger.history(None, 5) == ([], 0)
