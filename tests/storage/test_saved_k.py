"""What stands in the table after a save is what was written, or nothing is saved."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from storage.databases import POOL, connect, execute, item_rows, pool_of, query
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


#: Fires at the COMMIT, or where it is asked to before.
_LATER = (
    "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF pg_trigger_depth() = 1 THEN UPDATE item_exposure_control SET sh_p = 0.9"
    " WHERE question_id = NEW.question_id; END IF; RETURN NULL; END $$;"
    " CREATE CONSTRAINT TRIGGER t AFTER UPDATE ON item_exposure_control"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meddle()"
)


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


@pytest.mark.parametrize("kind", ["drops", "changes"])
def test_an_import_under_such_a_trigger_publishes_nothing(
    filled: Store, dsn: str, kind: str
) -> None:
    put_trigger(dsn, kind)
    before = item_rows(dsn)
    pool = pool_of("F", {**POOL, "k": np.array([0.4, 1.0, 0.25])})
    with pytest.raises(DatabaseError, match=r"1 of the items imported do not stand .*a trigger"):
        filled.import_pool(pool)
    assert item_rows(dsn) == before


def test_what_a_trigger_says_is_not_taken_for_sqlites_own_words(tmp_path: Path) -> None:
    dsn = f"sqlite:///{tmp_path / 'own.sqlite'}"
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
        execute(
            dsn,
            "CREATE TRIGGER t BEFORE UPDATE ON item_exposure_control"
            " BEGIN SELECT RAISE(ABORT, 'the queue is full'); END",
        )
        with pytest.raises(DatabaseError, match="by a trigger: the queue is full"):
            store.save_k(store.load_pool("E"), K)


def test_a_trigger_that_waits_for_the_commit_is_not_too_late(
    filled_postgres: Store, filled_dsn: str
) -> None:
    execute(filled_dsn, _LATER)
    before = item_rows(filled_dsn)
    with pytest.raises(DatabaseError, match="a trigger"):
        filled_postgres.save_k(filled_postgres.load_pool("E"), K)
    with pytest.raises(DatabaseError, match="a trigger"):
        filled_postgres.import_pool(pool_of("E", {**POOL, "k": K}))
    assert item_rows(filled_dsn) == before


def put_insert_trigger(dsn: str, events: str, act: str) -> None:
    execute(
        dsn,
        f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {act}"
        f" RETURN NULL; END $$; CREATE TRIGGER t BEFORE {events} ON item_exposure_control"
        " FOR EACH ROW EXECUTE FUNCTION meddle()",
    )


@pytest.mark.parametrize(
    ("events", "lost"), [("INSERT", "1 of .* item 12"), ("INSERT OR UPDATE", "3 of .* item 11")]
)
def test_a_trigger_that_drops_new_rows_is_no_race(
    filled_postgres: Store, filled_dsn: str, events: str, lost: str
) -> None:
    put_insert_trigger(filled_dsn, events, "")
    before = item_rows(filled_dsn)
    with pytest.raises(DatabaseError, match=rf"{lost}\).*a trigger"):
        filled_postgres.save_k(filled_postgres.load_pool("E"), K / 2, record=record())
    assert item_rows(filled_dsn) == before


def test_a_trigger_that_puts_new_rows_into_a_part_of_the_table_is_no_fault(
    filled_postgres: Store, filled_dsn: str
) -> None:
    execute(filled_dsn, "CREATE TABLE part () INHERITS (item_exposure_control)")
    put_insert_trigger(filled_dsn, "INSERT", "INSERT INTO part VALUES (NEW.*);")
    outcome = filled_postgres.save_k(filled_postgres.load_pool("E"), K / 2, record=record())
    assert (outcome.changed, outcome.unchanged) == (3, 0)
    assert query(filled_dsn, "SELECT count(*) FROM part") == [(1,)]
    assert filled_postgres.load_pool("E").k.tolist() == (K / 2).tolist()


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


@pytest.mark.parametrize("kind", ["numeric(2,1)", "numeric(4,3)", "integer", "share", "part"])
def test_a_column_that_keeps_too_little_is_refused_before_the_work(
    filled_postgres: Store, filled_dsn: str, kind: str
) -> None:
    pool = filled_postgres.load_pool("E")
    execute(filled_dsn, "CREATE DOMAIN share AS numeric(3,2); CREATE DOMAIN part AS share")
    with filled_postgres.exam_lock("E"):  # as a run has it while somebody alters the table
        execute(filled_dsn, f"ALTER TABLE item_exposure_control ALTER sh_p TYPE {kind}")
        before = item_rows(filled_dsn)
        with pytest.raises(DatabaseError) as at_the_save:
            filled_postgres.save_k(pool, K, force=True)
    assert f"sh_p of item_exposure_control has the type {kind}, which" in str(at_the_save.value)
    assert "ALTER COLUMN sh_p TYPE double precision; Nothing was" in str(at_the_save.value)
    with pytest.raises(DatabaseError, match="has the type"), filled_postgres.exam_lock("E"):
        pass
    assert item_rows(filled_dsn) == before
    (finding,) = (each for each in filled_postgres.check() if each.blocking)
    assert f"the type {kind}," in finding.sentence


def test_what_is_staged_is_found_where_it_was_put(filled_dsn: str) -> None:
    for table in ("shsim_k", "shsim_pool"):
        execute(filled_dsn, f"CREATE TABLE public.{table} (question_id int, version int)")
    dsn = f"{filled_dsn} options='-c search_path=public,pg_temp'"
    with closing(open_store(dsn)) as store:
        assert store.save_k(store.load_pool("E"), K, record=record()).changed == 3
        store.import_pool(pool_of("F", {**POOL, "k": K}))
    assert query(filled_dsn, "SELECT count(*) FROM public.shsim_k, public.shsim_pool") == [(0,)]


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
