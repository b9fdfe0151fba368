"""What `shsim calibrate --from-run N` does: a run on record, again."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from shsim.cli.log_lines import bind
from shsim.cli.progress import Narrator
from shsim.cli.work.calibration import Request, report
from shsim.cli.work.saving import Saving, refuse_waiting
from shsim.cli.work.sources import Source, named_database, open_database
from shsim.cli.work.taken_files import output_asked
from shsim.errors import DataError, UsageError
from shsim.report.render import result_data
from shsim.storage.embedded import embedded_path
from shsim.storage.needs import of_past_run
from shsim.workflow.past_runs import recall, same_version, settings_to_repeat, start_to_repeat
from shsim.workflow.run import SavePolicy, calibrate_exam

#: What may stand beside --from-run: where to look, and what changes no answer.
_BESIDE = frozenset({"from_run", "dsn", "dry_run", "output", "form", "threads", "quiet", "wait"})


def repeat(request: Request, number: int) -> None:
    """Calibrate with a run's settings, from the k before it; save, render.

    Raises
    ------
    UsageError
        An option was typed that would make it another run.
    """
    others = sorted(request.typed - _BESIDE)
    if others:
        named = ", ".join(f"--{_NAMES.get(name, name).replace('_', '-')}" for name in others)
        raise UsageError(
            f"--from-run repeats a run with all its settings, and would ignore {named}."
            " Leave that out, or calibrate without --from-run."
        )
    refuse_waiting(request)
    # What the environment or a file sets is for runs that are told by options.
    request = replace(
        request, pool=None, require_cap=False, force=False, explain=False, checkpoint=None,
        resume=False, or_anew=False,
    )  # fmt: skip
    with ExitStack() as stack:
        narrator = stack.enter_context(Narrator(quiet=request.quiet))
        output = output_asked(request, result_data, stack)
        if named_database(request) is None and not embedded_path().exists():
            raise DataError(f"run {number} is unknown: there is no database yet.")
        store = stack.enter_context(
            open_database(
                request,
                narrator,
                read_only=request.dry_run,
                needs=of_past_run(dry_run=request.dry_run),
            )
        )
        past = recall(store, number)
        bind(exam=past.run.exam)
        settings = settings_to_repeat(past)
        if not same_version(past.run):
            narrator.warn(
                f"run {number} was made by shsim {past.run.version}; its k may differ in this one."
            )
        narrator.note(f"repeating run {number} of {past.run.exam}, seed {settings.delivery.seed}")
        saving = stack.enter_context(Saving(output, saves=not request.dry_run))
        outcome = calibrate_exam(
            store,
            past.run.exam,
            settings,
            SavePolicy(dry_run=request.dry_run, wait=request.wait, repeats=number),
            start=start_to_repeat(past),
            output=saving,
            threads=request.threads,
            watch=narrator,
        )
        narrator.clear()
        report(request, outcome, Source(past.run.exam, store, None), narrator)


#: Parameters that are not called as their options are.
_NAMES = {"length": "len", "form": "format"}
