"""The contract of a Store: runs on record, in the transaction that saves, and rolled back."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import fields, replace

import numpy as np
import pytest
from storage.cutting_proxy import cutting_proxy
from storage.databases import POOL, connect, execute, item_rows, pool_of, query
from storage.records import BEGUN, K, record, recorded, save

from shsim.errors import DatabaseError, RefusedError
from shsim.model.run_record import RunItems, RunRecord
from shsim.report.past_run import rollback_sentences
from shsim.storage.base import SaveOutcome, Store
from shsim.storage.ledger import Ledger
from shsim.storage.open import open_store
from shsim.workflow.past_runs import rollback
from shsim.workflow.single_item import set_exposure

ALL_K = "SELECT question_id, sh_p FROM item_exposure_control ORDER BY question_id"
RUNS = "SELECT count(*) FROM shsim_run"


def test_a_save_is_recorded_with_k_before_and_after(filled: Store, dsn: str) -> None:
    run = save(filled)
    for field in fields(RunRecord):
        assert getattr(run, field.name) == getattr(record(), field.name), field.name
    assert run.started == BEGUN
    assert run.started.utcoffset() is not None
    assert (run.largest, run.held, run.seconds) == (0.2, True, 2.0)
    items = filled.ledger.items(run.run)
    assert [items.item(i) for i in range(len(items))] == ["11/1", "12/2", "13/1"]
    assert np.array_equal(items.before, [0.5, np.nan, 0.25], equal_nan=True)
    assert items.absent.tolist() == [False, True, False]
    assert items.after.tolist() == K.tolist()
    user = query(dsn, "SELECT session_user")[0][0] if "host=" in dsn else None
    assert run.database_user == user


def test_a_save_without_a_record_leaves_the_ledger_alone(filled: Store, dsn: str) -> None:
    assert filled.save_k(filled.load_pool("E"), K) == SaveOutcome(3, 0)
    assert query(dsn, RUNS) == [(0,)]


def test_a_refused_save_records_nothing(filled: Store, dsn: str) -> None:
    pool = filled.load_pool("E")
    execute(dsn, "UPDATE item_calibration SET a = 1.5 WHERE question_id = 11")
    with pytest.raises(RefusedError):
        filled.save_k(pool, K, record=record())
    assert query(dsn, RUNS) == [(0,)]


def test_a_run_that_cannot_be_recorded_saves_nothing(filled: Store, dsn: str) -> None:
    pool, before = filled.load_pool("E"), item_rows(dsn)
    execute(dsn, "DROP TABLE shsim_run_item")
    with pytest.raises(DatabaseError):
        filled.save_k(pool, K, record=record())
    assert item_rows(dsn) == before
    assert query(dsn, RUNS) == [(0,)]


def test_other_outcomes_are_recorded_without_items(filled: Store) -> None:
    run = filled.ledger.record(record(outcome="dry", command="simulate", message="ok"))
    assert recorded(filled, run).outcome == "dry"
    assert len(filled.ledger.items(run)) == 0
    filled.record_aside(record(outcome="failed", message="it broke"), patience=5)
    assert recorded(filled, run + 1).message == "it broke"


def test_recording_aside_waits_no_longer_than_told(filled: Store, dsn: str) -> None:
    with closing(connect(dsn)) as blocker:
        cursor = blocker.cursor()
        if dsn.startswith("sqlite"):
            cursor.execute("BEGIN IMMEDIATE")
        else:
            cursor.execute("LOCK TABLE shsim_run IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        filled.record_aside(record(outcome="failed"), patience=0.2)
        assert time.monotonic() - began < 1
        blocker.rollback()


def test_a_run_rolled_back_leaves_what_stood_before(filled: Store, dsn: str) -> None:
    run = save(filled)
    back = filled.restore_k(run, record=record(command="rollback"))
    assert back == SaveOutcome(3, 0, run.run + 1)
    # Item 12 had no k: 1 is what that means.
    assert query(dsn, ALL_K) == [(11, 0.5), (12, 1.0), (13, 0.25)]
    again = filled.restore_k(recorded(filled, back.run), record=record(command="rollback"))
    assert again.run == run.run + 2
    assert query(dsn, ALL_K) == [(11, 0.1), (12, 1 / 3), (13, 1.0)]
    assert np.array_equal(filled.ledger.items(run.run + 2).before, [0.5, 1.0, 0.25])


def test_a_rollback_after_an_edit_is_refused_naming_the_item(filled: Store, dsn: str) -> None:
    run = save(filled)
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.7 WHERE question_id = 11")
    execute(dsn, "DELETE FROM item_exposure_control WHERE question_id = 13")
    before = item_rows(dsn)
    with pytest.raises(RefusedError) as caught:
        filled.restore_k(run, record=record(command="rollback"))
    assert str(caught.value) == filled.ledger.moved_on(run.run)
    assert str(caught.value).splitlines()[1:] == [
        f"item 11/1: run {run.run} left sh_p at 0.1, and it is 0.7.",
        f"item 13/1: run {run.run} left sh_p at 1, and it is absent.",
    ]
    assert item_rows(dsn) == before
    assert query(dsn, RUNS) == [(1,)]
    filled.restore_k(run, force=True, record=record(command="rollback"))
    assert query(dsn, ALL_K) == [(11, 0.5), (12, 1.0), (13, 0.25)]


def test_two_exams_that_share_items_cannot_undo_each_other(filled: Store, dsn: str) -> None:
    filled.import_pool(pool_of("F"))
    of_e, of_f = save(filled), save(filled, np.array([0.3, 0.4, 0.5]), "F")
    with pytest.raises(RefusedError, match=f"as run {of_f.run} left it"):
        filled.restore_k(of_e, record=record(command="rollback"))
    filled.restore_k(of_f, record=record(command="rollback", exam="F"))
    filled.restore_k(of_e, record=record(command="rollback"))
    assert query(dsn, ALL_K) == [(11, 0.5), (12, 1.0), (13, 0.25)]


def test_a_database_that_goes_after_a_rollback_takes_nothing_back(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save(filled)
    every = [filled.ledger.items(first.run)]

    def gone(_ledger: Ledger, run: int) -> RunItems:
        if not every:
            raise DatabaseError(f"the database is gone: run {run} cannot be read")
        return every.pop()

    monkeypatch.setattr(Ledger, "items", gone)
    done = rollback(filled, first.run)
    assert (done.run, done.changed) == (2, 3)
    assert done.items.after.tolist() == [0.5, 1.0, 0.25]


def test_what_a_rollback_leaves_is_counted(filled: Store, dsn: str) -> None:
    """Item 11 got another version, 12 was taken out, and 14 is new: run 1 knew 11/1, 12/2, 13/1."""
    save(filled)
    assert filled.ledger.still_live(1, "E") == (3, 3)
    filled.import_pool(
        pool_of(
            "E", {**POOL, "question_id": np.array([11, 13, 14]), "version": np.array([2, 1, 1])}
        )
    )
    execute(dsn, "DELETE FROM question_publications WHERE question_id = 12")
    planned = rollback(filled, 1, force=True, dry_run=True)
    assert (planned.not_live, planned.not_in_run) == (2, 2)
    done = rollback(filled, 1, force=True)
    assert (done.not_live, done.not_in_run) == (2, 2)
    words = list(rollback_sentences(done))
    assert words[2].startswith("2 items of that run are not live any more in E,")
    assert words[3] == "2 live items of E are not of that run: their k stay as they are."
    alone = list(rollback_sentences(replace(done, were_absent=1, not_live=1, not_in_run=1)))
    assert [sentence.partition(":")[0] for sentence in alone[1:4]] == [
        "1 item had no sh_p before that run",
        "1 item of that run is not live any more in E, or is in another version",
        "1 live item of E is not of that run",
    ]
    set_exposure(filled, 13, 1, 0.5)
    by_hand = rollback(filled, 3)
    assert (by_hand.not_live, by_hand.not_in_run) == (0, 0)


def test_the_lock_of_the_exam_is_taken_for_a_rollback(filled: Store, dsn: str) -> None:
    run = save(filled)
    with (
        closing(open_store(dsn)) as other,
        other.exam_lock("E"),
        pytest.raises(RefusedError, match="is held "),
    ):
        filled.restore_k(run, record=record(command="rollback"))


def test_the_run_whose_k_are_in_force_is_found(filled: Store, dsn: str) -> None:
    assert filled.ledger.in_force("E") is None
    first = save(filled)
    assert filled.ledger.in_force("F") is None
    second = save(filled, np.array([0.2, 0.25, 0.125]))
    for expected in (second, first):
        found = filled.ledger.in_force("E")
        assert found is not None
        assert found.run == expected.run
        if expected is second:
            filled.restore_k(second, record=record(command="rollback"))
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.9")
    assert filled.ledger.in_force("E") is None


def test_history_is_newest_first_by_exam_and_counted(filled: Store) -> None:
    for exam in ("E", "F", "E"):
        filled.ledger.record(record(exam=exam, outcome="dry"))
    runs, count = filled.ledger.history(None, 2)
    assert ([run.run for run in runs], count) == ([3, 2], 3)
    runs, count = filled.ledger.history("E", 10)
    assert ([run.run for run in runs], count) == ([3, 1], 2)
    assert runs[0].history == []
    assert filled.ledger.run(4) is None


def test_a_history_of_ten_thousand_runs_is_quick(filled: Store, dsn: str) -> None:
    cells = (
        "'calibrate', 'E', '2026-01-31 22:15:00+00:00', '2026-01-31 22:15:02+00:00', 'anna',"
        " 'night', '0.1.0', '{}', '[]', '{}', 'dry', ''"
    )
    execute(
        dsn,
        "INSERT INTO shsim_run (command, exam, started, finished, os_user, host, version,"  # noqa: S608
        " settings, history, measures, outcome, message)"
        f" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        f" SELECT {cells} FROM n",
    )
    filled.ledger.history("E", 1)
    began = time.perf_counter()
    runs, count = filled.ledger.history("E", 20)
    assert time.perf_counter() - began < 0.25
    assert (len(runs), count) == (20, 10_000)


def test_a_number_beyond_every_ledger_is_just_unknown(filled: Store) -> None:
    assert filled.ledger.run(2**62) is None


def test_concurrent_records_get_numbers_of_their_own(filled: Store, dsn: str) -> None:
    def work() -> None:
        with closing(open_store(dsn)) as store:
            store.ledger.record(record(outcome="dry"))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs, count = filled.ledger.history(None, 10)
    assert (count, len({run.run for run in runs})) == (6, 6)


@pytest.mark.parametrize("lose_answer", [True, False])
def test_a_commit_cut_off_is_recorded_once(filled_dsn: str, *, lose_answer: bool) -> None:
    with cutting_proxy(filled_dsn) as (proxy, through), closing(open_store(through)) as store:
        pool = store.load_pool("E")
        with store.exam_lock("E"):
            proxy.cuts, proxy.lose_answer = 1, lose_answer
            outcome = store.save_k(pool, pool.k, record=record())
        assert proxy.cuts == 0
        proxy.cuts = 1
        store.ledger.record(record(outcome="dry"))
    assert query(filled_dsn, "SELECT id, outcome FROM shsim_run ORDER BY id")[0] == (
        outcome.run,
        "saved",
    )
    assert query(filled_dsn, RUNS) == [(2,)]
    assert query(filled_dsn, "SELECT count(*), min(run) FROM shsim_run_item") == [(3, outcome.run)]


def test_the_ledger_keeps_no_password(filled_dsn: str) -> None:
    secret = "s3cret-of-the-ledger"  # noqa: S105
    with closing(open_store(f"{filled_dsn} password={secret}")) as store:
        run = store.ledger.record(record(outcome="failed", message=f"fault with {secret} in it"))
        assert recorded(store, run).message == "fault with *** in it"
