"""What changed k within the window of an audit, beside the exam's own runs."""

from __future__ import annotations

from datetime import datetime

from shsim.model.run_record import RecordedRun
from shsim.storage.base import Store
from shsim.storage.moved_on import OFF_RECORD
from shsim.workflow.audit_window import Window, since_the_end_of
from shsim.workflow.watch import Watch


def warn_of_changes(
    store: Store, exam: str, window: Window, made: RecordedRun | None, watch: Watch
) -> None:
    """Say that attempts of the window were made under other k than the prediction.

    Parameters
    ----------
    store, exam
        Whose k.
    window
        What is counted.
    made
        The run whose k are in force, for the most part; None: the newest that saved some is
        what they are held against.
    watch
        Is told.
    """
    if not store.ledger.state().readable:
        return
    base = made or store.ledger.newest_saved(exam)
    changes = store.ledger.changes
    count, number = changes.by_others(exam, window.since)
    last = None if number is None else store.ledger.run(number)
    if last is not None:
        watch.warn(
            f"{_counted(count, exam)} changed since {window.since:%Y-%m-%d %H:%M} UTC by runs"
            f" of other exams that publish the items too, last by run {last.run} ({last.command} of"
            f" {last.exam}): attempts before it were made under other k than the prediction."
            f"{_remedy(last.finished)}"
        )
    off_record = 0 if base is None else changes.off_record(base, exam, window.since)
    if base is not None and off_record:
        watch.warn(
            f"{_counted(off_record, exam)} changed after run {base.run}, and by no run on"
            f" record: {OFF_RECORD}. Attempts before that were made under other k than the"
            " prediction. Count from the moment of the change on: --since DATE"
        )


def _counted(count: int, exam: str) -> str:
    return f"1 k of {exam} was" if count == 1 else f"{count:,} k of {exam} were"


def _remedy(finished: datetime) -> str:
    """How to leave out what was before a run's end, unless that lies in the future."""
    since = since_the_end_of(finished)
    return "" if since is None else f" {since} leaves them out."
