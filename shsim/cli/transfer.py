"""`shsim export` and `shsim import`: their options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command, given
from shsim.cli.options import OUTPUT, SOURCE, setting

EXPORT_EPILOG = """
\b
Examples:
  shsim export --exam MATH-1 > pool.csv
  shsim export --exam MATH-1 --format json --output pool.json
  shsim export --exam MATH-1 | shsim simulate --pool - --tau 0.1
"""

IMPORT_EPILOG = """
\b
Columns: question_id, a, b and c; version, topic_id and sh_p where known.

\b
Examples:
  shsim import pool.csv --exam MATH-1 --dry-run
  shsim import pool.csv --exam MATH-1
  shsim export --exam MATH-1 | shsim import - --exam M-2 --dsn sqlite:///x.db
"""


@click.command(
    "export",
    cls=Command,
    epilog=EXPORT_EPILOG,
    short_help="Write an exam's pool and k as CSV or JSON.",
)
@options.exam
@options.dsn
@setting(
    "--format",
    "form",
    section=OUTPUT,
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="What stdout gets.",
)
@setting(
    "--output",
    section=OUTPUT,
    metavar="FILE",
    type=click.Path(),
    help="Write FILE.csv or FILE.json instead of stdout, whole or not at all.",
)
@options.config
@options.messages
def export(**parameters: Any) -> None:
    """Write an exam's pool and its k as CSV or JSON; `shsim import` reads both."""
    from shsim.cli.work.transfer import ExportRequest, run_export

    run_export(ExportRequest(**parameters))


@click.command(
    "import",
    cls=Command,
    epilog=IMPORT_EPILOG,
    short_help="Publish a pool from a CSV or JSON file.",
)
@click.argument("file", metavar="FILE|-", type=click.Path(allow_dash=True))
@setting(
    "--exam",
    "--exam-code",
    "exam",
    section=SOURCE,
    metavar="CODE",
    help="Exam code under which the items are published. It must be given.",
)
@options.dsn
@setting(
    "--dry-run",
    section=OUTPUT,
    is_flag=True,
    help="Check the file, say what would happen, and write nothing.",
)
@options.wait
@options.config
@options.messages
@click.pass_context
def import_(ctx: click.Context, /, **parameters: Any) -> None:
    """Publish the items of FILE (- is stdin) under an exam, in one transaction.

    Items that are there already get the file's parameters and k; what the file leaves
    out stays as it is in the database. The exam must be named.
    """
    from shsim.cli.work.transfer import ImportRequest, run_import

    run_import(ImportRequest(typed=given(ctx), **parameters))
