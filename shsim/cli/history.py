"""`shsim history`, `show`, `diff` and `rollback`: their options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command, Number, given
from shsim.cli.options import OUTPUT, SOURCE, setting

HISTORY_EPILOG = """
\b
Examples:
  shsim history
      The embedded database's last runs.
  shsim history --exam MATH-1 --limit 50
  shsim history --format csv --limit 10000 > runs.csv
"""

SHOW_EPILOG = """
\b
Examples:
  shsim show 12
      Who ran it and when, its settings and figures, which k moved most.
  shsim show 12 --format csv > k.csv
      k before and after, item by item.
"""

DIFF_EPILOG = """
\b
Examples:
  shsim diff 11 12
      Which settings differ, both runs' figures, which k differ most.
  shsim diff 11 12 --format csv
      Every item of both runs whose k differs.
"""

ROLLBACK_EPILOG = """
\b
Examples:
  shsim rollback 12 --dry-run
      Say whether run 12 can be undone, and what that would change.
  shsim rollback 12
  shsim rollback 13
      Undo that rollback, where it was run 13.
  shsim rollback 12 --force
      Put the k before run 12 back over what later runs or hands have written.
"""

_run = click.argument("run", cls=Number, metavar="RUN", type=click.IntRange(min=1))


@click.command(cls=Command, epilog=HISTORY_EPILOG, short_help="List past runs, newest first.")
@setting("--exam", "--exam-code", "exam", section=SOURCE, metavar="CODE", help="Of one exam only.")
@options.dsn
@setting(
    "--limit",
    section=OUTPUT,
    type=click.IntRange(min=1, max=10**9),
    metavar="N",
    default=20,
    show_default=True,
    help="How many runs at most.",
)
@options.result
@options.config
@options.messages
def history(**parameters: Any) -> None:
    """List past runs, newest first: when, what, on which exam, how it ended.

    Every calibrate, simulate and rollback is on record, but for dry runs, and every k set
    by hand over the admin API (set). `shsim show RUN` shows one in full.
    """
    from shsim.cli.work.past_runs import HistoryRequest, run_history

    run_history(HistoryRequest(**parameters))


@click.command(cls=Command, epilog=SHOW_EPILOG, short_help="Show one past run in full.")
@_run
@options.dsn
@options.result
@options.config
@options.messages
def show(**parameters: Any) -> None:
    """Show a past run: who, when, settings, verdict, measures, and the items changed most.

    RUN is its number, as `shsim history` lists it. CSV has k before and after by item.
    """
    from shsim.cli.work.past_runs import ShowRequest, run_show

    run_show(ShowRequest(**parameters))


@click.command(cls=Command, epilog=DIFF_EPILOG, short_help="Show what differs between two runs.")
@click.argument("first", cls=Number, metavar="RUN", type=click.IntRange(min=1))
@click.argument("second", cls=Number, metavar="RUN", type=click.IntRange(min=1))
@options.dsn
@options.result
@options.config
@options.messages
def diff(**parameters: Any) -> None:
    """Show two past runs side by side: settings that differ, measures, k that differ."""
    from shsim.cli.work.past_runs import DiffRequest, run_diff

    run_diff(DiffRequest(**parameters))


@click.command(cls=Command, epilog=ROLLBACK_EPILOG, short_help="Put the k before a run back.")
@_run
@options.dsn
@options.result
@setting(
    "--dry-run",
    section=OUTPUT,
    is_flag=True,
    help="Say what would be put back; the database is opened read-only.",
)
@setting(
    "--force",
    section=OUTPUT,
    environment=False,
    is_flag=True,
    help="Put them back even if k have changed since that run.",
)
@options.wait
@options.config
@options.messages
@click.pass_context
def rollback(ctx: click.Context, /, **parameters: Any) -> None:
    """Put the k before a run back for all its items, in one transaction.

    It is refused (exit code 4) where k in force are no longer what that run left, with
    the items named. An item that had no sh_p before gets 1, which is what its absence
    means. A rollback is a run of its own: it is on record, and can be rolled back.
    """
    from shsim.cli.work.past_runs import RollbackRequest, run_rollback

    run_rollback(RollbackRequest(typed=given(ctx), **parameters))
