"""`shsim db`: the tables and the demo exam."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command, LazyGroup

EPILOG = """
\b
Examples:
  shsim db init --dsn sqlite:///qbank.db
  shsim db demo --dsn sqlite:///qbank.db
  shsim db check --dsn postgresql://qbank@db/qbank
"""


@click.group(
    "db", cls=LazyGroup, epilog=EPILOG, short_help="Make the tables, the demo exam; check both."
)
def group() -> None:
    """Make the QBank tables and the demo exam, and check what is there."""


@group.command(cls=Command, epilog=EPILOG, short_help="Make the tables that are missing.")
@options.database
def init(**parameters: Any) -> None:
    """Make the QBank tables and the ledger of runs where they are missing.

    What is there stays as it is, but for a ledger of an older shsim, which is brought up
    to date with the runs in it.
    """
    from shsim.cli.work.tables import Request, run_init

    run_init(Request(**parameters))


@group.command(cls=Command, epilog=EPILOG, short_help="Publish DEMO-EXAM to try things on.")
@options.database
def demo(**parameters: Any) -> None:
    """Publish DEMO-EXAM: several hundred plausible items with topics, and some responses."""
    from shsim.cli.work.tables import Request, run_demo

    run_demo(Request(**parameters))


@group.command(cls=Command, epilog=EPILOG, short_help="Say what is missing or odd.")
@options.database
def check(**parameters: Any) -> None:
    """Say what is missing or odd in the database; exit code 4 where a run would fail.

    A run that saves is meant: on a replica, or for a user who may only read, it is 4,
    and where a SQLite file, which is read as a whole, is damaged.
    """
    from shsim.cli.work.tables import Request, run_check

    run_check(Request(**parameters))
