"""The exam DEMO-EXAM: an operational pool as a testing programme might have it.

480 items in 8 topics, nothing calibrated for exposure yet, and six weeks of responses
to the uncontrolled test, which wears the most informative items out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from shsim.arrays import FloatArray, IntArray
from shsim.errors import DataError
from shsim.model.item_pool import DEFAULT_A, DEFAULT_B, DEFAULT_C, ItemPool
from shsim.storage.base import Store

DEMO_EXAM = "DEMO-EXAM"

_SEED = 480
_ITEMS, _TOPICS, _UNCALIBRATED, _DRAFTS = 480, 8, 12, 10
#: High enough to be free in a QBank that has items of its own.
_FIRST_ID = 900_001
_EXAMINEES, _LENGTH, _DAYS = 2_000, 30, 42

Row = tuple[object, ...]


def demo_pool() -> ItemPool:
    """DEMO-EXAM as a fresh database holds it: every k is 1, and none is stored."""
    rng = np.random.default_rng(_SEED)
    topic = np.arange(_ITEMS) % _TOPICS + 1
    version = rng.choice([1, 2, 3], size=_ITEMS, p=[0.88, 0.1, 0.02])
    a = np.clip(rng.lognormal(0.0, 0.3, _ITEMS), 0.35, 2.5).round(4)
    b = np.clip(rng.normal((topic - 4.5) * 0.25, 0.95), -3.5, 3.5).round(4)
    c = np.clip(rng.beta(9, 41, _ITEMS), 0.02, 0.4).round(4)
    defaulted = np.zeros(_ITEMS, dtype=np.bool_)
    defaulted[rng.choice(_ITEMS, _UNCALIBRATED, replace=False)] = True
    return ItemPool.build(
        DEMO_EXAM,
        {
            "question_id": _FIRST_ID + np.arange(_ITEMS),
            "version": version,
            "topic_id": topic,
            "a": np.where(defaulted, DEFAULT_A, a),
            "b": np.where(defaulted, DEFAULT_B, b),
            "c": np.where(defaulted, DEFAULT_C, c),
            "k": np.ones(_ITEMS),
            "k_stored": np.zeros(_ITEMS),
            "defaulted": defaulted,
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class DemoTables:
    """The demo's rows, by table."""

    pool: ItemPool
    now: datetime

    @classmethod
    def make(cls) -> DemoTables:
        """The demo, with responses up to this hour."""
        return cls(demo_pool(), datetime.now(UTC).replace(minute=0, second=0, microsecond=0))

    def stands_in(self, store: Store) -> bool:
        """Whether the store holds the demo already.

        Raises
        ------
        DataError
            It holds an exam DEMO-EXAM that is another, which must not be overwritten.
        """
        if DEMO_EXAM not in store.exams():
            return False
        try:
            there = store.load_pool(DEMO_EXAM)
            same = np.array_equal(there.question_id, self.pool.question_id) and all(
                np.allclose(getattr(there, name), getattr(self.pool, name), rtol=1e-6)
                for name in ("version", "a", "b", "c")
            )
        except DataError:
            same = False
        if not same:
            raise DataError(
                f"{store.label} holds an exam {DEMO_EXAM} that is not the demo."
                " Nothing was written; rename that exam, or take another database."
            )
        return True

    def rows(self) -> Iterator[tuple[str, list[Row]]]:
        """Tables in the order of insertion, with rows in the order of `TABLES`' columns.

        Times are in UTC, as SQLite has them: text without a zone.
        """
        pool = self.pool
        ids, versions = pool.question_id.tolist(), pool.version.tolist()
        items = list(zip(ids, versions, pool.topic_id.tolist(), strict=True))
        former = [(q, v, t) for q, live, t in items for v in range(1, live)]
        drafts = [(_FIRST_ID + _ITEMS + i, 1, i % _TOPICS + 1) for i in range(_DRAFTS)]
        drafts += [(q, live + 1, t) for q, live, t in items[:: _ITEMS // _DRAFTS]]
        yield (
            "question_versions",
            [(*row, "published") for row in items]
            + [(*row, "retired") for row in former]
            + [(*row, "draft") for row in drafts],
        )
        yield (
            "question_publications",
            [(DEMO_EXAM, q, v) for q, v in zip(ids, versions, strict=True)],
        )
        parameters = zip(
            ids, versions, pool.a.tolist(), pool.b.tolist(), pool.c.tolist(), pool.defaulted,
            strict=True,
        )  # fmt: skip
        yield (
            "item_calibration",
            [(q, v, "3pl", a, b, c) for q, v, a, b, c, defaulted in parameters if not defaulted],
        )
        yield "user_responses", self._responses()

    def _responses(self) -> list[Row]:
        """Each examinee takes the most informative items, within an hour of daytime."""
        rng = np.random.default_rng(_SEED + 1)
        days = rng.integers(0, _DAYS, _EXAMINEES)
        minutes = rng.integers(8 * 60, 18 * 60, _EXAMINEES)
        midnight = np.datetime64(self.now.date() - timedelta(days=_DAYS), "s")
        starts = midnight + days * np.timedelta64(1, "D") + minutes * np.timedelta64(1, "m")
        stamps = starts[:, None] + np.arange(_LENGTH) * np.timedelta64(2, "m")
        # To a tenth of an ability, so that few rankings serve everybody.
        abilities, examinee = np.unique(
            rng.standard_normal(_EXAMINEES).round(1), return_inverse=True
        )
        taken = self._most_informative(abilities)[examinee]
        return list(
            zip(
                self.pool.question_id[taken].ravel().tolist(),
                self.pool.version[taken].ravel().tolist(),
                np.char.replace(np.datetime_as_string(stamps.ravel()), "T", " ").tolist(),
                strict=True,
            )
        )

    def _most_informative(self, theta: FloatArray) -> IntArray:
        """Item positions, (abilities, length): the largest 3PL information (Birnbaum 1968)."""
        pool = self.pool
        logistic = 1 / (1 + np.exp(-1.7 * pool.a * (theta[:, None] - pool.b)))
        right = pool.c + (1 - pool.c) * logistic
        information = (1.7 * pool.a * logistic) ** 2 * (1 - pool.c) * (1 - right) / right
        return np.argsort(-information, axis=1, kind="stable")[:, :_LENGTH]
