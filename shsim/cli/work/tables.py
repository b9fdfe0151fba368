"""What `shsim db init`, `db demo` and `db check` do."""

from __future__ import annotations

from shsim.cli.log_lines import bind
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit
from shsim.cli.work.sources import DatabaseRequest, named_database, open_database
from shsim.errors import DatabaseError
from shsim.report.plain_text import visible_line
from shsim.storage.demo import DEMO_EXAM
from shsim.storage.embedded import embedded_path


class Request(DatabaseRequest):
    """The options of the three."""


def run_init(request: Request) -> None:
    """Make the tables that are missing."""
    with open_database(request, Narrator(quiet=request.quiet), read_only=False) as store:
        made = store.create_tables()
    emit("".join(f"made {name}\n" for name in made) or "every table is there already\n")


def run_demo(request: Request) -> None:
    """Make the tables that are missing, and publish the demo exam."""
    bind(exam=DEMO_EXAM)
    with open_database(request, Narrator(quiet=request.quiet), read_only=False) as store:
        made = store.create_tables()
        added = store.add_demo()
    emit("".join(f"made {name}\n" for name in made))
    emit(f"{'published' if added else 'it is there already:'} {DEMO_EXAM}\n")


def run_check(request: Request) -> None:
    """Print what is missing or odd.

    Raises
    ------
    DatabaseError
        Some of it would make a run fail.
    """
    if named_database(request) is None and not embedded_path().exists():
        emit(f"ok    no database yet; the first run makes {visible_line(str(embedded_path()))}\n")
        return
    with open_database(request, Narrator(quiet=request.quiet), read_only=True) as store:
        findings = store.check()
    for finding in findings:
        emit(f"{'FAIL' if finding.blocking else 'warn'}  {visible_line(finding.sentence)}\n")
    blocking = sum(finding.blocking for finding in findings)
    if blocking:
        raise DatabaseError(
            f"{blocking} finding{'s' if blocking > 1 else ''} above would make a run fail."
            f" Mend {'them' if blocking > 1 else 'it'} and check again."
        )
    if not findings:
        emit("ok    nothing is missing or odd\n")
