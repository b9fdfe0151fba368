"""Mode safety: a table of k is good for the test that it was made for, and for no other."""

from __future__ import annotations

import shlex
from typing import Any

from shsim.errors import BrokenFileError, DamagedError, DataError
from shsim.model.ability import number
from shsim.model.run_record import RecordedRun
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


def warn_of_another_mode(
    store: Store, exam: str, settings: Settings, watch: Watch, *, replaces: bool
) -> str | None:
    """Say loudly where the k in force were made for another test than this run's.

    Parameters
    ----------
    replaces
        Whether this run makes k of its own, for its own test.

    Returns
    -------
    str or None
        How to simulate the test that they were made for, where that is another one.

    Raises
    ------
    BrokenFileError
        A file that cannot be read whole, where this run would save k to it.
    """
    try:
        made = store.ledger.in_force(exam)
    except DamagedError as error:  # an old record is no reason to leave the exam uncalibrated
        if replaces and isinstance(error, BrokenFileError):
            raise  # what is found could not be saved
        watch.warn(f"which test the k in force of {exam} were made for cannot be told: {error}")
        return None
    if made is None:
        return None
    ours = settings_as_dict(settings)
    other = [
        name for name in _MODE if name in made.settings and made.settings[name] != ours.get(name)
    ]
    if not other:
        return None
    theirs = " ".join(_spelled(name, made.settings) for name in other)
    mine = " ".join(_spelled(name, ours) for name in other)
    remedy = _judge_in_their_own(made)
    consequence = (
        "k hold the cap only in the test that they are made for: be sure which one is live."
        if replaces
        else f"k hold the cap only in the test that they were made for."
        f" {remedy.replace(JUDGE, f'{JUDGE} --exam {shlex.quote(exam)}', 1)}"
    )
    watch.warn(
        f"the k in force of {exam} were made by run {made.run} for {theirs}, and this run is for"
        f" {mine}. {consequence}"
    )
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


def _spelled(name: str, settings: Any) -> str:
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
