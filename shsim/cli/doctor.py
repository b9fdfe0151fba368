"""`shsim doctor`: its options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command
from shsim.cli.options import OUTPUT, setting

EPILOG = """
\b
Examples:
  shsim doctor
  shsim doctor --dsn postgresql://qbank@db/qbank
  shsim doctor --format json
"""


@click.command(
    "doctor", cls=Command, epilog=EPILOG, short_help="Show what would stop or slow a run."
)
@options.dsn
@setting(
    "--format",
    "form",
    section=OUTPUT,
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What stdout gets.",
)
@options.config
@options.messages
def command(**parameters: Any) -> None:
    """Show versions, threads, cache and database, and what would stop or slow a run.

    Ends with 4 where the database is out of reach, or a run could not save in it.
    """
    from shsim.cli.work.diagnosis import Request, run

    run(Request(**parameters))
