"""Looking runs up in the ledger, undoing one, and what one is repeated from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace

import numpy as np

from shsim import __version__
from shsim.arrays import BoolArray
from shsim.errors import (
    DamagedError,
    DatabaseError,
    DataError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from shsim.model.ability import AbilityDistribution
from shsim.model.item_pool import ItemPool
from shsim.model.run_record import PastRun, RecordedRun, Rollback, RunItems
from shsim.model.settings import CalibrationSettings
from shsim.model.stored_settings import calibration_settings
from shsim.storage.ability_file import read_ability
from shsim.storage.base import Store
from shsim.storage.exam_names import named, no_items
from shsim.storage.saved_k import no_k_words
from shsim.workflow.provenance import DIGEST, FORCE, Entry, on_record
from shsim.workflow.watch import SILENT, Watch, patience_of, warn_of_commit

#: What is said of an empty ledger.
NO_RUN = "No run is on record yet."

#: No ledger has a number beyond this, and neither database could compare it.
_LARGEST_NUMBER = 2**63 - 1


def recorded_run(store: Store, number: int) -> RecordedRun:
    """A run by its number, without its items.

    Raises
    ------
    NotFoundError
        The ledger holds no such run.
    """
    run = store.ledger.run(number) if 0 < number <= _LARGEST_NUMBER else None
    if run is None:
        raise NotFoundError(
            f"run {number} is unknown in {store.label}. See which there are: shsim history"
        )
    return run


def recall(store: Store, number: int) -> PastRun:
    """A run with its items.

    Raises
    ------
    NotFoundError
        The ledger holds no such run.
    """
    return PastRun(recorded_run(store, number), store.ledger.items(number))


def none_of_exam(store: Store, exam: str) -> str:
    """What is said of an exam that has no run on record.

    Raises
    ------
    NotFoundError
        The database does not know it either.
    """
    recorded = store.ledger.exams()
    try:
        exams = store.exams()
    except DamagedError:
        raise
    except DatabaseError:  # a role may be let into the ledger alone
        exams = {exam: 0}
    if exam not in exams:
        raise no_items(exam, store.label, {**dict.fromkeys(recorded, 0), **exams})
    if not recorded:
        return NO_RUN
    return f"No run of {exam} is on record. Exams that have runs: {named(recorded)}."


def rollback(
    store: Store,
    number: int,
    *,
    force: bool = False,
    dry_run: bool = False,
    wait: float | None = None,
    watch: Watch = SILENT,
) -> Rollback:
    """Put the k before a run back for all its items, or say what that would do.

    `wait` is how many seconds to wait for another run that has the exam.

    The rollback is a run of its own, and can be rolled back.

    Raises
    ------
    DataError
        There is no such run, it saved nothing, or what it found was no k.
    RefusedError
        k in force are no longer what the run left (unless `force`).
    """
    past = recall(store, number)
    undone, items = past.run, past.items
    if undone.outcome != "saved":
        raise DataError(
            f"run {number} saved no k ({undone.command}, {undone.ended}):"
            " there is nothing to roll back."
        )
    _require_k(undone, items)
    patience = patience_of(wait, watch)
    with nullcontext() if dry_run else store.exam_lock(undone.exam, patience):
        for other, count in store.shared_exams(undone.exam).items():
            watch.note(
                f"{count} items of {undone.exam} are published in {other} too:"
                " their sh_p serves both exams."
            )
        planned = _planned(store, past, force=force)
        plan = Rollback(undone, planned, int(items.absent.sum()), *_republished(store, past))
        if dry_run:
            said = None if force else store.ledger.moved_on(number)
            if said is not None:
                raise RefusedError(said)
            return plan
        entry = Entry(
            store=store,
            watch=watch,
            command="rollback",
            exam=undone.exam,
            settings={"rollback_of": number, "force": force},
        )
        with on_record(entry, dry_run=False):
            saved = store.restore_k(undone, force=force, record=entry.to_be_saved(len(items)))
            entry.open = False
            warn_of_commit(saved, watch)
    return replace(
        plan,
        items=_written(store, saved.run, planned),
        changed=saved.changed,
        unchanged=saved.unchanged,
        run=saved.run,
        warning=saved.warning,
    )


def _planned(store: Store, past: PastRun, *, force: bool) -> RunItems:
    """What a rollback would do to each item."""
    items = past.items
    if force:
        return store.ledger.items_to_restore(past.run.run)
    # Where other k than the run's are in force it is refused, and they need not be read.
    none_absent = np.zeros(len(items), dtype=np.bool_)
    restored = np.where(items.absent, 1.0, items.before)
    return RunItems(items.question_id, items.version, items.after, restored, none_absent)


def _written(store: Store, run: int | None, planned: RunItems) -> RunItems:
    """What a rollback did, from the record of it, or as planned where that cannot be had.

    It stands by now: a database that goes at this moment is no fault of the rollback's.
    """
    with suppress(DatabaseError):
        return planned if run is None else store.ledger.items(run)
    return planned


def _republished(store: Store, past: PastRun) -> tuple[int, int]:
    """Items that are not live any more, and live ones that the run did not know."""
    live, of_run = store.ledger.still_live(past.run.run, past.run.exam)
    size = len(past.items)
    # A k set by hand is of one item, and was never about the others.
    return size - of_run, live - of_run if size > 1 else 0


def _require_k(run: RecordedRun, items: RunItems) -> None:
    """Refuse a record that has no k to put back: its save was forced, or it is damaged."""
    if not len(items):
        raise DataError(
            f"run {run.run} saved k, and none of them is on record any more: the rows of"
            " shsim_run_item are gone. Nothing was rolled back: restore them from a backup, or"
            " import a table of k."
        )
    if run.saved_items not in (None, len(items)):
        raise DataError(
            f"run {run.run} saved k of {run.saved_items:,} items, and {len(items):,} are on record:"
            " rows of shsim_run_item are gone, or are another run's. Nothing was rolled back:"
            " restore them from a backup, or import a table of k."
        )
    bad = np.flatnonzero(_no_k(items))
    if len(bad):
        raise DataError(
            [no_k_words(run.run, items.item(i), f"{items.before[i]:.6g}") for i in bad.tolist()]
        )


def _no_k(items: RunItems) -> BoolArray:
    """Where the k before is none: a save that was forced wrote over it, or a hand put it there."""
    good: BoolArray = items.absent | ((items.before >= 0) & (items.before <= 1))
    return ~good


def settings_to_repeat(past: PastRun) -> CalibrationSettings:
    """The settings of a calibration on record.

    Raises
    ------
    DataError
        The run was no calibration, or its settings cannot be had again.
    """
    return settings_of(past.run)


def settings_of(run: RecordedRun) -> CalibrationSettings:
    """The settings of a calibration on record; errors as :func:`settings_to_repeat`."""
    if run.command != "calibrate":
        raise DataError(f"run {run.run} was no calibration ({run.command}): it cannot be repeated.")
    plain = {
        name: value
        for name, value in run.settings.items()
        if not name.endswith(DIGEST) and name != FORCE  # whoever repeats it says anew what to force
    }

    def read(spelling: str, option: str) -> AbilityDistribution:
        try:
            found = read_ability(spelling, option)
        except UsageError as error:  # nobody typed it: it stands in the ledger
            raise DataError(str(error)) from error
        recorded = run.settings.get(option + DIGEST)
        if recorded is not None and recorded != found.digest:
            raise DataError(
                f"{spelling} holds other abilities than when run {run.run} read it."
                " Restore the file, or calibrate anew without --from-run."
            )
        return found

    try:
        return calibration_settings(plain, read)
    except TypeError as error:
        raise DataError(
            f"run {run.run} cannot be repeated: in its settings on record (shsim_run.settings)"
            f" {error} is not what was written there. Calibrate anew, without --from-run."
        ) from error
    except ValueError as error:
        raise DataError(
            f"run {run.run} is of shsim {run.version} and cannot be repeated by {__version__}:"
            f" one of them has no setting {error}."
        ) from error


def start_to_repeat(past: PastRun) -> Callable[[ItemPool], ItemPool]:
    """From the pool as it is to the pool that a run started from: the same items, its k before.

    It raises `RefusedError` where the items are others, or those k are not to be had.
    """
    run, items = past.run, past.items

    def start(pool: ItemPool) -> ItemPool:
        if pool.fingerprint != run.fingerprint:
            raise RefusedError(
                f"{pool.name} is not the pool that run {run.run} had: its fingerprint is"
                f" {pool.fingerprint[:16]}, and was {(run.fingerprint or '')[:16]}. Items,"
                " versions, topics or parameters have changed. Calibrate anew, without --from-run."
            )
        if pool.k_fingerprint == run.start:
            return pool
        before = _as_before(pool, items)
        if before.k_fingerprint != run.start:
            raise RefusedError(
                f"the k that run {run.run} ({run.ended}) started from are neither in force nor on"
                " record, so that it cannot be repeated."
            )
        return before

    return start


def _as_before(pool: ItemPool, items: RunItems) -> ItemPool:
    """The pool with the k before, or as it is where they are not to be had.

    Where none was stored, 1 is what that meant.
    """
    if len(items) != len(pool) or _no_k(items).any():
        return pool
    return pool.with_k(np.where(items.absent, 1.0, items.before))


def same_version(run: RecordedRun) -> bool:
    """Whether this program is the one that ran."""
    return run.version == __version__
