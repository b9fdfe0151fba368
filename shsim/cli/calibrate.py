"""`shsim calibrate`: its options."""

from __future__ import annotations

from typing import Any

import click

from shsim.cli import options
from shsim.cli.command import Command, given
from shsim.cli.options import OUTPUT, RULE, setting

EPILOG = """
\b
Examples:
  shsim calibrate
      The demo exam in the embedded database, made on first use.
  shsim calibrate --dsn postgresql://qbank@db/qbank --exam MATH-1 --tau 0.15
      Load, iterate, verify, and save sh_p in one transaction.
  shsim calibrate --exam MATH-1 --ability eap
      For a live test that ranks by an estimate: theta is estimated anew after
      each simulated response. Tables for the true theta miss the cap there.
  shsim calibrate --exam MATH-1 --ability eap --se-stop 0.3 --max-len 40
      Tests end once the standard error is .3, or after 40 items.
  shsim calibrate --exam MATH-1 --ability eap --blueprint content.toml
      Each test has the least and the most items of each topic.
  shsim calibrate --exam MATH-1 --dry-run --format json > run.json
      Everything but the saving; the database is opened read-only.
  shsim calibrate --from-run 12 --dry-run
      Run 12 again, from the k before it; see `shsim history`.
  shsim calibrate --pool pool.csv --output k.csv --require-cap
      No database. k.csv appears only if the cap is held; else exit code 5.
  shsim calibrate --exam MATH-1 --ability eap --checkpoint math.run --resume
      Type it again after a crash: it goes on where it was. A schedule has
      --or-anew too, lest an edit of an item after the crash stop each night.
  shsim calibrate --exam MATH-1 --wait 600
      Should another run have the exam, wait for it, ten minutes at most.

\b
The first QBank script, step for step:
  shsim calibrate --exam MATH-1 --method damped --n 500 --iters 6 --alpha 0.6
      --decay 0 --floor 0.02
"""


@click.command(
    cls=Command, epilog=EPILOG, short_help="Find the k that hold the cap, verify them, save them."
)
@options.exam
@options.dsn
@options.pool
@options.test
@setting(
    "--method",
    section=RULE,
    type=click.Choice(["classical", "damped", "exact"]),
    metavar="RULE",
    help="Update rule. classical: the k that would have met the cap, had nothing else changed."
    " damped: the first script's k*tau/r. exact: classical on expected exposure, with no"
    " examinees and no noise.",
    fallback="classical",
)
@setting(
    "--n",
    section=RULE,
    type=int,
    metavar="N",
    help="Simulated examinees an iteration.",
    fallback="the method's own",
)
@setting(
    "--iters",
    section=RULE,
    type=int,
    metavar="N",
    help="The most iterations.",
    fallback="the method's own",
)
@setting(
    "--alpha",
    section=RULE,
    type=float,
    metavar="X",
    help="First step, as an exponent of the correction.",
    fallback="the method's own",
)
@setting(
    "--decay",
    section=RULE,
    type=float,
    metavar="X",
    help="How fast steps shrink after the tenth iteration; 0: never.",
    fallback="0.6",
)
@options.bounds
@setting(
    "--target",
    section=RULE,
    type=float,
    metavar="SHARE",
    help="Aim at this share of tau, so that noise stays under the cap.",
    fallback="0.995; 1 for damped with --decay 0",
)
@options.tol
@options.nodes
@setting(
    "--restart",
    section=RULE,
    is_flag=True,
    help="Start from k = 1, not the k in force. Where tests are simulated position by position"
    " (estimated ability, a blueprint): from the exact solution at the true theta, as also"
    " happens unasked where the k in force are far off.",
)
@setting(
    "--verify-n",
    section=RULE,
    type=int,
    metavar="N",
    help="Fresh examinees to judge by.",
    fallback="enough to see an excess of --tol",
)
@setting(
    "--from-run",
    section=RULE,
    environment=False,
    type=click.IntRange(min=1),
    metavar="RUN",
    help="Repeat a run on record: its exam, its settings and seed, from the k before it. It gives"
    " the same k, and is refused where items have changed since.",
)
@options.result
@setting(
    "--explain",
    section=OUTPUT,
    is_flag=True,
    help="Say what the cap costs even where it is held: the smallest cap this pool meets, the"
    " largest floor, the price by ability. Some seconds; for --ability true.",
)
@setting(
    "--dry-run",
    section=OUTPUT,
    is_flag=True,
    help="Save nothing; the database is opened read-only.",
)
@setting(
    "--require-cap",
    section=OUTPUT,
    is_flag=True,
    help="Save nothing and end with 5 if the cap is not held, or --verify-n is too few to tell.",
)
@setting(
    "--force",
    section=OUTPUT,
    environment=False,
    is_flag=True,
    help="Save even if the pool changed in the database since it was loaded.",
)
@options.wait
@setting(
    "--checkpoint",
    section=OUTPUT,
    metavar="FILE",
    type=click.Path(),
    help="Keep the state of the iterations in FILE, about once a second, so that a run that is"
    " killed can go on. A run that is over removes it; one that finds the state of another is"
    " refused. One file a run; not for --method exact.",
)
@setting(
    "--resume",
    section=OUTPUT,
    is_flag=True,
    help="Go on from --checkpoint FILE to the same bytes as if never ended, with its seed if none"
    " is given; another pool or other settings are refused. Where there is no FILE, start anew.",
)
@setting(
    "--or-anew",
    section=OUTPUT,
    is_flag=True,
    help="Start anew over what stands in FILE, with a warning; with --resume only where FILE is"
    " damaged or the items, the k in force, settings or shsim have changed since. The FILE of"
    " another pool is refused all the same.",
)
@options.threads
@options.config
@options.messages
@click.pass_context
def command(ctx: click.Context, /, **parameters: Any) -> None:
    """Find the k that hold the cap, verify them on fresh examinees, and save them.

    The summary says first whether the cap is held. A table that misses it is saved all
    the same, with the reason and the remedy, unless --require-cap is given: the table in
    force is usually worse.
    """
    # NumPy and Numba load here, so that help and completion need not wait for them.
    from shsim.cli.work.calibration import Request, run

    number = parameters.pop("from_run")
    request = Request(typed=given(ctx), **parameters)
    if number is None:
        run(request)
    else:
        from shsim.cli.work.repeating import repeat

        repeat(request, number)
