"""`shsim audit`: its options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command
from shsim.cli.options import OUTPUT, TEST, setting

LIVE = "Which attempts"

EPILOG = """
\b
Examples:
  shsim audit --exam MATH-1
      Attempts since the newest run that saved its k; one k that was set by
      hand since then is warned of.
  shsim audit --exam MATH-1 --since 2026-01-31 --tests 5120
      Since a date; so many tests were taken.
  shsim audit --exam MATH-1 --require-cap --quiet
      For a monitor: exit code 5 where an item is over the cap beyond noise, 3
      where that can't be told.
  shsim audit --exam MATH-1 --format csv > live.csv

\b
CSV has one row an item: question_id, version, topic_id, attempts, live_rate,
live_low, live_high, predicted_rate, sh_p, shared, flag (over, drift_up,
drift_down, unpublished). Items that other exams share have no live rate. With
--redis also live_proposals, live_acceptance (empty where no whole day has
been counted), and the flags accepts_more and accepts_less: attempts by
proposal are off k by a tenth and beyond noise.
"""


@click.command(
    cls=Command,
    epilog=EPILOG,
    short_help="Hold live exposure against the cap and the prediction.",
)
@options.exam
@options.dsn
@options.redis
@setting(
    "--since",
    section=LIVE,
    metavar="DATE",
    help="Attempts from then on: 2026-01-31, 2026-01-31T06:00, 2026-01-31T06:00+01:00; UTC where"
    " no zone is given.",
)
@setting(
    "--since-run",
    section=LIVE,
    type=click.IntRange(min=1),
    metavar="RUN",
    help="Attempts since this run saved its k.",
    fallback="the newest that did so for more than one item, or another exam's that made the k",
)
@setting(
    "--tests",
    section=LIVE,
    type=click.IntRange(min=1, max=10**9),
    metavar="N",
    help="Tests that were taken, which the database does not tell. Left out, they are estimated:"
    " attempts on items that no other exam shares, by as many of them as a test holds.",
)
@setting(
    "--len",
    "--test-len",
    "length",
    section=TEST,
    type=int,
    metavar="N",
    help="Items a live test.",
    fallback="that of the run that made the k in force, else 30",
)
@setting(
    "--tau",
    section=TEST,
    type=float,
    metavar="RATE",
    help="The cap to judge by.",
    fallback="that of the run that made the k in force, else 0.2",
)
@options.result
@setting(
    "--require-cap",
    section=OUTPUT,
    is_flag=True,
    help="End with exit code 5 where an item is over the cap beyond noise, and with 3 where that"
    " can't be told: no attempts, or too few. Where the ledger can't be read, it wants --tau and"
    " --len.",
)
@options.threads
@options.config
@options.messages
def command(**parameters: Any) -> None:
    """Hold live exposure, counted from user_responses, against the cap and the prediction.

    Says which items are over the cap beyond noise, which are used more or less than
    the k in force should make them, and which are used unpublished. The prediction is a
    simulation with the settings of the run that made the k in force. Nothing is written;
    the database is opened read-only.
    """
    # NumPy and Numba load here, so that help and completion need not wait for them.
    from shsim.cli.work.auditing import Request, run

    run(Request(**parameters))
