"""Where an audit's prediction comes from: the test that the k in force were made for."""

from __future__ import annotations

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
    """The simulation that predicts: of the test that most k in force were made for.

    Raises
    ------
    DataError
        That test cannot be simulated again.
    """
    made = makers.first
    if made is None:
        delivery = DeliverySettings(theta=AbilityDistribution.normal(0, 1), seed=_SEED)
        tau, tol = SimulationSettings(delivery=delivery).tau, 0.01
        why = f"no run on record made the k in force of {exam}"
        if makers.shares:
            why = f"no run on record made most of the k in force of {exam}"
        if makers.unread is not None:
            why = f"which run made the k in force of {exam} cannot be told: {makers.unread}"
        watch.warn(
            f"{why}: the prediction is for the default test,"
            f" {asked.length or delivery.length} items at the true theta, and the cap is"
            f" {number(tau if asked.tau is None else asked.tau)}."
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


def _warn_of_others(exam: str, makers: Makers, made: RecordedRun, watch: Watch) -> None:
    """Say where the prediction is of another exam's run, and which k another test is for."""
    if made.exam != exam:
        watch.warn(
            f"most of the k in force of {exam} were made by {made.named(exam)}, which publishes"
            " the items too, or did: the prediction is for that exam's test, and the cap is that"
            f" run's unless --tau gives another. If {exam} has a test of its own, calibrate it."
        )
    for other in made_otherwise(makers, made.settings):
        watch.warn(
            f"{other.said(makers, exam)}, and the prediction is for {other.mine}, as"
            f" {made.named(exam)} was: it is not to be relied on for those items."
        )


def _recorded(exam: str, made: RecordedRun) -> CalibrationSettings:
    try:
        return settings_of(made)
    except DataError as error:
        why = (
            f"{made.named(exam)} made the k in force of {exam}, and its test cannot be simulated"
            " again:"
        )
        raise DataError([f"{why} {problem}" for problem in error.problems]) from error
