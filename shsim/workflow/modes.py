"""Mode safety: a table of k is good for the test that it was made for, and for no other."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shsim.errors import BrokenFileError, DamagedError, DataError
from shsim.model.ability import number
from shsim.model.run_record import Makers, RecordedRun
from shsim.model.settings import Settings, settings_as_dict
from shsim.report.remedies import same_test
from shsim.report.verdict import JUDGE
from shsim.storage.base import Store
from shsim.workflow.past_runs import settings_of
from shsim.workflow.watch import Watch

#: Settings that say which test a table is for, with the options that set them.
_MODE = {
    "rejection": "--rejection",
    "ability": "--ability",
    "length": "--len",
    "se_stop": "--se-stop",
    "min_len": "--min-len",
    "blueprint": "--blueprint",
}


@dataclass(frozen=True, slots=True)
class OtherTest:
    """k in force that were made for another test: by which runs, how many, for what, against what.

    `theirs` and `mine` are the options that differ, as they are typed.
    """

    runs: tuple[RecordedRun, ...]
    count: int
    theirs: str
    mine: str

    def said(self, makers: Makers, exam: str) -> str:
        """Whose they are, and what for."""
        whole = "the" if self.count == makers.of else f"{self.count:,}"
        were = "was" if whole == "1" else "were"
        named = ", ".join(run.named(exam) for run in self.runs)
        return f"{whole} k in force of {exam} {were} made by {named} for {self.theirs}"


def made_otherwise(makers: Makers, ours: Mapping[str, Any]) -> list[OtherTest]:
    """The k in force that were made for another test than that of `ours`, a test at a time."""
    found: dict[tuple[str, str], OtherTest] = {}
    for run, count in makers.shares:
        theirs = run.settings
        names = [name for name in _MODE if name in theirs and theirs[name] != ours.get(name)]
        if names:
            words = " ".join(_spelled(name, theirs) for name in names)
            mine = " ".join(_spelled(name, ours) for name in names)
            known = found.get((words, mine), OtherTest((), 0, words, mine))
            found[words, mine] = replace(known, runs=(*known.runs, run), count=known.count + count)
    return list(found.values())


def warn_of_another_mode(
    store: Store, exam: str, settings: Settings, watch: Watch, *, replaces: bool
) -> str | None:
    """Say loudly where k in force were made for another test than this run's.

    Parameters
    ----------
    replaces
        Whether this run makes k of its own, for its own test.

    Returns
    -------
    str or None
        How to simulate the test that most were made for, where that is another one.

    Raises
    ------
    BrokenFileError
        A file that cannot be read whole, where this run would save k to it.
    """
    untold = f"which test the k in force of {exam} were made for cannot be told"
    try:
        makers = store.ledger.makers(exam)
    except DamagedError as error:  # an old record is no reason to leave the exam uncalibrated
        if replaces and isinstance(error, BrokenFileError):
            raise  # what is found could not be saved
        watch.warn(f"{untold}: {error}")
        return None
    if makers.unread is not None:
        watch.warn(f"{untold}: {makers.unread}")
    remedy = None
    for other in made_otherwise(makers, settings_as_dict(settings)):
        consequence = (
            "k hold the cap only in the test that they are made for: be sure which one is live."
            if replaces
            else "k hold the cap only in the test that they were made for."
        )
        if makers.first in other.runs:
            remedy = _judge_in_their_own(other.runs[0])
            if not replaces:
                typed = f"{JUDGE} --exam {shlex.quote(exam)}"
                consequence += f" {remedy.replace(JUDGE, typed, 1)}"
        watch.warn(f"{other.said(makers, exam)}, and this run is for {other.mine}. {consequence}")
    return remedy


def _judge_in_their_own(made: RecordedRun) -> str:
    """How k are judged in the test of the run that made them, to be pasted."""
    try:
        theirs = settings_of(made)
    except DataError:  # a calibration of another version, or abilities that have changed since
        theirs = None
    if theirs is None or theirs.delivery.blueprint is not None:  # its file's name is not on record
        return f"Judge them in that test; its settings: shsim show {made.run}"
    return f"{JUDGE} --tau {number(theirs.tau)} {same_test(theirs.delivery)}"


def _spelled(name: str, settings: Mapping[str, Any]) -> str:
    """A setting as the command line has it."""
    value = settings.get(name)
    if value is None:
        return f"no {_MODE[name]}"
    if name == "length" and settings.get("se_stop") is not None:
        return f"--max-len {value}"
    if name == "blueprint":
        topics = ", ".join(
            f"{topic}: {rule['least']} to {'any' if rule['most'] is None else rule['most']}"
            for topic, rule in value.items()
        )
        return f"--blueprint ({topics})"
    return f"{_MODE[name]} {value}"
