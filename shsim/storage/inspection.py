"""What `db check` finds in the QBank tables, whichever database they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shsim.errors import DataError
from shsim.model.item_pool import ItemPool
from shsim.storage.base import Finding
from shsim.storage.exam_names import shown
from shsim.storage.postgres_rounding import rounding_words
from shsim.storage.tables import OPTIONAL_TABLES, TABLES

#: Bad items named for each exam; the rest is counted.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class TableState:
    """A table as it is found: no column means that it is not there, or not to be seen.

    `ask` is what to ask for where it is there, or in a schema that this role may not use, and may
    not be read; of a table that a run needs, that is among the hindrances to saving.
    """

    columns: frozenset[str] = frozenset()
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything to look at: tables, the answers to `sql/questions.sql`, each exam's pool.

    Attributes
    ----------
    tables
        By name, as they are found.
    ask
        Answers a question of `sql/questions.sql`, or of the database's own file, by name.
    load
        Loads an exam's pool, and refuses a bad one as a run would.
    unrecorded
        What the ledger lacks for runs to be recorded.
    hindrances
        Why no run could save here, or not by this user; a sentence each.
    """

    tables: Mapping[str, TableState]
    ask: Callable[[str], list[tuple[Any, ...]]]
    load: Callable[[str], ItemPool]
    unrecorded: str | None = None
    hindrances: Sequence[str] = ()

    def findings(self) -> list[Finding]:
        """Everything found; what the tables lack hides the rest."""
        found = [Finding(blocking=True, sentence=sentence) for sentence in self.hindrances]
        found += self._tables()
        if self.unrecorded is not None:
            found.append(
                Finding(blocking=False, sentence=f"Runs are not recorded: {self.unrecorded}.")
            )
        needed = [state for name, state in self.tables.items() if name not in OPTIONAL_TABLES]
        complete = all(
            self.tables[name].columns >= set(TABLES[name])
            for name in TABLES
            if name not in OPTIONAL_TABLES
        )
        found += self._responses()
        if complete and all(state.ask is None for state in needed):
            found += self._publications()
            found += self._exams()
        return found

    def _tables(self) -> Iterator[Finding]:
        for name, state in self.tables.items():
            blocking = name not in OPTIONAL_TABLES
            if state.ask is not None and not blocking:
                yield Finding(blocking, f"Table {name} may not be read. {state.ask}")
            missing = [column for column in TABLES[name] if column not in state.columns]
            if not state.columns:
                if state.ask is None:
                    yield Finding(
                        blocking, f"Table {name} is missing. Make it with `shsim db init`."
                    )
            elif missing:
                yield Finding(
                    blocking, f"Table {name} lacks {', '.join(missing)}. Add what is missing."
                )
        if "sh_p" in self.tables["item_exposure_control"].columns:
            for (kind,) in self.ask("rounding_k"):
                yield Finding(blocking=True, sentence=rounding_words(kind))

    def _responses(self) -> Iterator[Finding]:
        state = self.tables["user_responses"]
        if state.ask is not None or "created_at" not in state.columns:
            return
        ((undated,),) = self.ask("count_undated_responses")
        if undated:
            yield Finding(
                blocking=False,
                sentence=f"Table user_responses: {undated:,} rows have a created_at that is no"
                " moment. An audit leaves them out; write it as 2026-01-31 06:00:00.",
            )

    def _publications(self) -> Iterator[Finding]:
        for exam, count, first in self.ask("publications_without_version"):
            yield Finding(
                blocking=False,
                sentence=f"{shown(exam)}: {count:,} publications have no version row (item {first}"
                " is the first). They are left out; publish an existing version.",
            )
        for exam, count, first in self.ask("unpublished_live_versions"):
            yield Finding(
                blocking=False,
                sentence=f"{shown(exam)}: {count:,} live versions are not in the state 'published'"
                f" (item {first} is the first). They are left out.",
            )
        for exam, other, count in self.ask("shared_items"):
            yield Finding(
                blocking=False,
                sentence=f"{shown(exam)} and {shown(other)} share {count:,} items: their sh_p"
                " serves both exams.",
            )

    def _exams(self) -> Iterator[Finding]:
        exams = [str(exam) for exam, *_ in self.ask("exams")]
        if not exams:
            yield Finding(
                blocking=True,
                sentence="There is no exam. Make one with `shsim import`, or `shsim db demo`.",
            )
        for exam in exams:
            try:
                pool = self.load(exam)
            except DataError as error:
                for problem in error.problems[:_NAMED]:
                    yield Finding(blocking=True, sentence=problem.replace(exam, shown(exam), 1))
                if len(error.problems) > _NAMED:
                    more = len(error.problems) - _NAMED
                    yield Finding(blocking=True, sentence=f"{shown(exam)}: {more:,} more alike.")
                continue
            if pool.defaulted.any():
                yield Finding(
                    blocking=False,
                    sentence=f"{shown(exam)}: {int(pool.defaulted.sum()):,} items have no 3pl"
                    " calibration and run with a=1, b=0, c=.2. Give them a calibration row.",
                )
