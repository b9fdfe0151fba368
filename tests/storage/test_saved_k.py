"""What stands in the table after a save is what was written, or nothing is saved."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from storage.databases import connect, execute, item_rows, pool_of, query
from storage.records import record

from shsim.errors import DatabaseError, DataError
from shsim.storage.base import Store
from shsim.storage.open import open_store

K = np.array([0.1, 1 / 3, 1.0])
RUNS = "SELECT count(*) FROM shsim_run"

_SQLITE = {
    "drops": "CREATE TRIGGER t BEFORE UPDATE ON item_exposure_control"
    " BEGIN SELECT RAISE(IGNORE); END",
    "changes": "CREATE TRIGGER t AFTER UPDATE ON item_exposure_control BEGIN"
    " UPDATE item_exposure_control SET sh_p = 0.9 WHERE question_id = new.question_id; END",
}
_POSTGRES = {
    "drops": "RETURN NULL;",
    "changes": "NEW.sh_p := 0.9; RETURN NEW;",
}


def put_trigger(dsn: str, kind: str) -> None:
    """What a hand has put on the table; it changes or drops each k that is updated."""
    if dsn.startswith("sqlite"):
        with closing(connect(dsn)) as connection:
            connection.execute(_SQLITE[kind])
            connection.commit()
        return
    execute(
        dsn,
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {_POSTGRES[kind]} END $$;"
        " CREATE TRIGGER t BEFORE UPDATE ON item_exposure_control"
        " FOR EACH ROW EXECUTE FUNCTION meddle()",
    )


@pytest.mark.parametrize("kind", ["drops", "changes"])
def test_a_trigger_that_meddles_with_k_saves_and_records_nothing(
    filled: Store, dsn: str, kind: str
) -> None:
    put_trigger(dsn, kind)
    before = item_rows(dsn)
    with pytest.raises(DatabaseError, match=r"2 of the k written .* item 11\).*a trigger"):
        filled.save_k(filled.load_pool("E"), K, record=record())
    assert item_rows(dsn) == before
    assert query(dsn, RUNS) == [(0,)]


def test_a_rollback_under_such_a_trigger_does_nothing(filled: Store, dsn: str) -> None:
    number = filled.save_k(filled.load_pool("E"), K, record=record()).run
    assert number is not None
    run = filled.ledger.run(number)
    assert run is not None
    put_trigger(dsn, "drops")
    before = item_rows(dsn)
    with pytest.raises(DatabaseError, match="a trigger"):
        filled.restore_k(run, record=record(command="rollback"))
    assert item_rows(dsn) == before
    assert query(dsn, RUNS) == [(1,)]


@pytest.mark.parametrize("kind", ["real", "numeric(5,4)"])
def test_a_column_that_rounds_is_no_fault(postgres_dsn: str, kind: str) -> None:
    execute(postgres_dsn, f"ALTER TABLE item_exposure_control ALTER COLUMN sh_p TYPE {kind}")
    with closing(open_store(postgres_dsn)) as store:
        store.import_pool(pool_of("E"))
        assert store.save_k(store.load_pool("E"), K, record=record()).changed == 3


@pytest.mark.parametrize("before", ["'NaN'", "1.5", "-1"])
def test_a_rollback_never_writes_what_is_no_k(filled: Store, dsn: str, before: str) -> None:
    number = filled.save_k(filled.load_pool("E"), K, record=record()).run
    assert number is not None
    run = filled.ledger.run(number)
    assert run is not None
    execute(dsn, f"UPDATE shsim_run_item SET k_before = {before} WHERE question_id = 11")  # noqa: S608
    rows = item_rows(dsn)
    with pytest.raises(DataError, match="item 11/1: sh_p before run 1 is on record as"):
        filled.restore_k(run, record=record(command="rollback"))
    assert item_rows(dsn) == rows
    if "host=" in dsn:
        assert filled.ledger.items(run.run).absent.tolist() == [False, True, False]
