"""Whose settings an audit predicts by, in words that hold whatever part of the k a run made."""

from __future__ import annotations

from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pools import calibration
from storage.databases import execute, pool_of
from storage.records import record

from shsim.model.audit import AuditSettings
from shsim.model.run_record import Makers, RecordedRun
from shsim.model.settings import settings_as_dict
from shsim.report.audit_summary import audit_sentences
from shsim.storage.open import open_store
from shsim.workflow.audit import audit_exam
from shsim.workflow.audit_source import predicting_settings
from shsim.workflow.modes import made_otherwise
from shsim.workflow.watch import Silent

SETTINGS = settings_as_dict(calibration(length=2))
SINCE = datetime(2026, 1, 31, tzinfo=UTC)


class Listening(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warned.append(sentence)


def run(number: int, exam: str, **changed: Any) -> RecordedRun:
    entry = record(exam=exam, settings={**SETTINGS, **changed})
    known = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return RecordedRun(run=number, database_user=None, **known)


def warned(makers: Makers, **asked: Any) -> list[str]:
    watch = Listening()
    predicting_settings("E", AuditSettings(**asked), makers, watch)
    return watch.warned


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([10], "the k in force of E were made by run 1 of F"),
        ([9], "9 k in force of E were made by run 1 of F"),
        ([6, 1], "6 k in force of E were made by run 1 of F and 1 by run 2 of F"),
        (
            [3, 2, 1, 1, 1],
            ", 2 by run 2 of F, 1 by run 3 of F, 1 by run 4 of F and 1 by 1 other run",
        ),
        (
            [2, 2, 1, 1, 1, 2],
            ", 2 by run 2 of F, 1 by run 3 of F, 1 by run 4 of F and 3 by 2 other runs",
        ),
    ],
)
def test_each_run_is_named_with_what_it_made(counts: list[int], said: str) -> None:
    shares = tuple((run(number, "F"), count) for number, count in enumerate(counts, 1))
    (warning,) = warned(Makers(shares, 10))
    assert f"{said}, since the exams share items" in warning
    assert "the prediction is for the test of run 1 of F, and the cap is that run's" in warning


def test_a_run_for_another_test_is_named_once() -> None:
    shares = ((run(1, "F"), 6), (run(2, "G", rejection="examinee"), 4))
    ours, other = warned(Makers(shares, 10))
    assert ours.startswith("6 k in force of E were made by run 1 of F, since")
    assert other.startswith("4 k in force of E were made by run 2 of G for --rejection examinee")


def test_the_k_are_a_runs_where_it_made_all_of_them() -> None:
    for count, whole in ((10, "the"), (9, "9")):
        makers = Makers(((run(1, "F", length=3), count),), 10)
        (other,) = made_otherwise(makers, SETTINGS)
        said = f"{whole} k in force of E were made by run 1 of F for --len 3"
        assert other.said(makers, "E") == said


def test_what_was_given_is_not_called_the_default() -> None:
    default = "The prediction is for the default test, 30 items at the true theta, and the cap is"
    few = Makers(((run(1, "E"), 5),), 10)
    why = "runs on record made no more than half of the k in force of E"
    assert warned(few) == [f"{why}. {default} 0.2."]
    assert warned(few, tau=0.4) == [f"{why}. {default} 0.4, as given."]
    given = "The prediction is for a test of 25 items at the true theta, and the cap is 0.2."
    assert warned(few, length=25) == [f"{why}. {given}"]
    unread = warned(replace(few, shares=(), unread="its ledger may not be read"))
    assert unread[0].endswith(f" cannot be told: its ledger may not be read. {default} 0.2.")


def test_the_summary_says_what_part_the_run_made(tmp_path: Path) -> None:
    dsn = f"sqlite:///{tmp_path / 'qbank.sqlite'}"
    with closing(open_store(dsn)) as store:
        store.create_tables()
        pool = pool_of("E")
        store.import_pool(pool)
        store.save_k(pool, np.array([0.5, 0.6, 0.7]), record=record(settings=SETTINGS))

        def told(length: int | None = None) -> str:
            asked = AuditSettings(since=SINCE, length=length)
            (said,) = [
                each for each in audit_sentences(audit_exam(store, "E", asked))
                if "prediction" in each
            ]  # fmt: skip
            return said.partition("in force, with ")[2]

        assert told() == "the settings of run 1, which made them."
        assert told(1) == "the settings of run 1, which made them, and 1 item a test."
        execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.4 WHERE question_id = 11")
        assert told() == "the settings of run 1, which made most of them."
