"""`audit`: live exposure against the cap and against what the k in force should give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import numpy as np

from shsim.arrays import BoolArray, FloatArray, IntArray
from shsim.errors import DatabaseError, DataError
from shsim.model.audit import (
    AuditResult,
    AuditSettings,
    ItemKey,
    LiveCounts,
    LiveProposals,
    LiveTests,
)
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.settings import DEFAULT_SIMULATE_N
from shsim.report.live_acceptance import judge_acceptance
from shsim.report.live_exposure import estimated_tests, given_tests, judge_live
from shsim.report.live_verdict import live_verdict
from shsim.storage.base import Store
from shsim.workflow.audit_changes import warn_of_changes
from shsim.workflow.audit_source import predicting_settings, require_ledger
from shsim.workflow.audit_window import Window, audit_window
from shsim.workflow.run import load_checked
from shsim.workflow.simulate import simulate
from shsim.workflow.watch import SILENT, Watch

#: Simulated examinees for each live test, so that the prediction is the surer of the two; at most.
_TO_ONE = 4
_MOST_SIMULATED = 1_000_000


class ProposalCounts(Protocol):
    """Where a live selector counts what it proposes; the QBank tables don't."""

    def proposals(
        self, items: Sequence[ItemKey], since: datetime, until: datetime
    ) -> Mapping[tuple[date, ItemKey], int]:
        """Times each item was proposed, by UTC day, from that of `since` to that of `until`.

        Raises
        ------
        DatabaseError
            The counters are out of reach; the audit goes on without.
        """


def audit_exam(
    store: Store,
    exam: str,
    asked: AuditSettings,
    *,
    proposals: ProposalCounts | None = None,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> AuditResult:
    """Count an exam's live attempts and hold them against the cap and the prediction.

    Nothing is written, not even to the ledger: a replica will do.

    Raises
    ------
    UsageError
        What is to be counted from lies in the future.
    DataError
        Settings or data are bad, no run on record can begin the count, or the run is unknown,
        another exam's that is not known to have made k in force, or saved nothing.
    DatabaseError
        There is a ledger that cannot be read, and not all was given that it would tell.
    """
    loaded = store.load_pool(exam)  # refuses an exam that the ledger could not be asked for
    makers = store.ledger.makers(exam)
    require_ledger(store, makers, asked)
    made = makers.first
    settings = predicting_settings(exam, asked, makers, watch)
    pool = load_checked(lambda: loaded, settings)
    window = audit_window(store, exam, asked, makers, watch)
    warn_of_changes(store, exam, window, made, watch)
    live = store.live_counts(exam, window.since, window.until)
    _tell_undated(live.undated, watch)
    keys = pool.keys
    attempts = _by_item(keys, live.attempts)
    shared = np.array([key in live.elsewhere for key in keys], dtype=np.bool_)
    if asked.tests is not None:
        _require_enough(pool, attempts, ~shared, asked.tests)
    settings = replace(settings, n=_simulated(int(attempts.sum()), settings.delivery.length))
    predicted = simulate(pool, settings, threads=threads, watch=watch).exposure.rate
    unpublished, foreign = _astray(live, set(keys))
    tests = _tests(
        asked, settings.delivery, predicted, ~shared, attempts, _former(pool, shared, unpublished)
    )
    limit = settings.tau, settings.tol
    exposure = judge_live(attempts, ~shared, predicted, settings.n, tests, limit)
    held, sentence = live_verdict(pool, exposure, ~shared, tests, limit)
    proposed = None
    if proposals is not None:
        proposed = _proposed(store, pool, window, live, proposals, watch)
    return AuditResult(
        pool=pool,
        settings=settings,
        predicted=predicted,
        made_by=None if made is None else made.run,
        made_by_exam=None if made is None else made.exam,
        made_share=makers.share,
        length_given=asked.length is not None and settings.delivery.se_stop is None,
        since_run=window.run,
        since=window.since,
        until=window.until,
        tests=tests,
        attempts=attempts,
        live=exposure,
        shared=shared,
        unpublished=unpublished,
        foreign=foreign,
        later=live.later,
        undated=live.undated,
        proposed=proposed,
        counters=proposals is not None,
        held=held,
        sentence=sentence,
    )


def _tell_undated(undated: int, watch: Watch) -> None:
    if undated:
        subject = "1 attempt in user_responses was left out, since its"
        if undated > 1:
            subject = f"{undated:,} attempts in user_responses were left out, since their"
        watch.warn(f"{subject} created_at is no moment. Write it as 2026-01-31 06:00:00.")


def _proposed(
    store: Store,
    pool: ItemPool,
    window: Window,
    live: LiveCounts,
    counts: ProposalCounts,
    watch: Watch,
) -> LiveProposals | None:
    """Live proposals and attempts over the window's whole days: the counters know no hours."""
    midnight = window.since.replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight if midnight == window.since else midnight + timedelta(days=1)
    if since >= window.until:
        watch.warn(
            "live proposals are counted by whole UTC days, and none has begun since"
            f" {window.since:%Y-%m-%d %H:%M}: the audit goes on without them."
        )
        return None
    keys = pool.keys
    try:
        counted = counts.proposals(keys, since, window.until)
    except DatabaseError as error:
        watch.warn(f"the audit goes on without live proposals. {error}")
        return None
    since = _counted_from(counted, since, watch)
    if since >= window.until:
        return None
    if since != window.since:
        live = store.live_counts(pool.name, since, window.until)
    totals = dict.fromkeys(keys, 0)
    for (day, item), count in counted.items():
        if item in totals and day >= since.date():
            totals[item] += count
    return judge_acceptance(since, _by_item(keys, totals), _by_item(keys, live.attempts), pool.k)


def _counted_from(
    counted: Mapping[tuple[date, ItemKey], int], since: datetime, watch: Watch
) -> datetime:
    """The first whole day of counting, which may have begun, at some hour, after `since`.

    Attempts of the days before have no proposals beside them, and would pass for acceptance.
    """
    began = min((day for (day, _), count in counted.items() if count), default=since.date())
    if began == since.date():
        return since
    watch.note(
        f"no proposal is on count before {began:%Y-%m-%d}, and that day's may lack its first hours:"
        " acceptance is judged from the day after on."
    )
    return datetime(began.year, began.month, began.day, tzinfo=UTC) + timedelta(days=1)


def _by_item(keys: Sequence[ItemKey], counts: Mapping[ItemKey, int]) -> IntArray:
    return np.array([counts.get(key, 0) for key in keys], dtype=np.int64)


def _simulated(attempts: int, length: int) -> int:
    tests = attempts // max(length, 1)
    return min(max(_TO_ONE * tests, DEFAULT_SIMULATE_N), _MOST_SIMULATED)


def _require_enough(pool: ItemPool, attempts: IntArray, own: BoolArray, tests: int) -> None:
    """Refuse fewer tests than attempts on one item: a test holds an item once."""
    most = int(np.argmax(np.where(own, attempts, -1)))
    if own[most] and attempts[most] > tests:
        raise DataError(
            f"--tests {tests} is fewer than the {attempts[most]:,} attempts on item"
            f" {pool.item(most)}, and a test holds an item once. Correct it, or leave it out."
        )


def _astray(
    live: LiveCounts, published: set[ItemKey]
) -> tuple[tuple[tuple[ItemKey, int], ...], int]:
    """Attempts on items that the exam doesn't publish: those that nobody does, and the others."""
    strange = {key: count for key, count in live.attempts.items() if key not in published}
    nobodys = [(key, count) for key, count in strange.items() if key not in live.elsewhere]
    nobodys.sort(key=lambda pair: (-pair[1], pair[0]))
    return tuple(nobodys), sum(strange.values()) - sum(count for _, count in nobodys)


def _former(pool: ItemPool, shared: BoolArray, unpublished: tuple[tuple[ItemKey, int], ...]) -> int:
    """Attempts on other versions of the exam's own questions, which its tests will have held."""
    own = set(pool.question_id[~shared].tolist())
    return sum(count for (question, _), count in unpublished if question in own)


def _tests(
    asked: AuditSettings,
    delivery: DeliverySettings,
    predicted: FloatArray,
    own: BoolArray,
    attempts: IntArray,
    former: int,
) -> LiveTests:
    """How many tests the attempts make: those on the exam's own items, by what a test holds."""
    mean = float(predicted.sum())
    length = float(asked.length or (delivery.length if delivery.se_stop is None else mean))
    per_test = length if own.all() else length * float(predicted[own].sum()) / mean
    counted = int(attempts[own].sum()) + former
    if asked.tests is not None:
        return given_tests(asked.tests, counted, per_test)
    longest = max(float(delivery.length), length)
    most = int(attempts[own].max(initial=0))
    return estimated_tests(counted, most, per_test, longest)
