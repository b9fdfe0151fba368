"""What `shsim export` and `shsim import` do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from shsim.cli.log_lines import bind
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.saving import refuse_waiting
from shsim.cli.work.sources import (
    DatabaseRequest,
    file_label,
    named_database,
    open_database,
    read_file,
    require_exam,
)
from shsim.cli.work.taken_files import output_asked
from shsim.errors import UsageError
from shsim.model.item_pool import ItemPool
from shsim.report.plain_text import visible_line
from shsim.report.render import DataFormat, pool_data
from shsim.storage.base import ImportPlan
from shsim.storage.embedded import embedded_path
from shsim.storage.exam_names import require_new_name, require_spelling
from shsim.storage.import_rows import require_importable
from shsim.storage.needs import IMPORTING, READING
from shsim.workflow.watch import patience_of, warn_of_commit


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest(DatabaseRequest):
    """The options of `export`."""

    exam: str | None
    form: DataFormat
    output: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest(DatabaseRequest):
    """The options of `import`."""

    exam: str | None
    file: str
    dry_run: bool
    wait: int
    typed: frozenset[str]


def run_export(request: ExportRequest) -> None:
    """Write an exam's pool to stdout, or to a file in its place."""
    bind(exam=request.exam)
    with ExitStack() as stack:
        narrator = Narrator(quiet=request.quiet)
        output = output_asked(request, pool_data, stack)
        store = stack.enter_context(open_database(request, narrator, read_only=True, needs=READING))
        pool = store.load_pool(require_exam(request, request.exam, store, narrator))
        if output is None:
            emit(pool_data(pool, request.form))
            return
        output.stage(pool)
        output.publish()
        narrator.note(f"wrote {len(pool):,} items to {file_label(output.path)}")


def run_import(request: ImportRequest) -> None:
    """Publish the items of a file under an exam, or say what that would do."""
    if request.exam is None:
        raise UsageError("--exam is needed: the exam to publish the items under.")
    bind(exam=request.exam)
    refuse_waiting(request)
    require_spelling(request.exam)  # before a dry run promises what no database would take
    require_new_name(request.exam)
    narrator = Narrator(quiet=request.quiet)
    pool = replace(read_file(request.file), name=request.exam)
    require_importable(pool)  # before a database is made, and in a dry run too
    words = f"{len(pool):,} items of {file_label(request.file)} under {visible_line(request.exam)}"
    if request.dry_run:
        plan = _planned(request, pool, narrator)
        _warn_of_shared(request.exam, plan.shared, narrator)
        now = f"which publishes {plan.published:,} items now" if plan.published else "a new exam"
        emit(
            f"would publish {words}, {now}: {plan.changed:,} new or changed,"
            f" {plan.unchanged:,} stand so already{_left(plan.kept)}; nothing was written\n"
        )
        return
    with open_database(request, narrator, read_only=False, needs=IMPORTING) as store:
        outcome = store.import_pool(pool, patience_of(request.wait, narrator))
        warn_of_commit(outcome, narrator)
        _warn_of_shared(request.exam, store.shared_exams(request.exam), narrator)
        kept = store.exams().get(request.exam, 0) - len(pool)
    said = (
        f"published {words}: {outcome.changed:,} new or changed,"
        f" {outcome.unchanged:,} stood so already{_left(kept)}"
    )
    narrator.milestone(
        "saved", said, changed=outcome.changed, unchanged=outcome.unchanged, kept=kept
    )
    emit(f"{said}\n")


def _planned(request: ImportRequest, pool: ItemPool, narrator: Narrator) -> ImportPlan:
    """What an import would do; a dry run makes no database to find out."""
    if named_database(request) is None and not embedded_path().exists():
        return ImportPlan(changed=len(pool), unchanged=0)
    with open_database(request, narrator, read_only=True, needs=READING) as store:
        return store.plan_import(pool)


def _warn_of_shared(exam: str, shared: Mapping[str, int], narrator: Narrator) -> None:
    for other, count in shared.items():
        narrator.warn(
            f"{count:,} items of {visible_line(exam)} are published in"
            f" {visible_line(other)} too: their parameters and sh_p serve both exams."
        )


def _left(kept: int) -> str:
    """What is said of items of the exam that the file lacks: an import takes nothing out."""
    if not kept:
        return ""
    return f"; {kept:,} items of the exam that are not in the file stay published as they are"
