"""Where an audit's prediction comes from: the test that the k in force were made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shsim.errors import DatabaseError, DataError
from shsim.model.ability import AbilityDistribution, number
from shsim.model.audit import AuditSettings
from shsim.model.delivery import DeliverySettings
from shsim.model.run_record import Makers, RecordedRun
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.storage.base import Store
from shsim.workflow.modes import made_otherwise
from shsim.workflow.past_runs import settings_of
from shsim.workflow.watch import Watch

#: Of a prediction without a run to take one from.
_SEED = 1

#: Runs named that made k for one test; the rest is counted.
_NAMED = 4


def require_ledger(store: Store, makers: Makers, asked: AuditSettings) -> None:
    """Refuse to count from a run, or to judge by the cap of one, that cannot be looked up.

    Raises
    ------
    DatabaseError
        There is a ledger, it cannot be read, and what it would tell was not given.
    """
    if makers.unread is None:
        return
    wanted = []
    if asked.since is None:
        wanted.append("--since")
    if asked.require_cap:
        # What the verdict depends on: the cap, and the number of tests or what tells it.
        wanted += ["--tau"] if asked.tau is None else []
        wanted += ["--len"] if asked.length is None and asked.tests is None else []
    if wanted:
        raise DatabaseError(
            f"{store.label}: {makers.unread}. The audit would take from it what was not given:"
            f" mend that, or give {', '.join(wanted)}."
        )


def predicting_settings(
    exam: str, asked: AuditSettings, makers: Makers, watch: Watch
) -> SimulationSettings:
    """The simulation that predicts: of the test of the run that made more k than any other.

    Raises
    ------
    DataError
        That test cannot be simulated again.
    """
    made = makers.first
    if made is None:
        delivery = DeliverySettings(theta=AbilityDistribution.normal(0, 1), seed=_SEED)
        tau, tol = SimulationSettings(delivery=delivery).tau, 0.01
        test = f"the default test, {delivery.length} items"
        if asked.length is not None:
            test = f"a test of {asked.length} items"
        cap = f"{number(tau)}" if asked.tau is None else f"{number(asked.tau)}, as given"
        watch.warn(
            f"{_why_default(exam, makers)}. The prediction is for {test} at the true theta, and the"
            f" cap is {cap}."
        )
    else:
        recorded = _recorded(exam, made)
        delivery, tau, tol = recorded.delivery, recorded.tau, recorded.tol
        _warn_of_others(exam, makers, made, watch)
    if asked.length is not None and delivery.se_stop is None:
        delivery = replace(delivery, length=asked.length)
    return SimulationSettings(
        delivery=delivery, tau=tau if asked.tau is None else asked.tau, tol=tol
    )


def _why_default(exam: str, makers: Makers) -> str:
    """Why there is no run to take a prediction from."""
    if makers.unread is not None:
        return f"which run made the k in force of {exam} cannot be told: {makers.unread}"
    if makers.shares:
        return f"runs on record made no more than half of the k in force of {exam}"
    return f"no run on record made the k in force of {exam}"


def _warn_of_others(exam: str, makers: Makers, made: RecordedRun, watch: Watch) -> None:
    """Say where the prediction is of another exam's run, and which k another test is for."""
    others = made_otherwise(makers, made.settings)
    if made.exam != exam:
        elsewhere = {run.run for other in others for run in other.runs}
        alike = [(run, count) for run, count in makers.shares if run.run not in elsewhere]
        watch.warn(
            f"{_whose(exam, alike, makers.of)}, since the exams share items, or did: the prediction"
            f" is for the test of {made.named(exam)}, and the cap is that run's unless --tau gives"
            f" another. If {exam} has a test of its own, calibrate it."
        )
    for other in others:
        watch.warn(
            f"{other.said(makers, exam)}, and the prediction is for {other.mine}, as"
            f" {made.named(exam)} was: it is not to be relied on for those items."
        )


def _whose(exam: str, shares: Sequence[tuple[RecordedRun, int]], of: int) -> str:
    """How many k each of several runs made, the first few by name."""
    (first, count), *more = shares
    whole = "the" if count == of else f"{count:,}"
    were = "was" if count == 1 else "were"
    said = [f"{whole} k in force of {exam} {were} made by {first.named(exam)}"]
    said += [f"{each:,} by {run.named(exam)}" for run, each in more[: _NAMED - 1]]
    rest = more[_NAMED - 1 :]
    if rest:
        runs = "1 other run" if len(rest) == 1 else f"{len(rest)} other runs"
        said.append(f"{sum(each for _, each in rest):,} by {runs}")
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))


def _recorded(exam: str, made: RecordedRun) -> CalibrationSettings:
    try:
        return settings_of(made)
    except DataError as error:
        why = (
            f"{made.named(exam)} made the k in force of {exam}, and its test cannot be simulated"
            " again:"
        )
        raise DataError([f"{why} {problem}" for problem in error.problems]) from error
