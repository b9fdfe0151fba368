"""The order of events of a run: load, check, compute, stage, save, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from shsim.errors import DataError
from shsim.model.comparison import ComparisonResult
from shsim.model.control import SYMPSON_HETTER, Control
from shsim.model.item_pool import ItemPool
from shsim.model.results import CalibrationResult, SimulationResult, SweepResult
from shsim.model.settings import CalibrationSettings, Settings, SimulationSettings
from shsim.model.sweep_settings import SweepSettings
from shsim.model.trace import TraceResult, TraceSettings
from shsim.storage.base import SaveOutcome, Store
from shsim.workflow.calibrate import calibrate
from shsim.workflow.checkpoints import Checkpoints
from shsim.workflow.compare import compare
from shsim.workflow.modes import warn_of_another_mode
from shsim.workflow.provenance import FORCE, entry_of, on_record
from shsim.workflow.simulate import simulate
from shsim.workflow.sweep import sweep
from shsim.workflow.trace import trace
from shsim.workflow.watch import SILENT, Watch, patience_of, warn_of_commit


class Output(Protocol):
    """Files that appear whole, after the database has committed, or not at all."""

    def stage(self, result: CalibrationResult) -> None:
        """Write everything under a temporary name."""

    def publish(self, run: int | None = None, /) -> None:
        """Give the files their names; `run` is the run's number in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavePolicy:
    """What a calibration may do to the database, whether it explains itself, where it is kept.

    `wait` is how many seconds to wait for another run that has the exam, None where nobody
    can be asked to; `repeats` is the number of the run that this one is to repeat.
    """

    dry_run: bool = False
    require_cap: bool = False
    force: bool = False
    explain: bool = False
    checkpoints: Checkpoints | None = None
    wait: float | None = None
    repeats: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationOutcome:
    """A result, and what was saved of it (None: nothing)."""

    result: CalibrationResult
    saved: SaveOutcome | None


def calibrate_exam(
    store: Store,
    exam: str,
    settings: CalibrationSettings,
    policy: SavePolicy,
    *,
    start: Callable[[ItemPool], ItemPool] = lambda pool: pool,
    output: Output | None = None,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> CalibrationOutcome:
    """Calibrate an exam and save its k, unless `policy` forbids; the run goes on record.

    Nobody else can calibrate the exam meanwhile. Where the cap is required and not
    held, nothing is saved and no file appears. `start` may give the items other k to
    start from than those in force.
    """
    patience = patience_of(policy.wait, watch)
    with nullcontext() if policy.dry_run else store.exam_lock(exam, patience):
        loaded = load_checked(lambda: store.load_pool(exam), settings)
        pool = start(loaded)
        for other, count in store.shared_exams(exam).items():
            watch.note(
                f"{count} items of {exam} are published in {other} too:"
                " their sh_p serves both exams."
            )
        if policy.checkpoints is not None:
            policy.checkpoints.look(pool, settings)
        warn_of_another_mode(store, exam, settings, watch, replaces=True)
        entry = entry_of(store, watch, "calibrate", pool, settings)
        if policy.force:
            entry.settings = {**entry.settings, FORCE: True}
        with on_record(entry, dry_run=policy.dry_run):
            result = _calibrated(pool, settings, policy, threads, watch)
            if policy.require_cap and not result.verdict.held:
                run = entry.settle("refused", result, result.verdict.sentence)
                return CalibrationOutcome(replace(result, run=run), None)
            if output is not None:
                output.stage(result)
            if policy.dry_run:
                saved = None
            else:
                record = entry.to_be_saved(len(loaded), result, _repeated(policy))
                saved = store.save_k(loaded, result.k, force=policy.force, record=record)
                entry.open = False
                warn_of_commit(saved, watch)
                result = replace(result, run=saved.run)
            if output is not None:
                output.publish(result.run)
    return CalibrationOutcome(result, saved)


def _repeated(policy: SavePolicy) -> str:
    return "" if policy.repeats is None else f"It repeats run {policy.repeats}."


def calibrate_pool(
    load: Callable[[], ItemPool],
    settings: CalibrationSettings,
    policy: SavePolicy,
    *,
    output: Output | None = None,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> CalibrationOutcome:
    """Calibrate a pool that no database holds (a file, the demo); nothing is saved."""
    pool = load_checked(load, settings)
    result = _calibrated(pool, settings, policy, threads, watch)
    if output is not None and (result.verdict.held or not policy.require_cap):
        output.stage(result)
        output.publish()
    return CalibrationOutcome(result, None)


def _calibrated(
    pool: ItemPool,
    settings: CalibrationSettings,
    policy: SavePolicy,
    threads: int | None,
    watch: Watch,
) -> CalibrationResult:
    return calibrate(
        pool,
        settings,
        explain=policy.explain,
        threads=threads,
        watch=watch,
        checkpoints=policy.checkpoints,
    )


def simulate_exam(
    store: Store,
    exam: str,
    settings: SimulationSettings,
    *,
    dry_run: bool = False,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> SimulationResult:
    """Show what an exam's k in force do; the run goes on record, unless it is a dry one."""
    pool = load_checked(lambda: store.load_pool(exam), settings)
    remedy = None
    if settings.control == SYMPSON_HETTER:
        remedy = warn_of_another_mode(store, exam, settings, watch, replaces=False)
    with on_record(entry_of(store, watch, "simulate", pool, settings), dry_run=dry_run) as entry:
        result = simulate(pool, settings, threads=threads, watch=watch)
        if remedy is not None and result.verdict.reason == "in_force":
            # A calibration for this run's test would replace k that are good for another.
            result = replace(result, verdict=replace(result.verdict, remedy=remedy))
        return replace(result, run=entry.settle("dry", result))


def compare_exam(
    store: Store,
    exam: str,
    settings: SimulationSettings,
    controls: Sequence[Control],
    *,
    dry_run: bool = False,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> ComparisonResult:
    """Show what several controls do with an exam; on record as :func:`simulate_exam`."""
    pool = load_checked(lambda: store.load_pool(exam), settings)
    judge = None
    if SYMPSON_HETTER in controls:
        judge = warn_of_another_mode(store, exam, settings, watch, replaces=False)
    entry = entry_of(store, watch, "simulate", pool, settings)
    entry.settings = {**entry.settings, "control": [each.spelling for each in controls]}
    with on_record(entry, dry_run=dry_run):
        result = compare(pool, settings, controls, threads=threads, watch=watch)
        return replace(result, run=entry.settle("dry", result), judge=judge)


def simulate_pool(
    load: Callable[[], ItemPool],
    settings: SimulationSettings,
    *,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> SimulationResult:
    """Load a pool and show what its k in force do."""
    pool = load_checked(load, settings)
    return simulate(pool, settings, threads=threads, watch=watch)


def compare_pool(
    load: Callable[[], ItemPool],
    settings: SimulationSettings,
    controls: Sequence[Control],
    *,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> ComparisonResult:
    """Load a pool and show what several controls do with it."""
    pool = load_checked(load, settings)
    return compare(pool, settings, controls, threads=threads, watch=watch)


def sweep_pool(
    load: Callable[[], ItemPool],
    settings: SweepSettings,
    *,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> SweepResult:
    """Load a pool and show what each cap costs."""
    pool = load_checked(load, settings)
    return sweep(pool, settings, threads=threads, watch=watch)


def trace_pool(
    load: Callable[[], ItemPool], settings: TraceSettings, *, watch: Watch = SILENT
) -> TraceResult:
    """Load a pool and give a few tests to look at."""
    pool = load_checked(load, settings)
    return trace(pool, settings, watch=watch)


def load_checked(load: Callable[[], ItemPool], settings: Settings) -> ItemPool:
    """Load a pool; raise what is wrong with it and with the settings in one message."""
    problems = list(settings.problems())
    try:
        pool = load()
    except DataError as error:
        raise DataError([*problems, *error.problems]) from error
    problems.extend(settings.problems_with(pool))
    if problems:
        raise DataError(problems)
    return pool
