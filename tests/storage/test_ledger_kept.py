"""A run is told as recorded only where the ledger has it as it was put there."""

from __future__ import annotations

import numpy as np
import pytest
from storage.databases import execute, item_rows, query
from storage.records import record

from shsim.errors import DatabaseError
from shsim.storage.base import Store

K = np.array([0.1, 1 / 3, 1.0])

#: By what is done: when, on which table, what SQLite does, and what PostgreSQL does.
_MEDDLING = {
    "run dropped": ("BEFORE", "shsim_run", "SELECT RAISE(IGNORE)", "RETURN NULL"),
    "run deleted": (
        "AFTER",
        "shsim_run",
        "DELETE FROM shsim_run WHERE id = new.id",
        "DELETE FROM shsim_run WHERE id = new.id; RETURN NULL",
    ),
    "number changed": (
        "AFTER",
        "shsim_run",
        "UPDATE shsim_run SET id = id + 100",
        "UPDATE shsim_run SET outcome = 'failed'; RETURN NULL",  # an identity is not updated
    ),
    "items dropped": ("BEFORE", "shsim_run_item", "SELECT RAISE(IGNORE)", "RETURN NULL"),
    "k changed": (
        "AFTER",
        "shsim_run_item",
        "UPDATE shsim_run_item SET k_before = 0.123",
        "UPDATE shsim_run_item SET k_before = 0.123; RETURN NULL",
    ),
    "items added": (
        "AFTER",
        "shsim_run_item",
        "INSERT INTO shsim_run_item VALUES (new.run, new.question_id + 100, 1, 0.5, 0.5)",
        (
            "IF NEW.question_id < 100 THEN INSERT INTO shsim_run_item VALUES"
            " (new.run, new.question_id + 100, 1, 0.5, 0.5); END IF; RETURN NULL"
        ),
    ),
}

#: Done to the items on record once the k before them are overwritten.
_ITEMS_ALTERED = {
    "k before changed": "k_before = 0.75 WHERE question_id = 11",
    "k before forgotten": "k_before = NULL WHERE question_id = 13",
    "k before made up": "k_before = 1 WHERE question_id = 12",
    "k before exchanged": "k_before = CASE question_id WHEN 11 THEN 0.25 WHEN 13 THEN 0.5 END",
    "k after changed": "k_after = 0.1001 WHERE question_id = 11",
    "version changed": "version = 7 WHERE question_id = 11",
}

_FUNCTION = "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {deed}; END $$;"

#: Fires at the COMMIT, or where it is asked to before.
_LATER = (
    _FUNCTION + "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON {table}"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meddle()"
)

#: Fires while k are written.
_WITH_K = {
    "sqlite": "CREATE TRIGGER t AFTER UPDATE ON item_exposure_control BEGIN {deed}; END",
    "postgresql": _FUNCTION + "CREATE TRIGGER t AFTER UPDATE ON item_exposure_control"
    " FOR EACH STATEMENT EXECUTE FUNCTION meddle()",
}


def put_trigger(dsn: str, kind: str) -> None:
    """What a hand has put on the ledger."""
    when, table, sqlite, postgres = _MEDDLING[kind]
    if dsn.startswith("sqlite"):
        execute(dsn, f"CREATE TRIGGER t {when} INSERT ON {table} BEGIN {sqlite}; END")
        return
    execute(
        dsn,
        _FUNCTION.format(deed=postgres)
        + f"CREATE TRIGGER t {when} INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION meddle()",
    )


@pytest.mark.parametrize("kind", _MEDDLING)
def test_a_save_that_the_ledger_does_not_keep_is_undone(filled: Store, dsn: str, kind: str) -> None:
    assert filled.ledger.record(record(outcome="refused")) == 1  # the last number of its connection
    put_trigger(dsn, kind)
    before = item_rows(dsn)
    with pytest.raises(DatabaseError, match=r"a trigger or a rule of (it|shsim_run)"):
        filled.save_k(filled.load_pool("E"), K, record=record())
    assert item_rows(dsn) == before
    assert query(dsn, "SELECT id, outcome FROM shsim_run") == [(1, "refused")]
    assert query(dsn, "SELECT * FROM shsim_run_item") == []


@pytest.mark.parametrize("kind", ["run dropped", "run deleted", "number changed"])
def test_a_run_that_saves_nothing_is_not_told_as_recorded_either(
    filled: Store, dsn: str, kind: str
) -> None:
    put_trigger(dsn, kind)
    with pytest.raises(DatabaseError, match=r"a trigger or a rule of (it|shsim_run)"):
        filled.ledger.record(record(outcome="refused"))
    assert query(dsn, "SELECT * FROM shsim_run") == []


@pytest.mark.parametrize("table", ["shsim_run", "shsim_run_item"])
def test_a_trigger_that_waits_for_the_commit_is_not_too_late(
    filled_postgres: Store, filled_dsn: str, table: str
) -> None:
    forget = f"DELETE FROM {table}; RETURN NULL"  # noqa: S608
    execute(filled_dsn, _LATER.format(table=table, deed=forget))
    before = item_rows(filled_dsn)
    with pytest.raises(DatabaseError, match=rf"a trigger or a rule of {table}\b"):
        filled_postgres.save_k(filled_postgres.load_pool("E"), K, record=record())
    assert item_rows(filled_dsn) == before
    if table == "shsim_run":
        with pytest.raises(DatabaseError, match=f"a trigger or a rule of {table},"):
            filled_postgres.ledger.record(record(outcome="refused"))
    assert query(filled_dsn, "SELECT * FROM shsim_run") == []


@pytest.mark.parametrize("change", _ITEMS_ALTERED.values(), ids=_ITEMS_ALTERED)
def test_items_altered_at_the_commit_are_seen(
    filled_postgres: Store, filled_dsn: str, change: str
) -> None:
    """A rollback would restore what the record then says."""
    deed = f"UPDATE shsim_run_item SET {change}; RETURN NULL"  # noqa: S608
    execute(filled_dsn, _LATER.format(table="shsim_run_item", deed=deed))
    refuses(filled_postgres, filled_dsn)


@pytest.mark.parametrize("change", _ITEMS_ALTERED.values(), ids=_ITEMS_ALTERED)
def test_items_altered_while_k_are_written_are_seen(filled: Store, dsn: str, change: str) -> None:
    database, end = ("sqlite", "") if dsn.startswith("sqlite") else ("postgresql", "; RETURN NULL")
    deed = f"UPDATE shsim_run_item SET {change}{end}"  # noqa: S608
    execute(dsn, _WITH_K[database].format(deed=deed))
    refuses(filled, dsn)


def refuses(store: Store, dsn: str) -> None:
    """The save, which leaves all as it was."""
    before = item_rows(dsn)
    with pytest.raises(DatabaseError, match="the items of run 1 are not in shsim_run_item as"):
        store.save_k(store.load_pool("E"), K, record=record())
    assert item_rows(dsn) == before
    assert query(dsn, "SELECT * FROM shsim_run_item") == []
