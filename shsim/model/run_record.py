"""A run as the ledger keeps it: written by workflow, read by report and storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from shsim.arrays import BoolArray, FloatArray, IntArray

#: `saved`: its k were written. `dry`: it was to write none. `refused`: a rule of ours
#: forbade the save. `failed`: a fault ended it. `interrupted`: the operator did.
Outcome = Literal["saved", "dry", "refused", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is known of a run when it ends; no password is ever part of it.

    Attributes
    ----------
    command, exam
        What ran, on what.
    started, finished
        In UTC.
    os_user, host, version
        Who ran it where (of a server's run: for whom), and the shsim that ran.
    settings
        Everything that changes the answer, as plain values.
    seed, rejection, ability, tau
        Of the settings, for whoever looks with SQL; None where there is none.
    fingerprint, start
        Of the items (:attr:`ItemPool.fingerprint`), and of the k that the run started from.
    history, measures
        As plain values.
    outcome, message
        How it ended, and why.
    """

    command: str
    exam: str
    started: datetime
    finished: datetime
    os_user: str
    host: str
    version: str
    settings: Mapping[str, Any]
    seed: int | None = None
    fingerprint: str | None = None
    start: str | None = None
    rejection: str | None = None
    ability: str | None = None
    tau: float | None = None
    history: Sequence[Mapping[str, Any]] = ()
    measures: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun(RunRecord):
    """A run read back: with its number, and the user that the database knew it by."""

    run: int
    database_user: str | None

    def named(self, exam: str) -> str:
        """Its number, with its exam where that is not the one that is spoken of."""
        return f"run {self.run}" if self.exam == exam else f"run {self.run} of {self.exam}"

    @property
    def ended(self) -> str:
        """The outcome in a person's words: on record, ``dry`` is a run that had no k to save."""
        return "done" if self.outcome == "dry" else self.outcome

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished - self.started).total_seconds()

    @property
    def largest(self) -> float | None:
        """The largest exposure rate that its verification saw."""
        value = self.measures.get("verification", {}).get("max_exposure")
        return None if value is None else float(value)

    @property
    def held(self) -> bool | None:
        """Whether the cap was held."""
        value = self.measures.get("verdict", {}).get("held")
        return None if value is None else bool(value)

    @property
    def saved_items(self) -> int | None:
        """How many items it saved k of; None where it saved none, or did not say."""
        value = self.measures.get("items")
        return value if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Makers:
    """The calibrations, of whatever exam, that made an exam's k in force.

    Attributes
    ----------
    shares
        Runs with how many of the k each made, the most first.
    of
        How many k were looked at: those below 1; where there are none, all.
    unread
        Why the ledger that there is could not be asked; None where it was, or there is none.
    """

    shares: tuple[tuple[RecordedRun, int], ...]
    of: int
    unread: str | None = None

    @property
    def first(self) -> RecordedRun | None:
        """The run that none made more than; None where all on record made no more than half.

        It may have made a small part: exams that were calibrated one by one may be one exam too.
        """
        made = sum(count for _, count in self.shares)
        return self.shares[0][0] if 2 * made > self.of else None

    @property
    def share(self) -> float | None:
        """The part of the k that the first run made; None where there is none."""
        return None if self.first is None else self.shares[0][1] / self.of


@dataclass(frozen=True, slots=True)
class UnreadableRun:
    """A run on record that is not what was written there; `message` says so, and the remedy."""

    run: int
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class RunItems:
    """The k that a saved run found and left, by item in order.

    Attributes
    ----------
    question_id, version
        The items, int64.
    before, after
        sh_p, float64; `before` is nan where none was stored, or where it was no number.
    absent
        Where no k was stored before, bool.
    """

    question_id: IntArray
    version: IntArray
    before: FloatArray
    after: FloatArray
    absent: BoolArray

    def __len__(self) -> int:
        return len(self.question_id)

    @property
    def changed(self) -> BoolArray:
        """Rows that the run inserted or changed, as a save counts them: none is not 1."""
        changed: BoolArray = self.absent | (self.before != self.after)
        return changed

    def item(self, i: int) -> str:
        """The item at position i as people write it: ``17/2``."""
        return f"{self.question_id[i]}/{self.version[i]}"


@dataclass(frozen=True, slots=True, eq=False)
class PastRun:
    """A run with what it did to each item."""

    run: RecordedRun
    items: RunItems


@dataclass(frozen=True, slots=True, eq=False)
class Rollback:
    """A run undone, or (`changed` None) what undoing it would do.

    Attributes
    ----------
    undone
        The run whose k before are put back.
    items
        k before and after the rollback.
    were_absent
        Items that had no sh_p before that run, and have 1 now.
    not_live
        Items of the run that its exam does not publish any more, in that version.
    not_in_run
        Live items of the exam that the run did not know: their k stay as they are.
    changed, unchanged
        Rows of k that the rollback changed, and that stood so already.
    run
        The rollback's own number in the ledger.
    warning
        What the database said of its COMMIT, beside that it stands.
    """

    undone: RecordedRun
    items: RunItems
    were_absent: int
    not_live: int = 0
    not_in_run: int = 0
    changed: int | None = None
    unchanged: int | None = None
    run: int | None = None
    warning: str | None = None
