"""`shsim sweep`: its options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command, given
from shsim.cli.config_file import left_aside
from shsim.cli.options import RULE, TEST, setting
from shsim.cli.series import Series

EPILOG = """
\b
Examples:
  shsim sweep --exam MATH-1
      Every cap from 0.10 to 0.30 in steps of 0.02.
  shsim sweep --exam MATH-1 --tau 0.1,0.15,0.2 --len 20:40:5
      Three caps for tests of 20, 25, 30, 35 and 40 items.
  shsim sweep --pool pool.csv --format csv > sweep.csv
  shsim sweep --exam MATH-1 --output sweep.json

\b
In CSV and JSON a point is feasible if no expected rate is over tau and
every test is filled, both within 0.1 %. over counts items above tau(1+tol):
nothing is drawn, so the rest is rounding. Fields are empty under L/N.
"""

_TAUS = "0.10:0.30:0.02"


@click.command(
    cls=Command, epilog=EPILOG, short_help="Show what each of several caps costs; save nothing."
)
@options.exam
@options.dsn
@options.pool
@setting(
    "--len",
    "--test-len",
    "lengths",
    section=TEST,
    type=Series(whole=True, example="20:40:5"),
    metavar="SERIES",
    default="30",
    show_default=True,
    help="Items a test: N, a list N,N,N or START:STOP:STEP.",
)
@setting(
    "--tau",
    "taus",
    section=TEST,
    type=Series(whole=False, example=_TAUS),
    metavar="SERIES",
    default=_TAUS,
    show_default=True,
    help="Caps to calibrate for: a list (0.1,0.15,0.2) or START:STOP:STEP, the stop included.",
)
@options.ability(
    "The ability that ranks the items: true, since a sweep is solved in closed form. For eap and"
    " the others, calibrate at each cap with --dry-run."
)
@options.delivered
@options.bounds
@setting(
    "--iters",
    section=RULE,
    type=int,
    metavar="N",
    help="The most iterations a point.",
    fallback="200",
)
@options.tol
@options.nodes
@options.result
@options.threads
@options.config
@options.messages
@click.pass_context
def command(ctx: click.Context, /, **parameters: Any) -> None:
    """Show what each of several caps, or test lengths, costs in information.

    Calibrates by --method exact at every point, each from the solution before, and draws no
    examinee. Says first which is the tightest cap that this pool meets. Nothing is saved; the
    database is opened read-only.
    """
    # NumPy and Numba load here, so that help and completion need not wait for them.
    from shsim.cli.work.sweeping import Request, run

    blueprint = "the blueprint of --config" if "blueprint" in left_aside(ctx) else None
    run(Request(typed=given(ctx), blueprint_left=blueprint, **parameters))
