"""`shsim trace`: its options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command, given
from shsim.cli.options import OUTPUT, setting

EPILOG = """
\b
Examples:
  shsim trace --exam MATH-1 --ability eap --seed 1
      Three adaptive tests: each item, its answer, the estimate after it.
  shsim trace --exam MATH-1 --ability eap --seed 1 --first 41 --tests 1
      The test that examinee 41 gets in shsim simulate with that seed.
  shsim trace --pool k.csv --format csv > tests.csv
  shsim trace --exam MATH-1 --blueprint content.toml --format json

\b
CSV has one row a position: examinee, theta, position, question_id, version,
topic_id, ranked_at (the ability that ranked the items), information (there),
rejected (items joined by |), forced, response (1 right), theta_hat,
standard_error.
"""


@click.command(
    cls=Command, epilog=EPILOG, short_help="Show a few simulated tests, position by position."
)
@options.exam
@options.dsn
@options.pool
@setting(
    "--tests",
    section=OUTPUT,
    type=int,
    metavar="N",
    help="Tests to show.",
    fallback="3",
)
@setting(
    "--first",
    section=OUTPUT,
    type=int,
    metavar="N",
    help="The first examinee to show; they are numbered from 0.",
    fallback="0",
)
@options.untargeted_test
@options.result
@options.config
@options.messages
@click.pass_context
def command(ctx: click.Context, /, **parameters: Any) -> None:
    """Show a few simulated tests, position by position: for people who want to believe it.

    Which items were proposed and rejected, which one was given, the answer, and the
    estimate after it. The tests are those that shsim simulate gives to the same examinees
    with the same seed. Nothing is saved; the database is opened read-only.
    """
    # NumPy and Numba load here, so that help and completion need not wait for them.
    from shsim.cli.work.tracing import Request, run

    run(Request(typed=given(ctx), **parameters))
