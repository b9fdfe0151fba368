"""Whose k are in force: the calibrations, of whatever exam, that left an exam's k as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shsim.storage.undone_runs import undone_since

#: Saved calibrations looked at, newest first: of the exam itself, and of all others together.
_OWN, _OTHERS = 20, 10

#: Bounds under which k are counted: those that restrain; where none does, all.
_BOUNDS = (1, 2)


def makers_of(cursor: Any, sql: Mapping[str, str], exam: str) -> tuple[list[tuple[int, int]], int]:
    """Runs with how many of an exam's k they made, the most first; and how many k there are.

    A k is the newest run's that left it so and was not rolled back. Counted are those below 1;
    where there are none, all.

    Parameters
    ----------
    cursor
        In a database with a ledger that may be read.
    sql
        The ledger's statements.
    exam
        Its items are those that it publishes now.
    """
    runs = _candidates(cursor, sql, exam)
    if not runs:
        return [], 0
    branches = " ".join(sql["left_so"].replace("RUN", str(run)) for run in runs)
    for bound in _BOUNDS:
        # The newest run is asked first, item by item: older ones are for what it did not leave.
        statement = sql["makers"].replace("BRANCHES", branches)
        cursor.execute(statement, {"exam": exam, "bound": bound})
        counts = dict(cursor.fetchall())
        if counts:
            break
    found = [(int(run), int(count)) for run, count in counts.items() if run is not None]
    return sorted(found, key=lambda pair: (-pair[1], -pair[0])), sum(counts.values())


def _candidates(cursor: Any, sql: Mapping[str, str], exam: str) -> list[int]:
    """Saved calibrations of an exam, and of those that share its items; the newest first."""
    saved = _Saved(cursor, sql, undone_since(cursor, sql, 0))
    cursor.execute(sql["other_exams"], {"exam": exam})
    newest = {name: saved.of(name, 1) for (name,) in cursor.fetchall()}
    others = _sharing(cursor, sql, newest, exam)
    # Some of each: an exam that is calibrated every night hides no other.
    share = max(1, _OTHERS // max(1, len(others)))
    theirs = sorted((run for other in others for run in saved.of(other, share)), reverse=True)
    return sorted([*saved.of(exam, _OWN), *theirs[:_OTHERS]], reverse=True)


def _sharing(
    cursor: Any, sql: Mapping[str, str], newest: Mapping[str, Sequence[int]], exam: str
) -> list[str]:
    """Exams whose newest run wrote items of this one; `newest` has the run of each, if any."""
    cursor.execute(sql["exam_size"], {"exam": exam})
    (size,) = cursor.fetchone()
    named = [
        (other, {"exam": exam, "run": run, "size": size})
        for other, runs in newest.items()
        for run in runs
    ]
    return [other for other, asked in named if _wrote_any(cursor, sql, asked)]


def _wrote_any(cursor: Any, sql: Mapping[str, str], asked: Mapping[str, Any]) -> bool:
    """Whether a run wrote items of an exam, asked by whichever has fewer (a million, perhaps)."""
    cursor.execute(sql["wrote_more"], asked)
    by_exam = cursor.fetchone() is not None
    cursor.execute(sql["any_written" if by_exam else "wrote_any"], asked)
    return cursor.fetchone() is not None


@dataclass(frozen=True, slots=True)
class _Saved:
    """Saved calibrations, but for those in `undone`: they made none of the k in force.

    A k that they and the run before them left alike would be taken for theirs.
    """

    cursor: Any
    sql: Mapping[str, str]
    undone: Mapping[int, int]

    def of(self, exam: str, limit: int) -> list[int]:
        """Those of an exam, the newest first."""
        named = {"exam": exam, "limit": limit + len(self.undone)}
        self.cursor.execute(self.sql["saved_calibrations"], named)
        found = (int(run) for (run,) in self.cursor.fetchall())
        return [run for run in found if run not in self.undone][:limit]
