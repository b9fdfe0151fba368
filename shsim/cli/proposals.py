"""`shsim proposals`: its options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command
from shsim.cli.options import OUTPUT, SOURCE, setting

COUNTED = "Which proposals"

EPILOG = """
\b
Examples:
  shsim proposals --since 2026-01-31
      Every item that was proposed since then, in any exam.
  shsim proposals --since 2026-01-31 --until 2026-02-06 --exam MATH-1
      The items of one exam, never proposed or not; --dsn says which they are.
  shsim proposals --since 2026-01-31 --daily --format csv > proposals.csv

\b
CSV has one row an item: question_id, version, proposals, first_day, last_day;
with --daily one row a day and item: day, question_id, version, proposals.
"""


@click.command(
    cls=Command, epilog=EPILOG, short_help="Show what live selectors proposed, from Redis."
)
@setting(
    "--since",
    section=COUNTED,
    metavar="DATE",
    help="The first UTC day: 2026-01-31.",
    fallback="six days before today",
)
@setting(
    "--until",
    section=COUNTED,
    metavar="DATE",
    help="The last UTC day, which is counted too.",
    fallback="today",
)
@options.redis
@setting(
    "--exam",
    "--exam-code",
    "exam",
    section=SOURCE,
    metavar="CODE",
    help="Only of the items that this exam publishes, and all of these.",
)
@options.dsn
@options.result
@setting(
    "--daily",
    section=OUTPUT,
    is_flag=True,
    help="One row a day and item (with --format csv or json, and in --output).",
)
@options.config
@options.messages
def command(**parameters: Any) -> None:
    """Show how often live selectors proposed each item, as they counted it in Redis.

    A selector proposes an item before it is accepted or rejected; shsim.Selector counts
    that with the hook bump_proposed. Counters are by whole UTC days and name no exam.
    It needs the extra 'redis': where that is missing, it says what to install. Nothing
    is written.
    """
    from shsim.cli.work.proposing import Request, run

    run(Request(**parameters))
