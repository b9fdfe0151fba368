"""The items of an exam, validated once, where they are made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from shsim.arrays import AnyArray, BoolArray, FloatArray, IntArray
from shsim.errors import DataError
from shsim.model.ability import number

#: Stands in `topic_id` for an item without a topic; written as an empty field.
NO_TOPIC = int(np.iinfo(np.int64).min)

#: Parameters that an item without a calibration row is given.
DEFAULT_A, DEFAULT_B, DEFAULT_C, DEFAULT_K = 1.0, 0.0, 0.2, 1.0

#: Beyond these no calibration is plausible, and squares would lose their meaning.
LARGEST_A, LARGEST_B = 1e4, 1e6

#: Columns of a pool that is written down; an export has `d` only where one is below 1.
COLUMNS = ("question_id", "version", "topic_id", "a", "b", "c", "d", "sh_p")


@dataclass(frozen=True, slots=True, eq=False)
class ItemPool:
    """Items in the order of (question_id, version), which breaks ties in the ranking.

    Build one with :meth:`build`; every array has length N, is contiguous and
    read-only.

    Attributes
    ----------
    name
        The exam's code, or the file that the pool came from.
    question_id, version, topic_id
        int64; `topic_id` is `NO_TOPIC` where the item has none.
    a, b, c, d
        4PL discrimination (> 0), difficulty, guessing (in [0, 1)), and the upper
        asymptote (in (c, 1]), which is 1 throughout under the 3PL.
    k
        Exposure-control parameters in force, in [0, 1].
    k_stored
        False where no `sh_p` was recorded, and k = 1 was taken.
    defaulted
        True where the item had no calibration row and a=1, b=0, c=.2 were taken.
    """

    name: str
    question_id: IntArray
    version: IntArray
    topic_id: IntArray
    a: FloatArray
    b: FloatArray
    c: FloatArray
    d: FloatArray
    k: FloatArray
    k_stored: BoolArray
    defaulted: BoolArray

    @classmethod
    def build(
        cls,
        name: str,
        columns: Mapping[str, AnyArray],
        *,
        locate: Callable[[int], str] | None = None,
    ) -> ItemPool:
        """Validate columns and put the items in order.

        Parameters
        ----------
        name
            The exam's code, or the file's name.
        columns
            Arrays of one length: `question_id`, `version`, `topic_id` (int64), `a`,
            `b`, `c`, `k` (float64; NaN is a missing value), and, where they differ
            from all 1, all True and all False, `d` (float64), `k_stored` and
            `defaulted` (bool).
        locate
            Row number (as given) to its place, ``pool.csv:41``; by default `name`.

        Raises
        ------
        DataError
            Every problem of every row, or that there is no row.
        ValueError
            The columns differ in length.
        """
        n = len(columns["question_id"])
        if n == 0:
            raise DataError(f"{name}: the pool holds no item.")
        ids = np.asarray(columns["question_id"], dtype=np.int64)
        versions = np.asarray(columns["version"], dtype=np.int64)
        arrays: dict[str, AnyArray] = {
            "question_id": ids,
            "version": versions,
            "topic_id": np.asarray(columns["topic_id"], dtype=np.int64),
            **{key: np.asarray(columns[key], dtype=np.float64) for key in "abck"},
            "d": np.asarray(columns.get("d", np.ones(n)), dtype=np.float64),
            "k_stored": np.asarray(columns.get("k_stored", np.ones(n)), dtype=np.bool_),
            "defaulted": np.asarray(columns.get("defaulted", np.zeros(n)), dtype=np.bool_),
        }
        if any(array.shape != (n,) for array in arrays.values()):
            raise ValueError("every column must have one value for each item")
        order = np.lexsort((versions, ids))
        problems = list(_problems(name, arrays, order, locate))
        if problems:
            raise DataError(problems)
        for key, array in arrays.items():
            ordered = np.ascontiguousarray(array[order])
            ordered.flags.writeable = False
            arrays[key] = ordered
        return cls(name=name, **arrays)

    def __len__(self) -> int:
        return len(self.question_id)

    @property
    def has_upper(self) -> bool:
        """Whether any item's upper asymptote is below 1: the pool is 4PL, not 3PL."""
        return bool(np.any(self.d < 1))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the items are: ids, versions, topics, a, b, c, d; not of their k."""
        return _digest(
            self.question_id, self.version, self.topic_id, self.a, self.b, self.c, self.d
        )

    @property
    def keys(self) -> list[tuple[int, int]]:
        """Each item as ``(question_id, version)``, in order; made anew at each call."""
        return list(zip(self.question_id.tolist(), self.version.tolist(), strict=True))

    @property
    def k_fingerprint(self) -> str:
        """SHA-256 of the k in force."""
        return _digest(self.k)

    def with_k(self, k: FloatArray) -> ItemPool:
        """The same pool with other exposure-control parameters, all taken as stored."""
        fresh = np.array(k, dtype=np.float64)
        if fresh.shape != self.k.shape or not bool(np.all((fresh >= 0) & (fresh <= 1))):
            raise ValueError("k must have one value in [0, 1] for each item")
        stored = np.ones(len(self), dtype=np.bool_)
        fresh.flags.writeable = False
        stored.flags.writeable = False
        return replace(self, k=fresh, k_stored=stored)

    def item(self, i: int) -> str:
        """The item at position i as people write it: ``17/2``."""
        return f"{self.question_id[i]}/{self.version[i]}"


def _digest(*arrays: AnyArray) -> str:
    """SHA-256 of arrays in their order, the same on every machine."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


#: column, test of a good value, what to say of a bad one
_RANGES: tuple[tuple[str, Callable[[FloatArray], BoolArray], str], ...] = (
    ("a", lambda x: (x > 0) & (x <= LARGEST_A), f"outside (0, {LARGEST_A:g}]"),
    ("b", lambda x: np.abs(x) <= LARGEST_B, f"outside [-{LARGEST_B:g}, {LARGEST_B:g}]"),
    ("c", lambda x: (x >= 0) & (x < 1), "outside [0, 1)"),
    ("d", lambda x: (x > 0) & (x <= 1), "outside (0, 1]"),
    ("k", lambda x: (x >= 0) & (x <= 1), "outside [0, 1]"),
)


def _problems(
    name: str,
    arrays: Mapping[str, AnyArray],
    order: IntArray,
    locate: Callable[[int], str] | None,
) -> Iterator[str]:
    """One sentence for each bad value and each duplicate, in the order of the rows."""

    def place(row: int) -> str:
        where = locate(row) if locate else name
        return f"{where}: item {arrays['question_id'][row]}/{arrays['version'][row]}"

    found: list[tuple[int, str]] = []
    for column, good, complaint in _RANGES:
        values = arrays[column]
        label = "sh_p" if column == "k" else column
        for row in np.flatnonzero(~good(values)).tolist():
            value = float(values[row])
            what = "is missing" if np.isnan(value) else f"= {number(value)} is {complaint}"
            found.append((row, f"{place(row)}: {label} {what}."))
    c, d = arrays["c"], arrays["d"]
    for row in np.flatnonzero((c < 1) & (d > 0) & (d <= c)).tolist():
        what = f"d = {number(float(d[row]))} is not above c = {number(float(c[row]))}"
        found.append((row, f"{place(row)}: {what}."))
    ids, versions = arrays["question_id"][order], arrays["version"][order]
    twice = np.flatnonzero((ids[1:] == ids[:-1]) & (versions[1:] == versions[:-1])) + 1
    found.extend(
        (row, f"{place(row)}: the item stands twice in the pool.") for row in order[twice].tolist()
    )
    found.sort(key=lambda pair: pair[0])
    for _, sentence in found:
        yield f"{sentence} Correct the row and run again."
