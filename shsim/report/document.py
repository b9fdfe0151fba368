"""Results as JSON: keys are added over time, never renamed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from shsim import __version__
from shsim.model.item_pool import ItemPool
from shsim.model.results import CalibrationResult
from shsim.model.settings import settings_as_dict
from shsim.report.columns import Result, pool_columns, result_columns, rows


def result_json(result: Result) -> str:
    """A run of `calibrate` or `simulate` as one JSON document."""
    calibration = result if isinstance(result, CalibrationResult) else None
    return json_text(
        {
            "command": "calibrate" if calibration else "simulate",
            "version": __version__,
            "exam": result.pool.name,
            "run": result.run,
            "settings": settings_as_dict(result.settings),
            "seed": result.settings.delivery.seed,
            "seconds": result.seconds,
            "verdict": asdict(result.verdict),
            "converged": calibration.converged if calibration else None,
            "stopped": calibration.stopped if calibration else None,
            "origin": calibration.origin if calibration else None,
            "before": asdict(calibration.before) if calibration else None,
            "verification": asdict(result.measures),
            "changed": _changed(calibration),
            "when_estimated": calibration.when_estimated if calibration else None,
            "reasons": _reasons(calibration),
            "history": [asdict(record) for record in calibration.history] if calibration else [],
            "items": rows(result_columns(result)),
        }
    )


def _changed(result: CalibrationResult | None) -> int | None:
    """How many k differ from those it began with, as a save counts them: none is not 1."""
    if result is None:
        return None
    return int((~result.pool.k_stored | (result.pool.k != result.k)).sum())


def _reasons(result: CalibrationResult | None) -> dict[str, Any] | None:
    """Why and at what price; items by name, since positions mean nothing outside."""
    if result is None or result.reasons is None:
        return None
    reasons = asdict(result.reasons)
    reasons["held_by_floor"] = [result.pool.item(i) for i in result.reasons.held_by_floor]
    return reasons


def pool_json(pool: ItemPool) -> str:
    """A pool as one JSON document, which `import` reads."""
    return json_text(
        {
            "command": "export",
            "version": __version__,
            "exam": pool.name,
            "items": rows(pool_columns(pool)),
        }
    )


def json_text(document: Mapping[str, Any]) -> str:
    """One key a line, one element of a list of objects a line, so that runs can be compared.

    Non-finite numbers become null: JSON has none.
    """
    fields = ",\n".join(f"  {json.dumps(key)}: {_value(value)}" for key, value in document.items())
    return f"{{\n{fields}\n}}\n"


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n    " + ",\n    ".join(map(_one_line, value)) + "\n  ]"
    return _one_line(value)


def _one_line(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(finite(value), allow_nan=False)


def finite(value: Any) -> Any:
    """The value with None for every number that JSON has not."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
