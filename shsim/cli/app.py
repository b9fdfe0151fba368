"""`shsim`: the entry point, and the commands by name; none is loaded before it is run."""

from __future__ import annotations

import os
import sys

import click

from shsim import __version__
from shsim.cli.command import LazyGroup, one_spelling
from shsim.cli.log_lines import choose_early
from shsim.cli.process import run_process, stop_if_interrupted
from shsim.cli.process_title import hide_passwords

#: Name to place and short help, which a test compares with the command's own.
COMMANDS = {
    "calibrate": (
        "shsim.cli.calibrate:command",
        "Find the k that hold the cap, verify them, save them.",
    ),
    "simulate": ("shsim.cli.simulate:command", "Show what the k in force do; change nothing."),
    "sweep": ("shsim.cli.sweep:command", "Show what each of several caps costs; save nothing."),
    "trace": ("shsim.cli.trace:command", "Show a few simulated tests, position by position."),
    "audit": ("shsim.cli.audit:command", "Hold live exposure against the cap and the prediction."),
    "proposals": (
        "shsim.cli.proposals:command",
        "Show what live selectors proposed, from Redis.",
    ),
    "history": ("shsim.cli.history:history", "List past runs, newest first."),
    "show": ("shsim.cli.history:show", "Show one past run in full."),
    "diff": ("shsim.cli.history:diff", "Show what differs between two runs."),
    "rollback": ("shsim.cli.history:rollback", "Put the k before a run back."),
    "export": ("shsim.cli.transfer:export", "Write an exam's pool and k as CSV or JSON."),
    "import": ("shsim.cli.transfer:import_", "Publish a pool from a CSV or JSON file."),
    "serve": ("shsim.cli.serving:serve", "Serve the admin API over HTTP."),
    "token": ("shsim.cli.serving:token", "Mint a token for development."),
    "db": ("shsim.cli.database:group", "Make the tables, the demo exam; check both."),
    "doctor": ("shsim.cli.doctor:command", "Show what would stop or slow a run."),
}

EPILOG = """
\b
Examples:
  shsim calibrate                     the demo exam, in a database of its own
  shsim calibrate --dsn postgresql://qbank@db/qbank --exam MATH-1 --tau 0.2
  shsim simulate --exam MATH-1 --format csv > exposure.csv
  shsim sweep --exam MATH-1 --tau 0.10:0.30:0.02
  shsim trace --exam MATH-1 --ability eap
  shsim audit --exam MATH-1           do live tests hold the cap?
  shsim history --exam MATH-1         past runs; shsim rollback RUN undoes one
  shsim calibrate --pool pool.csv --output k.csv

\b
Any option can be set as SHSIM_<NAME> (SHSIM_TAU=0.15), or in a TOML file
(--config); the command line beats the environment, which beats the file.

\b
Exit codes:
    0  done
    1  a bug in shsim
    2  the command line, SHSIM_... or --config is wrong
    3  bad data, or settings that they cannot meet
    4  the database is out of reach, refuses, or changed under the run
    5  the cap is not held (with --require-cap; nothing is saved)
    6  an optional extra is not installed
  130  interrupted; nothing is saved, unless the message says otherwise
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    epilog=EPILOG,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": one_spelling,
    },
)
@click.version_option(__version__, message="shsim %(version)s")
def cli() -> None:
    """Sympson-Hetter exposure control for computerized adaptive tests.

    Finds for every item the probability k with which it may be administered once it is
    selected, so that no item is seen by more than a share tau of the examinees; verifies
    it on fresh examinees, and saves it as sh_p.
    """


def main() -> None:
    """Run the command line; the process ends here."""
    hide_passwords()
    run_process(lambda: invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> None:
    """Parse and run, leaving every exception to the caller."""
    if "_SHSIM_COMPLETE" in os.environ:
        cli.main(arguments, prog_name="shsim")  # click's own answer to the shell
    choose_early(arguments)
    stop_if_interrupted()
    with cli.make_context("shsim", list(arguments)) as context:
        cli.invoke(context)
