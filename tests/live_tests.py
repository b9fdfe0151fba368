"""Made-up live tests: drawn from a known table of rates, and put into `user_responses`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from storage.databases import execute

from shsim.arrays import FloatArray, IntArray


def drawn(rates: FloatArray, tests: int, seed: int = 1) -> IntArray:
    """Attempts by item of so many tests: each item with its rate, every test of one length.

    Systematic sampling over a random order (Madow 1949); the rates' sum is the length.
    """
    rng = np.random.default_rng(seed)
    length = round(float(rates.sum()))
    counts = np.zeros(len(rates), dtype=np.int64)
    for _ in range(tests):
        order = rng.permutation(len(rates))
        ends = np.cumsum(rates[order]) * (length / rates.sum())
        at = np.searchsorted(ends, rng.random() + np.arange(length), side="right")
        counts[order[np.minimum(at, len(rates) - 1)]] += 1
    return counts


def respond(dsn: str, attempts: Mapping[tuple[int, int], int], when: str = "now") -> None:
    """Put so many attempts on each item in, at one moment ("2026-01-31 06:00:00" in UTC)."""
    rows = ", ".join(f"({q}, {v}, {count})" for (q, v), count in attempts.items() if count)
    moment = "CURRENT_TIMESTAMP" if when == "now" else f"'{when}'"
    if when != "now" and not dsn.startswith("sqlite:"):
        moment = f"CAST('{when}+00' AS timestamptz)"
    execute(
        dsn,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "  # noqa: S608
        f"{max(attempts.values())}) INSERT INTO user_responses (question_id, version, created_at)"
        f" SELECT q.column1, q.column2, {moment} FROM (VALUES {rows}) q JOIN n ON n.i <= q.column3",
    )
