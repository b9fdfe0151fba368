"""What `shsim calibrate` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from shsim.cli.progress import Narrator, seen_in_table
from shsim.cli.streams import StdoutError, emit
from shsim.cli.work.checkpointing import (
    checkpoint_conflicts,
    checkpoint_file,
    checkpoints_in,
    kept_seed,
)
from shsim.cli.work.delivery import RunRequest
from shsim.cli.work.problems import Problems
from shsim.cli.work.saving import Saving, needless_waiting
from shsim.cli.work.sources import Source, file_label, open_source
from shsim.cli.work.taken_files import output_asked
from shsim.cli.work.verdict import tell_verdict
from shsim.errors import CapNotHeldError, DataError
from shsim.model.methods import Method
from shsim.model.options import ignored_by_calibration
from shsim.model.settings import CalibrationSettings
from shsim.report.closing import DRY_RUN, saved_sentences
from shsim.report.first_script import first_script_sentence
from shsim.report.render import asides, result_data, result_text
from shsim.storage.needs import READING, SAVING
from shsim.workflow.checkpoints import Checkpoints
from shsim.workflow.run import CalibrationOutcome, SavePolicy, calibrate_exam, calibrate_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(RunRequest):
    """The options of `calibrate`."""

    method: Method | None
    n: int | None
    iters: int | None
    alpha: float | None
    decay: float | None
    floor: float | None
    ceil: float | None
    target: float | None
    tol: float | None
    restart: bool
    verify_n: int | None
    nodes: int | None
    explain: bool
    require_cap: bool
    force: bool
    wait: int
    checkpoint: str | None
    resume: bool
    or_anew: bool


def run(request: Request) -> None:
    """Calibrate, save, render; the exit code is an exception's affair."""
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        problems = Problems(_conflicts(request))
        file = problems.without(lambda: request.pool_file)
        about_saving = {"force", "wait"} & request.typed
        if file is not None:
            for name in sorted(about_saving):
                problems.add(f"--{name} is about saving, and --pool saves nothing. Leave it out.")
        output = problems.without(lambda: output_asked(request, result_data, stack))
        kept = problems.without(lambda: checkpoint_file(request, stack))
        seed = problems.without(lambda: kept_seed(request, kept))
        if request.seed is None and seed is not None:
            request = replace(request, seed=seed)
        settings = _settings(request, problems)
        problems.end_here(request, settings)
        _teach_first_script(request, narrator)
        needs = READING if request.dry_run else SAVING
        source = stack.enter_context(
            open_source(request, narrator, read_only=request.dry_run, needs=needs)
        )
        saves = source.store is not None and not request.dry_run
        request.say_seed(settings.delivery, narrator, moves_start=saves and not settings.restart)
        checkpoints = stack.enter_context(checkpoints_in(kept, request, narrator))
        saving = stack.enter_context(Saving(output, saves=saves))
        outcome = _calibrate(request, settings, source, saving, narrator, checkpoints)
        narrator.clear()
        report(request, outcome, source, narrator)


def _conflicts(request: Request) -> Iterator[str]:
    """An option that would be ignored is an error."""
    yield from ignored_by_calibration(request.options)
    yield from needless_waiting(request)
    yield from checkpoint_conflicts(request)


def _settings(request: Request, problems: Problems) -> CalibrationSettings:
    chosen = request.chosen(
        "tau", "method", "n", "iters", "alpha", "decay", "floor", "ceil", "target", "tol",
        "verify_n", "nodes",
    )  # fmt: skip
    return CalibrationSettings.make(request.delivery(problems), restart=request.restart, **chosen)


def _teach_first_script(request: Request, narrator: Narrator) -> None:
    """The first script's options without --method: say what runs, and how to have the old one."""
    if request.method is None and {"iters", "alpha"} <= request.typed:
        narrator.note(first_script_sentence(request.n, request.iters, request.alpha, request.floor))


def _calibrate(
    request: Request,
    settings: CalibrationSettings,
    source: Source,
    saving: Saving,
    narrator: Narrator,
    checkpoints: Checkpoints | None,
) -> CalibrationOutcome:
    policy = SavePolicy(
        dry_run=request.dry_run,
        require_cap=request.require_cap,
        force=request.force,
        wait=request.wait,
        explain=request.explain,
        checkpoints=checkpoints,
    )
    if source.store is None:
        return calibrate_pool(
            source.load, settings, policy, output=saving, threads=request.threads, watch=narrator
        )
    return calibrate_exam(
        source.store,
        source.name,
        settings,
        policy,
        output=saving,
        threads=request.threads,
        watch=narrator,
    )


def report(
    request: Request, outcome: CalibrationOutcome, source: Source, narrator: Narrator
) -> None:
    """Render what came out, and say what was saved; a required cap that is missed raises."""
    result, verdict = outcome.result, outcome.result.verdict
    refused = request.require_cap and not verdict.held
    shown = seen_in_table(request.form)
    closing = [] if refused else _closing(request, outcome, source)
    advice = f"{verdict.sentence} {verdict.remedy or ''}".strip()
    tell_verdict(narrator, verdict, result.measures)
    if outcome.saved is not None:
        its = outcome.saved
        narrator.milestone(
            "saved", closing[0], run=its.run, changed=its.changed, unchanged=its.unchanged
        )
    try:
        emit(result_text(result, request.form, sys.stdout, closing))
    except StdoutError as error:
        told = error.problems
        if outcome.saved is not None:
            told = (f"{error.fault}: shsim export shows the new k, which are saved.",)
        raise DataError([*told, *closing]) from error
    if request.form != "table":
        for sentence in [verdict.sentence] * (verdict.held is True) + asides(result) + closing:
            narrator.note(sentence)
    if refused:
        if result.run is not None:
            narrator.note(f"recorded as run {result.run}")
        unsaved = "Nothing was saved, as --require-cap asks"
        if shown:
            untold = "whether the cap is held can't be told"
            why = untold if verdict.held is None else "the cap is not held"
            raise CapNotHeldError(f"{unsaved}: {why}.")
        raise CapNotHeldError(f"{advice}\n{unsaved}.")
    if not verdict.held and not shown:
        narrator.warn(advice)


def _closing(request: Request, outcome: CalibrationOutcome, source: Source) -> list[str]:
    """What was saved, and where."""
    sentences = []
    if outcome.saved is not None and source.store is not None:
        its = outcome.saved
        sentences += saved_sentences(source.store.label, its.changed, its.unchanged, its.run)
    elif request.dry_run:
        sentences.append(DRY_RUN)
    else:
        place = file_label(source.name) if source.pool is None else "memory"
        sentences.append(f"Nothing was saved: the pool came from {place}.")
    if request.output is not None:
        sentences.append(f"Wrote {file_label(request.output)}.")
    return sentences
