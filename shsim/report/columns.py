"""The rows of a result, one an item, as named columns of plain Python values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shsim.arrays import BoolArray, FloatArray, IntArray
from shsim.model.item_pool import NO_TOPIC, ItemPool
from shsim.model.results import CalibrationResult, ItemExposure, SimulationResult
from shsim.report.exposure import UNUSED

Result = CalibrationResult | SimulationResult
Columns = dict[str, list[Any]]


def result_columns(result: Result) -> Columns:
    """The columns of `calibrate` or `simulate`, in the order that stands in the README."""
    pool = result.pool
    columns = _identity(pool)
    if isinstance(result, CalibrationResult):
        columns["sh_p_before"] = pool.k.tolist()
        columns["sh_p"] = result.k.tolist()
    else:
        columns["sh_p"] = pool.k.tolist()
    columns.update(_exposure(result.exposure))
    columns["flag"] = flags(result)
    return columns


def pool_columns(pool: ItemPool) -> Columns:
    """The columns of `export`, which `import` reads; `sh_p` is empty where none is stored."""
    columns = _identity(pool)
    stored = pool.k_stored.tolist()
    columns["sh_p"] = [k if s else None for k, s in zip(pool.k.tolist(), stored, strict=True)]
    return columns


def rows(columns: Columns) -> list[dict[str, Any]]:
    """The columns as one dict an item."""
    names = tuple(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def flags(result: Result) -> list[str]:
    """Words joined by `|` for each item: over, floor, unused, defaulted."""
    pool, exposure = result.pool, result.exposure
    words: list[tuple[str, BoolArray]] = [("over", exposure.over)]
    if isinstance(result, CalibrationResult):
        words.append(("floor", at_floor(result.k, result.settings.floor)))
    words.append(("unused", unused(exposure)))
    words.append(("defaulted", pool.defaulted))
    return _joined(words, len(pool))


def unused(exposure: ItemExposure) -> BoolArray:
    """Items nobody saw; where exposure is expected, under one examinee in a million."""
    never: BoolArray = exposure.seen == 0 if exposure.n else exposure.rate < UNUSED
    return never


def at_floor(k: FloatArray, floor: float) -> BoolArray:
    """Where the floor holds k up; the answer is exp of a mean, so a rounding is allowed."""
    held: BoolArray = k <= floor * (1 + 1e-9)
    return held


def _joined(words: Sequence[tuple[str, BoolArray]], size: int) -> list[str]:
    """Every item's words, looked up by the bits of its flags."""
    code: IntArray = np.zeros(size, dtype=np.int64)
    for bit, (_, mask) in enumerate(words):
        code |= mask.astype(np.int64) << bit
    spelled = [
        "|".join(word for bit, (word, _) in enumerate(words) if combination >> bit & 1)
        for combination in range(1 << len(words))
    ]
    return [spelled[bits] for bits in code.tolist()]


def _identity(pool: ItemPool) -> Columns:
    """What an item is; `d` only in a 4PL pool, so that a 3PL one reads as it always did."""
    columns: Columns = {
        "question_id": pool.question_id.tolist(),
        "version": pool.version.tolist(),
        "topic_id": [None if topic == NO_TOPIC else topic for topic in pool.topic_id.tolist()],
        "a": pool.a.tolist(),
        "b": pool.b.tolist(),
        "c": pool.c.tolist(),
    }
    if pool.has_upper:
        columns["d"] = pool.d.tolist()
    return columns


def _exposure(exposure: ItemExposure) -> Columns:
    return {
        "seen": exposure.seen.tolist(),
        "proposed": exposure.proposed.tolist(),
        "exposure_rate": exposure.rate.tolist(),
        "exposure_low": exposure.low.tolist(),
        "exposure_high": exposure.high.tolist(),
    }
