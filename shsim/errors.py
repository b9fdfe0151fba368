"""Every exception of shsim and its exit code; imports nothing of ours.

A message says what is wrong, where, and what to do. ``shsim.cli.app`` is the
one place that catches these and turns them into an exit code.
"""

from __future__ import annotations

from collections.abc import Sequence

EXIT_OK = 0
EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_DATA = 3
EXIT_DATABASE = 4
EXIT_CAP_NOT_HELD = 5
EXIT_MISSING_EXTRA = 6
EXIT_INTERRUPTED = 130

#: Problems printed in full; the rest is counted.
PROBLEMS_SHOWN = 20


class ShsimError(Exception):
    """A fault that the operator can mend; the program ends with `exit_code`."""

    exit_code = EXIT_BUG


class UsageError(ShsimError):
    """The command line, an environment variable or a TOML file is wrong."""

    exit_code = EXIT_USAGE


class DataError(ShsimError):
    """Bad data, or settings that cannot be met: every problem found, one a line.

    Parameters
    ----------
    problems
        One complete sentence each: what is wrong, where, what to do.
    """

    exit_code = EXIT_DATA

    def __init__(self, problems: Sequence[str] | str) -> None:
        several = (problems,) if isinstance(problems, str) else problems
        # A name with a newline in it must not forge a line of its own.
        self.problems: tuple[str, ...] = tuple(each.replace("\n", "\\n") for each in several)
        shown = list(self.problems[:PROBLEMS_SHOWN])
        hidden = len(self.problems) - len(shown)
        if hidden:
            shown.append(f"... and {hidden:,} more of the kind.")
        super().__init__("\n".join(shown))


class NotFoundError(DataError):
    """What was named (an exam, a run, an item) is not there."""


class DatabaseError(ShsimError):
    """The database is out of reach, lacks something, or changed under the run."""

    exit_code = EXIT_DATABASE


class RefusedError(DatabaseError):
    """A rule of ours forbids the write: the pool changed, k moved on, another run has the exam."""


class PoolChangedError(RefusedError):
    """The pool is no longer the one that was computed from, so nothing was saved."""


class ExamBusyError(RefusedError):
    """Another run has the exam.

    Parameters
    ----------
    exam
        The exam's code.
    label
        The database as people name it.
    holder
        Who holds its lock: "by ...".
    patience
        Seconds that the operator would have waited; None where nobody could be asked to.
    """

    def __init__(self, exam: str, label: str, holder: str, patience: float | None = None) -> None:
        waited = f", after {patience:g} s of waiting" if patience else ""
        remedy = ", or let it wait: --wait SECONDS" if patience == 0 else ""
        super().__init__(
            f"{exam} is in use: its lock in {label} is held {holder}{waited}."
            f" Nothing was written. Run again when that has ended{remedy}."
        )
        self.exam = exam


class UnsettledError(DatabaseError):
    """The database went while it was saving: all of that stands or nothing, nobody knows which."""


class DamagedError(DatabaseError):
    """The database is damaged, or none at all: nothing more is written to it, no record either."""


class BrokenFileError(DamagedError):
    """The database's file is no longer whole, wherever in it that was seen."""


class CapNotHeldError(ShsimError):
    """`--require-cap` was given and the cap is not held; nothing was saved."""

    exit_code = EXIT_CAP_NOT_HELD


class MissingExtraError(ShsimError):
    """An optional extra is not installed; the message names the command to type."""

    exit_code = EXIT_MISSING_EXTRA


class Stopped(KeyboardInterrupt):
    """Whoever watches a run ends it, as Ctrl-C does: nothing is saved.

    A program with several runs at once has no signal for each of them. The text says why;
    the ledger keeps it.
    """


class Interruption(KeyboardInterrupt):
    """An interrupt of which more is known: `outcome` says what was saved before it."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
