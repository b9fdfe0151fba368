"""The time over which an audit counts: since a date or a run, until now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shsim.errors import DataError, UsageError
from shsim.model.audit import AuditSettings
from shsim.model.run_record import RecordedRun
from shsim.storage.base import Store
from shsim.workflow.past_runs import recall
from shsim.workflow.watch import Watch


@dataclass(frozen=True, slots=True)
class Window:
    """From when to before when, and the run that it begins with."""

    since: datetime
    until: datetime
    run: int | None


def audit_window(store: Store, exam: str, asked: AuditSettings, watch: Watch) -> Window:
    """The window that was asked for; whoever watches is told what is odd about it.

    Raises
    ------
    UsageError
        It begins in the future.
    DataError
        No run on record can begin it, or the run is unknown, another exam's, or saved nothing.
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
        first = _first_run(store, exam, asked.since_run)
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


def _first_run(store: Store, exam: str, asked: int | None) -> RecordedRun:
    """The run that the window begins with: the one asked for, or the newest that saved k.

    A change of one item by hand begins none: all other attempts still tell.
    """
    newest = store.ledger.newest_saved(exam, whole=True) if asked is None else None
    run = newest if asked is None else recall(store, asked).run
    if run is None:
        raise DataError(
            f"no run on record saved k of {exam}, so that there is nothing to count from."
            " Say from when: --since 2026-01-31"
        )
    if run.exam != exam or run.outcome != "saved":
        raise DataError(
            f"run {run.run} ({run.command} of {run.exam}, {run.ended}) saved no k of {exam}."
            f" See which did: shsim history --exam {exam}"
        )
    return run
