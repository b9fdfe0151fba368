"""Live exposure beside the cap and the prediction: what `audit` finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from shsim.arrays import BoolArray, FloatArray, IntArray
from shsim.model.item_pool import ItemPool
from shsim.model.ranges import range_problems
from shsim.model.settings import SimulationSettings

#: An item as the tables know it: question and version.
ItemKey = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """What to audit; None: from the ledger, or the default.

    Attributes
    ----------
    since
        Attempts from then on, in UTC.
    since_run
        Attempts from when this run saved its k.
    tests
        How many tests there were; None: as many as the attempts make.
    length
        Items a live test.
    tau
        The cap to judge by.
    require_cap
        Whether the verdict is to be relied on, so that no default may stand in for what a ledger
        that cannot be read would tell.
    """

    since: datetime | None = None
    since_run: int | None = None
    tests: int | None = None
    length: int | None = None
    tau: float | None = None
    require_cap: bool = False

    def problems(self) -> Iterator[str]:
        """Values that no pool could make good."""
        if self.length is not None and self.length < 1:
            yield f"--len {self.length} is under 1. Give at least 1."
        yield from range_problems(self)


@dataclass(frozen=True, slots=True)
class LiveCounts:
    """What the tables know of live tests within a window.

    Attributes
    ----------
    attempts
        By item, whichever exam it was for: `user_responses` names none.
    elsewhere
        Those of the exam's items, and of those attempted, that other exams publish.
    later
        Attempts dated after the window, which is after now.
    undated
        Attempts of all time whose `created_at` is empty or no moment.
    """

    attempts: Mapping[ItemKey, int]
    elsewhere: frozenset[ItemKey]
    later: int
    undated: int


@dataclass(frozen=True, slots=True)
class LiveTests:
    """How many tests there were; `low` and `high` bound it where it is estimated.

    Attributes
    ----------
    n
        Given, or attempts by `per_test`.
    low, high
        Between which it lies but for a small share of the chance of a false alarm.
    attempts
        Attempts on the exam's own items, which it was estimated from.
    per_test
        Own items that a test is taken to hold.
    given
        Whether the operator gave it.
    """

    n: int
    low: int
    high: int
    attempts: int
    per_test: float
    given: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LiveExposure:
    """Live exposure by item; nan and False for items that are not judged.

    Attributes
    ----------
    rate, low, high
        Share of tests that held the item, with two-sided 95 % bounds.
    over
        Over the cap beyond noise, simultaneously over the items judged.
    drift
        1 where it is above the prediction beyond noise, -1 where it is below, else 0.
    visible_excess
        The relative excess over tau that would have shown; infinite where none could.
    """

    rate: FloatArray
    low: FloatArray
    high: FloatArray
    over: BoolArray
    drift: IntArray
    visible_excess: float

    @property
    def largest(self) -> float | None:
        """The largest rate; None where no item has one."""
        rates = self.rate[~np.isnan(self.rate)]
        return float(rates.max()) if rates.size else None


@dataclass(frozen=True, slots=True, eq=False)
class LiveProposals:
    """What a selector counted, by item of the pool; over whole UTC days.

    Attributes
    ----------
    since
        Midnight of the first whole day of the window.
    proposals
        Times the item was proposed.
    attempts
        Times it was attempted on these days.
    acceptance
        Attempts by proposal, nan where it was never proposed.
    off
        1 where that is above k beyond noise and tolerance, -1 where it is below, else 0.
    """

    since: datetime
    proposals: IntArray
    attempts: IntArray
    acceptance: FloatArray
    off: IntArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AuditResult:
    """Live exposure of an exam within [since, until).

    Attributes
    ----------
    pool, settings
        The items with the k in force, and the simulation that predicts.
    predicted
        Exposure rate that the k in force are expected to give.
    made_by, made_by_exam
        The run whose settings those are, and its exam; None: the defaults.
    made_share
        The part of the k in force that it made; None: the defaults.
    length_given
        Whether the test length is not the run's or the default, but the operator's.
    since_run
        The run that the window begins with.
    attempts
        By item of the pool.
    shared
        Items that other exams publish too: counted, and not judged.
    unpublished
        Items used that no exam publishes, with their attempts, the most used first.
    foreign
        Attempts on items that only other exams publish.
    later
        Attempts dated after now, left out.
    undated
        Attempts of no readable moment, left out.
    proposed
        Live proposals; None where nobody counts them, or no whole day has begun.
    counters
        Whether counters of proposals were asked for.
    held
        Whether no item is over beyond noise; None where nothing could be judged.
    sentence
        The verdict.
    """

    pool: ItemPool
    settings: SimulationSettings
    predicted: FloatArray
    made_by: int | None
    made_by_exam: str | None
    made_share: float | None
    length_given: bool
    since_run: int | None
    since: datetime
    until: datetime
    tests: LiveTests
    attempts: IntArray
    live: LiveExposure
    shared: BoolArray
    unpublished: tuple[tuple[ItemKey, int], ...]
    foreign: int
    later: int
    undated: int
    proposed: LiveProposals | None
    counters: bool
    held: bool | None
    sentence: str
