"""Setting the k of one item by hand, on record like any run."""

from __future__ import annotations

import time
from contextlib import ExitStack

from shsim.errors import DataError
from shsim.model.ability import number
from shsim.storage.base import SaveOutcome, Store
from shsim.workflow.provenance import Entry, on_record
from shsim.workflow.watch import SILENT, Watch, patience_of, warn_of_commit

#: Under which exam a change is recorded of an item that none publishes.
NO_EXAM = "-"


def require_probability(sh_p: float) -> None:
    """Refuse a k that is none, before a database is asked (`DataError`)."""
    if not 0 <= sh_p <= 1:
        raise DataError(f"sh_p = {number(sh_p)} is outside [0, 1].")


def set_exposure(
    store: Store,
    question_id: int,
    version: int,
    sh_p: float,
    *,
    wait: float = 0.0,
    watch: Watch = SILENT,
) -> SaveOutcome:
    """Write the k of one item, in one transaction with its record.

    While a run has an exam that publishes the item, that run's k would replace it, or be
    refused for it. The ledger has it under the first such exam.

    Parameters
    ----------
    store
        The database.
    question_id, version
        The item, published or not.
    sh_p
        k, in [0, 1].
    wait
        Seconds to wait for runs that have such an exam: another change by hand is over soon.
    watch
        Told of that, and why it is not recorded, if it is not.

    Raises
    ------
    DataError
        `sh_p` is no probability.
    NotFoundError
        There is no such item.
    ExamBusyError
        A run has an exam that publishes the item, and goes on.
    """
    require_probability(sh_p)
    exams = store.publishing_exams(question_id, version)
    until = time.monotonic() + wait
    with ExitStack() as locks:
        for exam in exams:
            patience = patience_of(max(until - time.monotonic(), 0.0), watch)
            locks.enter_context(store.exam_lock(exam, patience))
        entry = Entry(
            store=store,
            watch=watch,
            command="set",
            exam=exams[0] if exams else NO_EXAM,
            settings={"question_id": question_id, "version": version, "sh_p": sh_p},
        )
        with on_record(entry, dry_run=False):
            saved = store.save_item(
                entry.exam, (question_id, version), sh_p, record=entry.to_be_saved(1)
            )
            entry.open = False
            warn_of_commit(saved, watch)
    return saved
