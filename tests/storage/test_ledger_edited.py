"""A ledger that hands have been at: nothing is mixed up, and no run stops for an old record."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta

import numpy as np
import pytest
from storage.databases import execute, item_rows, query
from storage.records import BEGUN, record

from shsim.errors import DamagedError, DatabaseError, DataError
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import DeliverySettings
from shsim.model.run_record import UnreadableRun
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.storage.base import Store
from shsim.storage.open import open_store
from shsim.workflow.modes import warn_of_another_mode
from shsim.workflow.past_runs import recall, rollback, settings_to_repeat
from shsim.workflow.provenance import recorded_settings
from shsim.workflow.single_item import set_exposure
from shsim.workflow.watch import Watch

NORMAL = AbilityDistribution.normal(0, 1)
K = np.array([0.1, 1 / 3, 1.0])


def save(store: Store) -> int:
    run = store.save_k(store.load_pool("E"), K, record=record()).run
    assert run is not None
    return run


def test_a_number_is_not_given_out_over_the_k_of_another_run(filled: Store, dsn: str) -> None:
    run = save(filled)
    execute(dsn, f"DELETE FROM shsim_run WHERE id = {run}")  # noqa: S608
    if dsn.startswith("sqlite"):
        execute(dsn, "DELETE FROM sqlite_sequence WHERE name = 'shsim_run'")
    else:
        execute(dsn, "ALTER TABLE shsim_run ALTER COLUMN id RESTART WITH 1")
    before = item_rows(dsn)
    with pytest.raises(DatabaseError, match="Clear shsim_run_item of run 1,"):
        filled.save_k(filled.load_pool("E"), K[::-1].copy(), record=record())
    assert item_rows(dsn) == before
    assert query(dsn, "SELECT count(*) FROM shsim_run") == [(0,)]


def test_numbers_that_are_behind_their_rows_are_gone_on_from(
    filled_postgres: Store, filled_dsn: str
) -> None:
    """As where rows came out of a dump of their own; here one number below them is free, too."""
    saved = [save(filled_postgres) for _ in range(3)]
    assert saved == [1, 2, 3]
    execute(filled_dsn, "DELETE FROM shsim_run_item WHERE run = 2")
    execute(filled_dsn, "DELETE FROM shsim_run WHERE id = 2")
    execute(filled_dsn, "ALTER TABLE shsim_run ALTER COLUMN id RESTART WITH 1")
    for run in (4, 5, 6):
        began = BEGUN + timedelta(hours=run)
        entry = record(started=began, finished=began)
        outcome = filled_postgres.save_k(filled_postgres.load_pool("E"), K, record=entry)
        assert outcome.run == run
    assert len(filled_postgres.ledger.items(6)) == 3


def test_the_last_number_of_all_is_no_full_disk(filled: Store, dsn: str) -> None:
    assert save(filled) == 1
    columns = (
        "command, exam, started, finished, os_user, host, version, settings, history, measures,"
        " outcome, message"
    )
    overriding = "" if dsn.startswith("sqlite") else "OVERRIDING SYSTEM VALUE"
    execute(
        dsn,
        f"INSERT INTO shsim_run (id, {columns}) {overriding}"  # noqa: S608
        f" SELECT {2**63 - 1}, {columns} FROM shsim_run",
    )
    before = item_rows(dsn)
    began = BEGUN + timedelta(hours=1)
    with pytest.raises(DatabaseError, match=r"the last number that a run can have .* is taken"):
        filled.save_k(filled.load_pool("E"), K, record=record(started=began, finished=began))
    assert item_rows(dsn) == before


def test_numbers_that_are_used_up_are_no_value_of_no_sense(
    filled_postgres: Store, filled_dsn: str
) -> None:
    execute(filled_dsn, f"ALTER TABLE shsim_run ALTER COLUMN id RESTART WITH {2**63 - 1}")
    assert save(filled_postgres) == 2**63 - 1
    with pytest.raises(DatabaseError, match=r"the last number that a run can have .*setval"):
        save(filled_postgres)


def test_a_run_whose_k_are_gone_is_not_rolled_back(filled: Store, dsn: str) -> None:
    run = save(filled)
    execute(dsn, "DELETE FROM shsim_run_item")
    before = item_rows(dsn)
    with pytest.raises(DataError, match="none of them is on record any more"):
        rollback(filled, run)
    assert item_rows(dsn) == before


def test_a_run_of_whose_k_some_are_gone_is_not_rolled_back(filled: Store, dsn: str) -> None:
    set_exposure(filled, 11, 1, 0.75)
    filled.save_k(filled.load_pool("E"), K, record=record(measures={"items": 3}))
    rollback(filled, 2)
    execute(dsn, "DELETE FROM shsim_run_item WHERE question_id = 12")
    before = item_rows(dsn)
    for run, force in ((2, False), (2, True), (3, False)):
        with pytest.raises(DataError, match=f"run {run} saved k of 3 items, and 2 are on record"):
            rollback(filled, run, force=force)
    assert item_rows(dsn) == before
    assert rollback(filled, 1, force=True).changed == 1


@pytest.mark.parametrize("settings", ["{", "[" * 100_000], ids=["cut off", "deep"])
def test_an_old_record_that_cannot_be_read_is_warned_of(
    filled: Store, dsn: str, settings: str
) -> None:
    run = save(filled)
    execute(dsn, f"UPDATE shsim_run SET settings = '{settings}'")  # noqa: S608
    warned: list[str] = []

    class Listening(Watch):
        def warn(self, text: str) -> None:
            warned.append(text)

    warn_of_another_mode(
        filled,
        "E",
        SimulationSettings(delivery=DeliverySettings(theta=NORMAL, seed=1)),
        Listening(),
        replaces=True,
    )
    (said,) = warned
    assert f"run {run} of the ledger cannot be read" in said


@pytest.mark.parametrize(
    "edit",
    [
        "started = '0044-01-01 BC'",
        "finished = 'infinity'",
        "finished = '294276-01-01'",
        "tau = 'NaN'",
        "tau = '-Infinity'",
        """measures = '{"verdict": {"held": 1}}'""",
        """history = '[7]'""",
    ],
)
def test_one_odd_row_leaves_the_others_of_the_list(
    filled_postgres: Store, filled_dsn: str, edit: str
) -> None:
    saved = [save(filled_postgres) for _ in range(3)]
    execute(filled_dsn, f"UPDATE shsim_run SET {edit} WHERE id = 2")  # noqa: S608
    runs, count = filled_postgres.ledger.history(None, 5)
    assert count == 3
    assert [run.run for run in runs] == saved[::-1]
    column = edit.partition(" ")[0]
    if column != "history":  # which a list is without
        (odd,) = [run for run in runs if isinstance(run, UnreadableRun)]
        assert odd.message.startswith(f"run 2 of the ledger cannot be read: {column} in shsim_run")
    with pytest.raises(DamagedError, match=f"run 2 of the ledger cannot be read: {column} in"):
        filled_postgres.ledger.run(2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("tau", '"x"'), ("n", "null"), ("theta", "7"), ("length", "[]"), ("method", '"magic"')],
)
def test_settings_that_nobody_wrote_are_not_repeated(
    filled: Store, dsn: str, name: str, value: str
) -> None:
    settings = CalibrationSettings.make(delivery=DeliverySettings(theta=NORMAL, seed=1), tau=0.2)
    plain = {**recorded_settings(settings), name: json.loads(value)}
    filled.save_k(filled.load_pool("E"), K, record=record(settings=plain))
    with pytest.raises(DataError, match=rf"run 1 cannot be repeated: .*settings\) {name} is not"):
        settings_to_repeat(recall(filled, 1))
    filled.save_k(filled.load_pool("E"), K, record=record(settings=recorded_settings(settings)))
    repeated = settings_to_repeat(recall(filled, 2))
    assert recorded_settings(repeated) == recorded_settings(settings)


def test_a_dry_run_tells_the_k_in_force_as_the_column_keeps_them(filled_dsn: str) -> None:
    execute(filled_dsn, "ALTER TABLE item_exposure_control ALTER sh_p TYPE real")
    execute(filled_dsn, "UPDATE item_exposure_control SET sh_p = 0.7")
    with closing(open_store(filled_dsn)) as store:
        run = save(store)
        rollback(store, run)
        assert not rollback(store, run, force=True, dry_run=True).items.changed.any()
        execute(filled_dsn, "UPDATE item_exposure_control SET sh_p = 0.9 WHERE question_id = 11")
        planned = rollback(store, run, force=True, dry_run=True).items
        done = rollback(store, run, force=True).items
    assert planned.before.tolist() == done.before.tolist()
    assert planned.changed.tolist() == done.changed.tolist() == [True, False, False]
