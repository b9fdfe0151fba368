"""The time over which an audit counts: since a date or a run, until now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shsim.errors import DataError, UsageError
from shsim.model.audit import AuditSettings
from shsim.model.run_record import Makers, RecordedRun
from shsim.storage.base import Store
from shsim.workflow.past_runs import recall
from shsim.workflow.watch import Watch


@dataclass(frozen=True, slots=True)
class Window:
    """From when to before when, and the run that it begins with."""

    since: datetime
    until: datetime
    run: int | None


def audit_window(
    store: Store, exam: str, asked: AuditSettings, makers: Makers, watch: Watch
) -> Window:
    """The window that was asked for; whoever watches is told what is odd about it.

    Raises
    ------
    UsageError
        It begins in the future.
    DataError
        No run on record can begin it, or the run is unknown, another exam's that is not known
        to have made k in force, or saved nothing.
    """
    now = datetime.now(UTC)
    if asked.since is not None and asked.since > now:
        raise UsageError(
            f"--since {asked.since.isoformat()} is in the future: nothing is to be counted yet."
        )
    newest = store.ledger.newest_saved(exam)
    if asked.since is not None:
        since, run = asked.since, None
    else:
        first = _first_run(store, exam, asked.since_run, makers)
        since, run = first.finished, first.run
    if run is not None and since > now:
        watch.warn(
            f"run {run} ended on {since:%Y-%m-%d %H:%M} UTC, in the future by this clock: no"
            " attempt is counted until then. Set the clock right, or say from when: --since DATE"
        )
    if newest is not None and newest.finished > since and newest.run != run:
        remedy = f" --since-run {newest.run} leaves them out." if newest.finished <= now else ""
        what = "1 k" if newest.saved_items == 1 else "the k"
        watch.warn(
            f"run {newest.run} changed {what} of {exam} on {newest.finished:%Y-%m-%d %H:%M} UTC:"
            f" attempts before it were made under other k than the prediction.{remedy}"
        )
    until = now.replace(microsecond=0) + timedelta(seconds=1)
    # Another host's clock may be ahead of ours.
    return Window(since, max(since, until), run)


def since_the_end_of(finished: datetime) -> str | None:
    """The option that counts attempts after a run alone; None where its end is in the future."""
    if finished > datetime.now(UTC):
        return None
    after = finished.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return f"--since {after:%Y-%m-%dT%H:%M:%SZ}"


def _first_run(store: Store, exam: str, asked: int | None, makers: Makers) -> RecordedRun:
    """The run that the window begins with: the one asked for, or the newest that saved k.

    A change of one item by hand begins none: all other attempts still tell. An exam that was never
    calibrated may have k that another exam's run made: they are in force since that one.
    """
    if asked is not None:
        return _asked_for(store, exam, asked, makers)
    run = store.ledger.newest_saved(exam, whole=True) or makers.first
    if run is None:
        raise DataError(
            f"no run of {exam} on record saved k, so that there is nothing to count from."
            " Say from when: --since 2026-01-31"
        )
    return run


def _asked_for(store: Store, exam: str, number: int, makers: Makers) -> RecordedRun:
    run = recall(store, number).run
    if run.outcome != "saved":
        raise DataError(
            f"run {run.run} ({run.command} of {run.exam}, {run.ended}) saved no k."
            f" See which did: shsim history --exam {exam}"
        )
    if run.exam != exam and all(run.run != maker.run for maker, _ in makers.shares):
        since = since_the_end_of(run.finished)
        remedy = "" if since is None else f" To count from its end all the same: {since}."
        raise DataError(
            f"run {run.run} ({run.command} of {run.exam}) is no run of {exam}, nor is it known to"
            f" have made its k in force.{remedy} See which are: shsim history --exam {exam}"
        )
    return run
