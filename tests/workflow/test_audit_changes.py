"""What changed k within the window of an audit is told, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from storage.databases import POOL, execute, pool_of
from storage.records import record

from shsim.storage.base import Store
from shsim.workflow.audit_changes import warn_of_changes
from shsim.workflow.audit_window import Window
from shsim.workflow.watch import Silent

HOUR = timedelta(hours=1)
BY_HAND = "UPDATE item_exposure_control SET sh_p = 0.75 WHERE question_id = 12"


class Listening(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warned.append(sentence)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def calibrated(store: Store, now: datetime) -> Store:
    """E and F publish the same three items; an hour ago run 1 saved the k of E."""
    for exam in ("E", "F"):
        store.import_pool(pool_of(exam))
    calibrate(store, "E", [0.1, 0.2, 0.3], now - HOUR)
    return store


def calibrate(store: Store, exam: str, k: list[float], finished: datetime) -> None:
    entry = record(exam=exam, started=finished, finished=finished)
    store.save_k(store.load_pool(exam), np.array(k), record=entry)


def warned(store: Store, exam: str, since: datetime) -> list[str]:
    watch = Listening()
    window = Window(since, since + 9 * HOUR, None)
    warn_of_changes(store, exam, window, store.ledger.in_force(exam), watch)
    return watch.warned


def test_where_nothing_has_changed_nothing_is_said(calibrated: Store, now: datetime) -> None:
    assert warned(calibrated, "E", now - HOUR) == []


def test_another_exams_run_is_told(calibrated: Store, now: datetime) -> None:
    at = now.replace(microsecond=5) - HOUR / 2
    calibrate(calibrated, "F", [0.1, 0.6, 0.7], at)
    (said,) = warned(calibrated, "E", now - HOUR)
    assert said.startswith("2 k of E were changed since ")
    assert "last by run 2 (calibrate of F): attempts before it" in said
    after = at.replace(microsecond=0) + timedelta(seconds=1)
    assert said.endswith(f" --since {after:%Y-%m-%dT%H:%M:%SZ} leaves them out.")
    assert warned(calibrated, "E", after) == []
    changes = calibrated.ledger.changes
    assert [changes.since_run(run, exam) for run in (1, 2) for exam in "EF"] == [2, 2, 0, 0]


def test_a_run_dated_in_the_future_has_no_remedy(calibrated: Store, now: datetime) -> None:
    calibrate(calibrated, "F", [0.1, 0.2, 0.7], now + HOUR)
    (said,) = warned(calibrated, "E", now - HOUR)
    assert said.startswith("1 k of E was changed")
    assert "--since" not in said


@pytest.mark.parametrize("imported", [True, False])
def test_what_no_run_changed_is_told(
    calibrated: Store, dsn: str, now: datetime, *, imported: bool
) -> None:
    if imported:
        other = {**POOL, "k": np.array([0.1, 0.75, 0.3]), "k_stored": np.ones(3, dtype=np.bool_)}
        calibrated.import_pool(pool_of("E", other))
    else:
        execute(dsn, BY_HAND)
    (said,) = warned(calibrated, "E", now - HOUR)
    assert said.startswith(
        "1 k of E was changed after run 1, and by no run on record: by hand, by an import or by a"
        " run that was not recorded. Attempts before that"
    )
    assert "--since DATE" in said
    assert warned(calibrated, "E", now + HOUR) == []  # it is stamped as changed before
