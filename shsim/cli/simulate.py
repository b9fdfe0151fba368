"""`shsim simulate`: its options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command, given
from shsim.cli.controls import EVERY, ControlList, ControlName
from shsim.cli.options import OUTPUT, TEST, setting

EPILOG = """
\b
Examples:
  shsim simulate
      The demo exam in the embedded database, made on first use.
  shsim simulate --exam MATH-1 --rejection examinee
      What the saved k do under the other kind of selector.
  shsim simulate --exam MATH-1 --compare none,sh,randomesque:5
      The k in force beside what other programmes use.
  shsim simulate --exam MATH-1 --format csv | head -3
  shsim simulate --pool k.csv --n 1000000 --output exposure.csv
"""


@click.command(
    cls=Command, epilog=EPILOG, short_help="Show what the k in force do; change nothing."
)
@options.exam
@options.dsn
@options.pool
@options.test
@setting(
    "--n",
    section=TEST,
    type=int,
    metavar="N",
    help="Simulated examinees; 20000 with --compare, so that it takes seconds.",
    fallback="200000",
)
@setting(
    "--control",
    section=TEST,
    type=ControlName(),
    metavar="CONTROL",
    help="What keeps items from being seen too often. none: nothing. sh: the k in force."
    " randomesque:K: one of the K most informative items left. progressive: chance at first,"
    " information in the end. restricted: no item that a share tau has seen so far. eligibility:"
    " items are drawn to be eligible, in the light of how many have seen them.",
    fallback="sh",
)
@setting(
    "--compare",
    section=TEST,
    type=ControlList(),
    is_flag=False,
    flag_value=EVERY,
    metavar="[LIST]",
    help="Show several controls side by side, on the same examinees, who answer alike: a list"
    " joined by commas; or no list for every kind, and randomesque:5.",
)
@setting(
    "--method",
    section=TEST,
    type=click.Choice(["sampled", "exact"]),
    metavar="HOW",
    help="sampled: simulated examinees. exact: expected exposure, without noise; seen and"
    " proposed are then what is expected of one examinee.",
    fallback="sampled",
)
@options.nodes
@setting(
    "--tol",
    section=TEST,
    type=float,
    metavar="SHARE",
    help="Relative excess over tau that counts as none.",
    fallback="0.01",
)
@options.result
@setting(
    "--dry-run",
    section=OUTPUT,
    is_flag=True,
    help="Write nothing to the database and open it read-only.",
)
@options.threads
@options.config
@options.messages
@click.pass_context
def command(ctx: click.Context, /, **parameters: Any) -> None:
    """Show what the k in force do to exposure, overlap and information; change nothing.

    --control and --compare show what other programmes' controls would do in their place.
    """
    # NumPy and Numba load here, so that help and completion need not wait for them.
    from shsim.cli.work.comparison import compare
    from shsim.cli.work.simulation import Request, run

    request = Request(typed=given(ctx), **parameters)
    if request.compare is None:
        run(request)
    else:
        compare(request, request.compare)
