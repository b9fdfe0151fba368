"""Putting runs on record: what is kept of them, and how each way of ending is kept."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from shsim import __version__
from shsim.errors import (
    DamagedError,
    DatabaseError,
    RefusedError,
    ShsimError,
    Stopped,
    UnsettledError,
)
from shsim.model.ability import AbilityDistribution
from shsim.model.comparison import ComparisonResult
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.results import CalibrationResult, SimulationResult
from shsim.model.run_record import Outcome, RunRecord
from shsim.model.settings import Settings, settings_as_dict
from shsim.report.blotted import blotted
from shsim.report.document import finite
from shsim.storage.base import Store
from shsim.workflow.watch import Watch

#: Seconds that a fault or an interrupt waits for its record, at most.
PATIENCE = 1.0

#: In the ledger beside a distribution that was read from a file: the digest of its abilities.
DIGEST = "_sha256"

#: In the ledger beside the settings of a save that was to override changed items; else left out.
FORCE = "force"

#: Whom runs are for, where that is not the user of the operating system.
_principal: ContextVar[str | None] = ContextVar("principal", default=None)


@contextmanager
def on_behalf_of(name: str) -> Iterator[None]:
    """Put the runs of this thread on record as those of `name`: a server runs as one user."""
    before = _principal.set(name)
    try:
        yield
    finally:
        _principal.reset(before)


@dataclass(slots=True, kw_only=True)
class Entry:
    """A run on its way into the ledger; `open` until it is there, or will never be."""

    store: Store
    watch: Watch
    command: str
    exam: str
    settings: Mapping[str, Any]
    pool: ItemPool | None = None
    delivery: DeliverySettings | None = None
    tau: float | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    user: str = field(default_factory=lambda: _principal.get() or _os_user())
    open: bool = True

    def record(
        self,
        outcome: Outcome,
        message: str = "",
        result: CalibrationResult | SimulationResult | ComparisonResult | None = None,
    ) -> RunRecord:
        """The run as the ledger keeps it."""
        pool, delivery = self.pool, self.delivery
        history = result.history if isinstance(result, CalibrationResult) else ()
        return RunRecord(
            command=self.command,
            exam=self.exam,
            started=self.started,
            finished=datetime.now(UTC),
            os_user=self.user,
            host=socket.gethostname(),
            version=__version__,
            settings=finite(self.settings),
            seed=delivery.seed if delivery else None,
            fingerprint=pool.fingerprint if pool is not None else None,
            start=pool.k_fingerprint if pool is not None else None,
            rejection=delivery.rejection if delivery else None,
            ability=delivery.ability if delivery else None,
            tau=self.tau,
            history=[finite(asdict(each)) for each in history],
            measures={} if result is None else finite(_measures(result)),
            outcome=outcome,
            message=blotted(message),
        )

    def to_be_saved(
        self, items: int, result: CalibrationResult | None = None, message: str = ""
    ) -> RunRecord | None:
        """What the Store is to record with the save of so many items; None where it cannot."""
        if not self.open:
            return None
        record = self.record("saved", message, result)
        return replace(record, measures={**record.measures, "items": items})

    def settle(
        self,
        outcome: Outcome,
        result: CalibrationResult | SimulationResult | ComparisonResult,
        message: str = "",
    ) -> int | None:
        """Record a run that saves nothing; its number. That this fails fails no run."""
        if not self.open:
            return None
        self.open = False
        try:
            return self.store.ledger.record(self.record(outcome, message, result))
        except DatabaseError as error:
            may = "may not be" if isinstance(error, UnsettledError) else "is not"
            self.watch.warn(f"this run {may} recorded: {error}")
            return None

    def end_badly(self, fault: BaseException) -> None:
        """Record a fault or an interrupt as well as can be, without hiding or delaying it."""
        # A damaged file is left as it is, for whoever has to save what can be saved.
        if self.open and not isinstance(fault, DamagedError):
            self.open = False
            with suppress(Exception):
                self.store.record_aside(self.record(*_ending(fault)), PATIENCE)


@contextmanager
def on_record(entry: Entry, *, dry_run: bool) -> Iterator[Entry]:
    """Keep a run's entry open while it runs; a fault closes it. Says so if none can be made."""
    state = None if dry_run else entry.store.ledger.state()
    obstacle = None if state is None else state.obstacle
    if state is not None and obstacle is not None:
        # Where a ledger is kept, a run that is missing there is a fault; elsewhere it is how it is.
        tell = entry.watch.warn if state.kept and state.lack else entry.watch.note
        tell(f"this run is not recorded: {obstacle}")
    entry.open = not dry_run and obstacle is None
    try:
        yield entry
    except BaseException as fault:
        entry.end_badly(fault)
        raise


def entry_of(store: Store, watch: Watch, command: str, pool: ItemPool, settings: Settings) -> Entry:
    """The entry of a run that computes."""
    return Entry(
        store=store,
        watch=watch,
        command=command,
        exam=pool.name,
        settings=recorded_settings(settings),
        pool=pool,
        delivery=settings.delivery,
        tau=getattr(settings, "tau", None),
    )


def recorded_settings(settings: Settings) -> dict[str, Any]:
    """Settings as the ledger keeps them: a file of abilities by its name and its digest."""
    plain = settings_as_dict(settings)
    for name in ("theta", "prior"):
        value = getattr(settings.delivery, name)
        if isinstance(value, AbilityDistribution) and value.kind == "empirical":
            plain[name + DIGEST] = value.digest
    return plain


def _measures(result: CalibrationResult | SimulationResult | ComparisonResult) -> dict[str, Any]:
    """The figures and the verdict, under the names that the JSON output has."""
    if isinstance(result, ComparisonResult):
        return {
            "compared": {each.control.spelling: asdict(each.measures) for each in result.compared}
        }
    figures = {"verification": asdict(result.measures), "verdict": asdict(result.verdict)}
    if isinstance(result, SimulationResult):
        return figures
    return {
        **figures,
        "before": asdict(result.before),
        "converged": result.converged,
        "stopped": result.stopped,
        "origin": result.origin,
        "when_estimated": result.when_estimated,
    }


def _ending(fault: BaseException) -> tuple[Outcome, str]:
    """How a run that raised `fault` ended, and what is said of it."""
    if isinstance(fault, Stopped):
        return "interrupted", str(fault)
    if isinstance(fault, KeyboardInterrupt | SystemExit | GeneratorExit):
        return "interrupted", ""
    if isinstance(fault, RefusedError):
        return "refused", str(fault)
    return "failed", str(fault) if isinstance(
        fault, ShsimError
    ) else f"{type(fault).__name__}: {fault}"


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
