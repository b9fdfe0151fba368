"""A pool written as text, row by row: read whole, every problem of it reported at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shsim.arrays import AnyArray
from shsim.errors import DataError
from shsim.model.item_pool import COLUMNS, DEFAULT_K, NO_TOPIC, ItemPool

REQUIRED = ("question_id", "a", "b", "c")

#: Columns of our own exports that a pool does not need.
IGNORED = frozenset(
    {"sh_p_before", "seen", "proposed", "exposure_rate", "exposure_low", "exposure_high", "flag"}
)

_REMEDY = "Correct the row and run again."
_INTEGER = re.compile(r"\s*[-+]?[0-9]+\s*", re.ASCII)
_NUMBER = re.compile(
    r"\s*[-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]+)?|inf|infinity)\s*",
    re.ASCII | re.IGNORECASE,
)
_SMALLEST, _LARGEST = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)

#: What an empty field, or a column that is not there, stands for; None: the row is refused.
_DEFAULTS: Mapping[str, int | float | None] = {
    "question_id": None,
    "version": 1,
    "topic_id": NO_TOPIC,
    "a": np.nan,
    "b": np.nan,
    "c": np.nan,
    "d": 1.0,
    "sh_p": DEFAULT_K,
}
#: What a field that cannot be read is taken for, so that the rest can be checked too.
_HARMLESS: Mapping[str, float] = {"a": 1.0, "b": 0.0, "c": 0.0, "d": 1.0, "sh_p": 1.0}


def header_problems(names: Sequence[str]) -> list[str]:
    """What is wrong with the columns of a pool: missing, unknown, or there twice."""
    counted = Counter(names)  # asking the list would take hours for a row of a million commas
    problems = [f"column {name} is missing." for name in REQUIRED if name not in counted]
    unknown = sorted(name for name in counted if name not in IGNORED and name not in COLUMNS)
    twice = sorted(name for name, count in counted.items() if count > 1)
    problems += [f"column {_quoted(name)} is unknown." for name in unknown]
    problems += [f"column {_quoted(name)} stands there twice." for name in twice]
    return problems


def header_remedy() -> str:
    """The columns that a pool may have."""
    return (
        f"A pool has the columns {','.join(COLUMNS)}, of which {', '.join(REQUIRED)} must be there."
    )


@dataclass(slots=True)
class PoolText:
    """Rows of fields, and how to name their places; :meth:`pool` is called once.

    Attributes
    ----------
    name
        The file's name, which becomes the pool's.
    fields
        The fields of each column, as written; '' is missing.
    size
        The number of rows.
    locate
        Row number to its place, ``pool.csv:41``.
    problems
        What is wrong, by row; what stands between two rows has half a number.
    """

    name: str
    fields: Mapping[str, Sequence[str]]
    size: int
    locate: Callable[[int], str]
    problems: list[tuple[float, str]] = field(default_factory=list)
    unnamed: set[int] = field(default_factory=set)

    def pool(self) -> ItemPool:
        """The pool.

        Raises
        ------
        DataError
            Every field that cannot be read and every value out of range, by row.
        """
        columns: dict[str, AnyArray] = {
            name: self._integers(name) for name in ("question_id", "version", "topic_id")
        }
        columns |= {name: self._numbers(name) for name in "abcd"}
        columns["k"] = self._numbers("sh_p")
        given = self.fields.get("sh_p")
        columns["k_stored"] = (
            np.zeros(self.size, dtype=np.bool_)
            if given is None
            else np.array([bool(text.strip()) for text in given], dtype=np.bool_)
        )
        try:
            pool = ItemPool.build(self.name, columns, locate=self._locate_numbered)
        except DataError as error:
            if self.size == 0:
                raise
            self._adopt(error.problems, columns)
        else:
            if not self.problems:
                return pool
        self.problems.sort(key=lambda pair: pair[0])
        raise DataError([sentence for _, sentence in self.problems])

    def _locate_numbered(self, row: int) -> str:
        return f"{row}\0{self.locate(row)}"

    def _adopt(self, sentences: Sequence[str], columns: Mapping[str, AnyArray]) -> None:
        """Take the model's problems in, with the row that each belongs to."""
        for numbered in sentences:
            number, sentence = numbered.split("\0", 1)
            row = int(number)
            if row in self.unnamed:
                stand_in = f"item {columns['question_id'][row]}/{columns['version'][row]}: "
                sentence = sentence.replace(stand_in, "", 1)
            self.problems.append((row, sentence))

    def _integers(self, name: str) -> AnyArray:
        default = _DEFAULTS[name]
        texts = self.fields.get(name)
        if texts is None:
            return np.full(self.size, default, dtype=np.int64)
        if _plain("".join(texts)):
            try:
                read = np.array(list(map(int, texts)), dtype=np.int64)
            except (ValueError, OverflowError):
                pass  # the long way finds out which, and why
            else:
                if name != "topic_id" or not (read == NO_TOPIC).any():
                    return read
        values = np.zeros(self.size, dtype=np.int64)
        for row, text in enumerate(texts):
            value = self._integer(name, row, text)
            if value is None:
                # No two rows without a readable id may pass for the same item.
                value = _SMALLEST + 1 + row if name == "question_id" else row
                if name != "topic_id":
                    self.unnamed.add(row)
            values[row] = value
        return values

    def _integer(self, name: str, row: int, text: str) -> int | None:
        if not text.strip():
            default = _DEFAULTS[name]
            if default is None:
                self._say(row, f"{name} is missing.")
            return None if default is None else int(default)
        if not _INTEGER.fullmatch(text):
            self._say(row, f"{name} = {_quoted(text)} is not a whole number.")
            return None
        # A number this long is out of range, and Python refuses to convert longer ones.
        value = int(text) if len(text.strip()) <= 40 else _LARGEST + 1
        if not _SMALLEST <= value <= _LARGEST:
            self._say(row, f"{name} = {_quoted(text)} is outside the 64-bit integers.")
            return None
        if name == "topic_id" and value == NO_TOPIC:
            self._say(row, f"{name} = {value} stands for no topic here. Leave the field empty.")
            return None
        return value

    def _numbers(self, name: str) -> AnyArray:
        default = _DEFAULTS[name]
        texts = self.fields.get(name)
        if texts is None:
            return np.full(self.size, default, dtype=np.float64)
        if _plain("".join(texts)):
            try:
                read = np.array(list(map(float, texts)), dtype=np.float64)
            except ValueError:
                pass  # the long way finds out which
            else:
                if not np.isnan(read).any():  # what is written nan is not missing
                    return read
        values = np.empty(self.size, dtype=np.float64)
        for row, text in enumerate(texts):
            if not text.strip():
                values[row] = default
            elif _NUMBER.fullmatch(text):
                values[row] = float(text)
            else:
                self._say(row, f"{name} = {_quoted(text)} is not a number.")
                values[row] = _HARMLESS[name]
        return values

    def _say(self, row: int, what: str) -> None:
        self.problems.append((row, f"{self.locate(row)}: {self._item(row)}{what} {_REMEDY}"))

    def _item(self, row: int) -> str:
        """The item's name, as far as its row gives one."""
        question = self.fields["question_id"][row].strip()
        version = self.fields["version"][row].strip() if "version" in self.fields else ""
        if not _INTEGER.fullmatch(question) or (version and not _INTEGER.fullmatch(version)):
            return ""
        return f"item {_quoted(question, marks='')}/{_quoted(version or '1', marks='')}: "


def _plain(text: str) -> bool:
    """Whether Python's own conversions, which know 1_000 and other scripts' digits, are safe."""
    return text.isascii() and "_" not in text


def _quoted(text: str, marks: str = "'") -> str:
    """A field as a message shows it: short, and on one line."""
    shown: Any = text if len(text) <= 40 else f"{text[:37]}..."
    return repr(shown) if marks else str(shown)
